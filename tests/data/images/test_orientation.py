"""Images turned upright by their Exif, as Pillow turns them."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from trainer.data.images.decoding import decode
from trainer.data.images.orientation import ORIENTATION_TAG, UPRIGHT, orientation
from trainer.data.pipeline.batches import image_batches

ROWS, COLUMNS = np.mgrid[0:256:16, 0:240:10]
PIXELS = np.stack([ROWS, COLUMNS, np.full_like(ROWS, 90)], axis=-1).astype(np.uint8)
IMAGE = Image.fromarray(PIXELS)
FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}}


def held(turned, byte_order=">"):
    """Exif of an orientation."""
    exif = Image.Exif()
    exif.endian = byte_order
    exif[0x010F] = "a camera's maker"
    exif[ORIENTATION_TAG] = turned
    return exif.tobytes()


def as_pillow_sees(content):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    return np.asarray(image.convert("RGB"))


def decoded(content):
    return tf.function(decode)(tf.constant(content)).numpy()


def with_segment(jpeg, marker, content):
    """A JPEG with one more segment in front of all others."""
    return jpeg[:2] + marker + (len(content) + 2).to_bytes(2, "big") + content + jpeg[2:]


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("image_format", FORMATS)
def test_an_image_is_turned_as_pillow_turns_it(encoded, image_format, turned):
    content = encoded(IMAGE, image_format, exif=held(turned), **FORMATS[image_format])
    expected = as_pillow_sees(content)
    assert expected.shape == ((16, 24, 3) if turned < 5 else (24, 16, 3))
    tolerance = 6 if image_format == "JPEG" else 0  # of two decoders
    np.testing.assert_allclose(decoded(content).astype(int), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("turned", range(1, 9))
def test_a_turned_jpeg_has_the_very_pixels_of_the_plain_one(encoded, turned):
    plain = encoded(IMAGE, "JPEG")
    pixels = Image.fromarray(tf.io.decode_jpeg(plain).numpy())
    pixels.getexif()[ORIENTATION_TAG] = turned
    expected = np.asarray(ImageOps.exif_transpose(pixels))
    np.testing.assert_array_equal(decoded(with_segment(plain, b"\xff\xe1", held(turned))), expected)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_an_image_without_exif_stays_as_it_is_to_the_bit(encoded, image_format):
    content = encoded(IMAGE, image_format)
    expected = tf.io.decode_image(content, 3, expand_animations=False)
    np.testing.assert_array_equal(decoded(content), expected)


def test_images_of_training_are_upright(split_of, encoded):
    split = split_of([encoded(IMAGE, "PNG", exif=held(turned)) for turned in (6, 1, 8)])
    [(images, _)] = image_batches(split, 8, 3)
    expected = [
        tf.image.resize(np.rot90(PIXELS, quarters), [8, 8]).numpy() / 255 for quarters in (3, 0, 1)
    ]
    np.testing.assert_allclose(images, expected, atol=1e-6)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_both_byte_orders_are_understood(encoded, byte_order):
    assert orientation(encoded(IMAGE, "JPEG", exif=held(6, byte_order))) == 6


def test_exif_behind_other_segments_is_found(encoded):
    content = encoded(IMAGE, "JPEG", exif=held(3))
    for marker, other in ((b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/"), (b"\xff\xe2", bytes(70))):
        content = with_segment(content, marker, other)
    assert orientation(content) == 3


@pytest.mark.parametrize("number", [0, 9, 255])
def test_an_orientation_that_there_is_not_leaves_an_image_as_it_is(encoded, number):
    assert orientation(encoded(IMAGE, "JPEG", exif=held(number))) == UPRIGHT


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\x00\xff\xff\xff\xff",
        b"XX*\x00\x08\x00\x00\x00",
        held(6)[6:34],
        b"II*\x00\x08\x00\x00\x00\xff\xff",
    ],
)
def test_damaged_exif_leaves_an_image_as_it_is(encoded, exif):
    content = with_segment(encoded(IMAGE, "JPEG"), b"\xff\xe1", b"Exif\x00\x00" + exif)
    np.testing.assert_array_equal(decoded(content), decoded(encoded(IMAGE, "JPEG")))


def test_the_word_exif_in_a_file_turns_nothing(encoded):
    content = with_segment(encoded(IMAGE, "JPEG"), b"\xff\xfe", b"no Exif in here")
    np.testing.assert_array_equal(decoded(content), decoded(encoded(IMAGE, "JPEG")))
