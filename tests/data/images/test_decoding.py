"""Which bytes give pixels, and why the others give none."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data.images.decoding import decode, decode_error
from trainer.data.images.formats import MOST_PIXELS, end_of_first_picture

COLOURS = Image.linear_gradient("L").resize((32, 32)).convert("RGB")
CLEAR = COLOURS.convert("RGBA")
IN_GRAPH = tf.function(decode, input_signature=[tf.TensorSpec([], tf.string)])


def patched(content, place, new):
    return content[:place] + new + content[place + len(new) :]


def png_of(encoded, width, height):
    header = b"IHDR" + struct.pack(">II", width, height) + encoded(COLOURS, "PNG")[24:29]
    return patched(encoded(COLOURS, "PNG"), 12, header + zlib.crc32(header).to_bytes(4, "big"))


def jpeg_of(encoded, width, height):
    whole = encoded(COLOURS, "JPEG")
    return patched(whole, whole.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


def gif_canvas_of(encoded, width, height):
    return patched(encoded(COLOURS, "GIF"), 6, struct.pack("<HH", width, height))


def gif_picture_of(encoded, width, height):
    whole = encoded(COLOURS, "GIF")
    descriptor = whole.index(b"," + struct.pack("<HHHH", 0, 0, 32, 32))
    return patched(whole, descriptor + 5, struct.pack("<HH", width, height))


def bmp_of(encoded, width, height):
    return patched(encoded(COLOURS, "BMP"), 18, struct.pack("<ii", width, -height))


def webp_of(encoded, width, height):
    sides = (struct.pack("<I", side - 1)[:3] for side in (width, height))
    moving = encoded(CLEAR, "WEBP", save_all=True, append_images=[CLEAR.rotate(90)])
    return patched(moving, 24, b"".join(sides))


def lossy_webp_of(encoded, width, height):
    return patched(encoded(COLOURS, "WEBP"), 26, struct.pack("<HH", width, height))


def lossless_webp_of(encoded, width, height):
    sides = struct.pack("<I", width - 1 | height - 1 << 14)
    return patched(encoded(COLOURS, "WEBP", lossless=True), 21, sides)


CLAIMING = [png_of, jpeg_of, gif_canvas_of, gif_picture_of, bmp_of, webp_of]
CLAIMING_AT_MOST_16383 = [lossy_webp_of, lossless_webp_of]


# Too many pixels.


@pytest.mark.parametrize(
    ("claiming", "side"),
    [(make, 20_000) for make in CLAIMING] + [(make, 16_383) for make in CLAIMING_AT_MOST_16383],
)
def test_an_image_that_claims_too_many_pixels_is_refused_before_it_is_decoded(
    encoded, claiming, side
):
    content = claiming(encoded, side, side)
    told = f"has {side:,} x {side:,} pixels, more than the 178,956,970 that we decode"
    with pytest.raises(tf.errors.OpError, match=told):
        IN_GRAPH(content)
    assert decode_error(tf.constant(content)) == told


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (2**32 - 1, 8), (2**31, 1)])
def test_a_png_of_monstrous_sides_is_an_error_like_any_other(encoded, width, height):
    assert decode_error(tf.constant(png_of(encoded, width, height)))


def test_the_bound_is_that_of_pillow():
    assert MOST_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(("width", "height"), [(20_000, 3), (3, 20_000), (13_378, 2)])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP"])
def test_a_long_image_is_read(encoded, image_format, width, height):
    content = encoded(Image.new("L", (width, height), 90), image_format)
    assert IN_GRAPH(content).shape == (height, width, 3)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_an_image_of_one_pixel_is_read(encoded, image_format):
    assert IN_GRAPH(encoded(Image.new("RGB", (1, 1), "red"), image_format)).shape == (1, 1, 3)


# What moves.


@pytest.mark.parametrize(
    ("image_format", "options", "tolerance"),
    [("GIF", {}, 6), ("PNG", {}, 0), ("WEBP", {"lossless": True}, 0)],
)
def test_of_a_moving_image_the_first_picture_is_read(encoded, image_format, options, tolerance):
    others = [CLEAR.rotate(degrees) for degrees in (90, 180)]
    content = encoded(CLEAR, image_format, save_all=True, append_images=others, **options)
    first = IN_GRAPH(content).numpy().astype(int)
    np.testing.assert_allclose(first, np.asarray(COLOURS), rtol=0, atol=tolerance)


def test_of_a_gif_nothing_behind_its_first_picture_is_looked_at(encoded):
    moving = encoded(COLOURS, "GIF", save_all=True, append_images=[COLOURS.rotate(90)] * 3)
    first = moving[: end_of_first_picture(io.BytesIO(moving))]
    for rest in (b";", b"", b"no blocks of a GIF"):
        np.testing.assert_array_equal(IN_GRAPH(first + rest), IN_GRAPH(moving))


# Damage.


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_an_image_that_is_cut_off_is_an_error(encoded, image_format, kept):
    content = encoded(COLOURS, image_format)
    assert decode_error(tf.constant(content[: int(len(content) * kept)]))


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "is empty"), (b"a text\n" * 9, "is no image of a format we read")]
)
def test_what_is_no_image_is_told_what_it_is(content, why):
    assert decode_error(tf.constant(content)).startswith(why)


def test_what_follows_an_image_is_of_no_concern(encoded):
    content = encoded(COLOURS, "JPEG")
    np.testing.assert_array_equal(IN_GRAPH(content + b"\x00" * 99), IN_GRAPH(content))


def test_a_jpeg_whose_markers_are_filled_up_is_read(encoded):
    content = encoded(COLOURS, "JPEG")
    filled = content[:2] + b"\xff\xff\xff" + content[2:]
    np.testing.assert_array_equal(IN_GRAPH(filled), IN_GRAPH(content))
    assert decode_error(tf.constant(filled)) is None


def test_a_readable_image_has_nothing_wrong(encoded):
    assert decode_error(tf.constant(encoded(COLOURS, "JPEG"))) is None
