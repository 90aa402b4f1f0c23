"""The orientation of photos by their Exif, applied as Pillow applies it."""

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


def exif_of(number, byte_order=">"):
    """Exif with this orientation."""
    exif = Image.Exif()
    exif.endian = byte_order
    exif[0x010F] = "a camera's maker"
    exif[ORIENTATION_TAG] = number
    return exif.tobytes()


def decoded_by_pillow(content):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    return np.asarray(image.convert("RGB"))


def decoded(content):
    return tf.function(decode)(tf.constant(content)).numpy()


def with_segment(jpeg, marker, content):
    """A JPEG with one more segment in front of all others."""
    return jpeg[:2] + marker + (len(content) + 2).to_bytes(2, "big") + content + jpeg[2:]


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("image_format", FORMATS)
def test_every_orientation_is_applied_as_by_pillow(encoded, image_format, number):
    content = encoded(IMAGE, image_format, exif=exif_of(number), **FORMATS[image_format])
    expected = decoded_by_pillow(content)
    assert expected.shape == ((16, 24, 3) if number < 5 else (24, 16, 3))
    tolerance = 6 if image_format == "JPEG" else 0  # of two decoders
    np.testing.assert_allclose(decoded(content).astype(int), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("number", range(1, 9))
def test_a_rotated_jpeg_has_exactly_the_pixels_of_the_plain_one(encoded, number):
    plain = encoded(IMAGE, "JPEG")
    pixels = Image.fromarray(tf.io.decode_jpeg(plain).numpy())
    pixels.getexif()[ORIENTATION_TAG] = number
    expected = np.asarray(ImageOps.exif_transpose(pixels))
    rotated = with_segment(plain, b"\xff\xe1", exif_of(number))
    np.testing.assert_array_equal(decoded(rotated), expected)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_an_image_without_exif_is_decoded_bit_for_bit_as_by_tensorflow(encoded, image_format):
    content = encoded(IMAGE, image_format)
    expected = tf.io.decode_image(content, 3, expand_animations=False)
    np.testing.assert_array_equal(decoded(content), expected)


def test_training_images_are_upright(split_of, encoded):
    split = split_of([encoded(IMAGE, "PNG", exif=exif_of(number)) for number in (6, 1, 8)])
    [(images, _)] = image_batches(split, 12, 3)
    turned = [np.rot90(PIXELS, quarters) for quarters in (3, 0, 1)]
    expected = [tf.image.resize(pixels, [12, 12]).numpy() / 255 for pixels in turned]
    np.testing.assert_allclose(images, expected, atol=1e-6)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_both_byte_orders_of_exif_are_read(encoded, byte_order):
    assert orientation(encoded(IMAGE, "JPEG", exif=exif_of(6, byte_order))) == 6


def test_exif_after_other_segments_is_found(encoded):
    content = encoded(IMAGE, "JPEG", exif=exif_of(3))
    for marker, other in ((b"\xff\xe1", b"http://ns.adobe.com/xap/1.0/"), (b"\xff\xe2", bytes(70))):
        content = with_segment(content, marker, other)
    assert orientation(content) == 3


@pytest.mark.parametrize("number", [0, 9, 255])
def test_an_invalid_orientation_counts_as_upright(encoded, number):
    assert orientation(encoded(IMAGE, "JPEG", exif=exif_of(number))) == UPRIGHT


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\x00\xff\xff\xff\xff",
        b"XX*\x00\x08\x00\x00\x00",
        exif_of(6)[6:34],
        b"II*\x00\x08\x00\x00\x00\xff\xff",
    ],
)
def test_damaged_exif_is_ignored(encoded, exif):
    content = with_segment(encoded(IMAGE, "JPEG"), b"\xff\xe1", b"Exif\x00\x00" + exif)
    np.testing.assert_array_equal(decoded(content), decoded(encoded(IMAGE, "JPEG")))


def test_the_word_exif_in_a_comment_rotates_nothing(encoded):
    content = with_segment(encoded(IMAGE, "JPEG"), b"\xff\xfe", b"no Exif in here")
    np.testing.assert_array_equal(decoded(content), decoded(encoded(IMAGE, "JPEG")))


def test_exif_after_the_scan_is_ignored_as_by_pillow(encoded):
    plain = encoded(IMAGE, "JPEG")
    late = with_segment(plain, b"\xff\xe1", exif_of(6))[2 : -len(plain) + 2]
    content = plain[:-2] + late + plain[-2:]
    assert Image.open(io.BytesIO(content)).getexif() == {}
    assert orientation(content) == UPRIGHT
