"""Which image files can be decoded, and the error of those that cannot."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data.images.decoding import decode, decode_error
from trainer.data.images.formats import MAX_PIXELS, end_of_first_frame

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


def gif_frame_of(encoded, width, height):
    whole = encoded(COLOURS, "GIF")
    descriptor = whole.index(b"," + struct.pack("<HHHH", 0, 0, 32, 32))
    return patched(whole, descriptor + 5, struct.pack("<HH", width, height))


def bmp_of(encoded, width, height):
    return patched(encoded(COLOURS, "BMP"), 18, struct.pack("<ii", width, -height))


def webp_of(encoded, width, height):
    sides = (struct.pack("<I", side - 1)[:3] for side in (width, height))
    animated = encoded(CLEAR, "WEBP", save_all=True, append_images=[CLEAR.rotate(90)])
    return patched(animated, 24, b"".join(sides))


def lossy_webp_of(encoded, width, height):
    return patched(encoded(COLOURS, "WEBP"), 26, struct.pack("<HH", width, height))


def lossless_webp_of(encoded, width, height):
    sides = struct.pack("<I", width - 1 | height - 1 << 14)
    return patched(encoded(COLOURS, "WEBP", lossless=True), 21, sides)


CLAIMING = [png_of, jpeg_of, gif_canvas_of, gif_frame_of, bmp_of, webp_of]
CLAIMING_AT_MOST_16383 = [lossy_webp_of, lossless_webp_of]


# Too many pixels.


@pytest.mark.parametrize(
    ("claiming", "side"),
    [(make, 20_000) for make in CLAIMING] + [(make, 16_383) for make in CLAIMING_AT_MOST_16383],
)
def test_an_image_above_the_pixel_limit_fails_before_it_is_decoded(encoded, claiming, side):
    content = claiming(encoded, side, side)
    message = f"has {side:,} x {side:,} pixels, more than the limit of 178,956,970"
    with pytest.raises(tf.errors.OpError, match=message):
        IN_GRAPH(content)
    assert decode_error(tf.constant(content)) == message


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (2**32 - 1, 8), (2**31, 1)])
def test_a_png_with_absurdly_long_sides_is_an_error(encoded, width, height):
    assert decode_error(tf.constant(png_of(encoded, width, height)))


def test_the_pixel_limit_is_that_of_pillow():
    assert MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(("width", "height"), [(20_000, 3), (3, 20_000), (13_378, 2)])
@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP"])
def test_a_very_long_image_is_decoded(encoded, image_format, width, height):
    content = encoded(Image.new("L", (width, height), 90), image_format)
    assert IN_GRAPH(content).shape == (height, width, 3)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_an_image_of_one_pixel_is_decoded(encoded, image_format):
    assert IN_GRAPH(encoded(Image.new("RGB", (1, 1), "red"), image_format)).shape == (1, 1, 3)


# Animations.


@pytest.mark.parametrize(
    ("image_format", "options", "tolerance"),
    [("GIF", {}, 6), ("PNG", {}, 0), ("WEBP", {"lossless": True}, 0)],
)
def test_the_first_frame_of_an_animation_is_decoded(encoded, image_format, options, tolerance):
    others = [CLEAR.rotate(degrees) for degrees in (90, 180)]
    content = encoded(CLEAR, image_format, save_all=True, append_images=others, **options)
    first = IN_GRAPH(content).numpy().astype(int)
    np.testing.assert_allclose(first, np.asarray(COLOURS), rtol=0, atol=tolerance)


def test_bytes_after_the_first_frame_of_a_gif_are_ignored(encoded):
    animated = encoded(COLOURS, "GIF", save_all=True, append_images=[COLOURS.rotate(90)] * 3)
    first = animated[: end_of_first_frame(io.BytesIO(animated))]
    for rest in (b";", b"", b"no blocks of a GIF"):
        np.testing.assert_array_equal(IN_GRAPH(first + rest), IN_GRAPH(animated))


# Damage.


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_an_image_that_is_cut_off_is_an_error(encoded, image_format, kept):
    content = encoded(COLOURS, image_format)
    assert decode_error(tf.constant(content[: int(len(content) * kept)]))


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "is empty"), (b"a text\n" * 9, "is not an image of a supported format")],
)
def test_the_error_of_a_file_that_is_no_image_says_so(content, why):
    assert decode_error(tf.constant(content)).startswith(why)


def test_bytes_after_an_image_are_ignored(encoded):
    content = encoded(COLOURS, "JPEG")
    np.testing.assert_array_equal(IN_GRAPH(content + b"\x00" * 99), IN_GRAPH(content))


def test_a_jpeg_with_fill_bytes_before_a_marker_is_decoded(encoded):
    content = encoded(COLOURS, "JPEG")
    filled = content[:2] + b"\xff\xff\xff" + content[2:]
    np.testing.assert_array_equal(IN_GRAPH(filled), IN_GRAPH(content))
    assert decode_error(tf.constant(filled)) is None


def test_a_readable_image_has_no_error(encoded):
    assert decode_error(tf.constant(encoded(COLOURS, "JPEG"))) is None


def test_a_gif_is_decoded_without_a_graph_too(encoded, picture):
    gif = encoded(picture(1), "GIF")
    assert decode(tf.constant(gif.replace(b"GIF89a", b"GIF87a"))).shape == (
        *picture(1).size[::-1],
        3,
    )
