"""Images as squares: squashed, cropped or padded, antialiased, large JPEGs at a fraction."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.data.images.decoding import decode, decode_scaled
from trainer.data.images.orientation import ORIENTATION_TAG, apply_exif_orientation
from trainer.data.images.resizing import (
    RATIOS,
    Decoded,
    full_scale,
    resize_to_square,
    smallest_scale,
)
from trainer.data.pipeline.batches import decode_and_resize

RANDOM = np.random.default_rng(0)
MODES = ["squash", "crop", "pad"]


def noise(height, width):
    return RANDOM.integers(0, 256, [height, width, 3]).astype(np.uint8)


def photo(width, height):
    """Smooth colours with some noise, as photos have."""
    coarse = Image.fromarray(noise(12, 16)).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(coarse, np.float32) + RANDOM.normal(0, 6, [height, width, 3])
    return Image.fromarray(np.uint8(np.clip(noisy, 0, 255)))


def whole(pixels):
    return Decoded.whole(tf.constant(pixels))


def antialiased(pixels, height, width):
    resized = tf.image.resize(pixels, [height, width], "lanczos3", antialias=True)
    return tf.clip_by_value(resized, 0.0, 255.0).numpy()


# The ratio of a JPEG.


@pytest.mark.parametrize(
    ("sides", "resize", "ratio"),
    [
        ((3000, 4000), "squash", 8),
        ((4000, 3000), "squash", 8),
        ((1500, 2000), "squash", 4),
        ((895, 895), "squash", 1),
        ((896, 896), "squash", 2),
        ((333, 500), "squash", 1),
        ((223, 9000), "squash", 1),
        ((900, 9000), "squash", 4),
        ((9000, 9000), "squash", 8),
        ((3000, 4000), "crop", 4),
        ((3584, 4000), "crop", 8),
        ((800, 4000), "crop", 1),
        ((800, 4000), "pad", 8),
        ((3584, 3), "pad", 8),
        ((3583, 3), "pad", 4),
    ],
)
def test_a_jpeg_is_decoded_at_the_largest_ratio_that_leaves_twice_the_side(sides, resize, ratio):
    assert RATIOS[smallest_scale(224, resize)(tf.constant(sides))] == ratio


@pytest.mark.parametrize("exif", [False, True])
@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_its_pixels_are_those_of_the_decoder_at_that_ratio(encoded, side, exif):
    options = {"exif": Image.Exif().tobytes()} if exif else {}
    content = encoded(photo(131, 128), "JPEG", **options)
    found = tf.function(decode_scaled)(tf.constant(content), smallest_scale(side, "squash"))
    ratio = {8: 8, 16: 4, 32: 2, 64: 1}[side]
    np.testing.assert_array_equal(found.pixels, tf.io.decode_jpeg(content, 3, ratio=ratio))
    np.testing.assert_array_equal(found.sides, [128 / ratio, 131 / ratio])


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "WEBP"])
def test_other_formats_are_decoded_whole(encoded, image_format):
    content = tf.constant(encoded(photo(90, 70), image_format))
    found = decode_scaled(content, smallest_scale(4, "squash"))
    np.testing.assert_array_equal(found.pixels, decode(content))
    np.testing.assert_array_equal(found.sides, [70, 90])


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_other_channels_is_decoded_at_a_ratio_too(encoded, mode):
    content = tf.constant(encoded(photo(640, 480).convert(mode), "JPEG", quality=95))
    found = decode_and_resize(content, 60) * 255
    assert np.abs(found - antialiased(decode(content), 60, 60)).mean() < 2


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("size", [8, 16, 32])
def test_a_jpeg_that_is_cut_off_is_an_error_at_every_ratio(encoded, size, kept):
    content = encoded(photo(160, 130), "JPEG")
    with pytest.raises(tf.errors.OpError):
        tf.function(decode_and_resize)(tf.constant(content[: int(kept * len(content))]), size)


@pytest.mark.parametrize("number", range(1, 9))
def test_turning_it_upright_shifts_no_pixel(encoded, number):
    """Of sides that are no multiples of the ratio, the pixels at an edge reach beyond the image."""
    exif, pixels = Image.Exif(), photo(1607, 1213)
    exif[ORIENTATION_TAG] = number
    content = tf.constant(encoded(pixels, "JPEG", exif=exif.tobytes()))
    stored = decode_and_resize(tf.constant(encoded(pixels, "JPEG")), 90)
    expected = apply_exif_orientation(stored.numpy(), number)
    np.testing.assert_allclose(decode_and_resize(content, 90), expected, atol=1e-4)


# Squares.


@pytest.mark.parametrize("shape", [(20, 20), (40, 21), (40, 40), (3, 40), (7, 9)])
def test_an_image_of_at_most_twice_the_side_is_interpolated_to_the_same_bits(shape):
    pixels = noise(*shape)
    expected = tf.image.resize(pixels, [20, 20])
    np.testing.assert_array_equal(resize_to_square(whole(pixels), 20, "squash"), expected)


@pytest.mark.parametrize("shape", [(41, 20), (200, 30), (7, 90), (300, 300)])
def test_a_larger_one_is_antialiased(shape):
    pixels = noise(*shape)
    expected = antialiased(pixels, 20, 20)
    np.testing.assert_array_equal(resize_to_square(whole(pixels), 20, "squash"), expected)


@pytest.mark.parametrize("resize", MODES)
@pytest.mark.parametrize("sides", [(1600, 1200), (1607, 1213), (1130, 1607)])
def test_a_large_jpeg_is_near_to_the_whole_antialiased(encoded, sides, resize):
    content = tf.constant(encoded(photo(*sides), "JPEG"))
    reference = resize_to_square(decode_scaled(content, full_scale), 90, resize) / 255
    found = decode_and_resize(content, 90, resize=resize)
    assert np.abs(found - reference).mean() < 0.005


@pytest.mark.parametrize("shape", [(50, 90), (90, 50), (21, 20), (20, 20), (10, 15)])
def test_crop_is_the_central_square(shape):
    pixels, side = noise(*shape), min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    square = pixels[top : top + side, left : left + side]
    found = resize_to_square(whole(pixels), 20, "crop")
    np.testing.assert_array_equal(found, resize_to_square(whole(square), 20, "squash"))


@pytest.mark.parametrize(
    ("shape", "inner"),
    [((40, 80), (10, 20)), ((90, 30), (20, 7)), ((10, 20), (10, 20)), ((5, 10), (10, 20)),
     ((20, 20), (20, 20)), ((1, 999), (1, 20))],
)  # fmt: skip
def test_pad_keeps_the_proportion_and_puts_black_beside_the_image(shape, inner):
    pixels = np.maximum(noise(*shape), 1)
    found = resize_to_square(whole(pixels), 20, "pad").numpy()
    top, left = ((20 - side) // 2 for side in inner)
    inside = found[top : top + inner[0], left : left + inner[1]]
    assert (inside > 0).all()
    assert found.sum() == pytest.approx(inside.sum())
    if max(shape) > 40:
        np.testing.assert_allclose(inside, antialiased(pixels, *inner), atol=3)
    else:
        np.testing.assert_array_equal(inside, tf.image.resize(pixels, inner))


@pytest.mark.parametrize("resize", MODES)
def test_a_square_is_the_same_by_every_way(resize):
    pixels = noise(50, 50)
    expected = resize_to_square(whole(pixels), 20, "squash")
    np.testing.assert_allclose(resize_to_square(whole(pixels), 20, resize), expected, atol=1e-4)


@pytest.mark.parametrize("resize", MODES)
def test_a_grey_image_is_resized_alike(encoded, resize):
    content = tf.constant(encoded(photo(300, 200).convert("L"), "PNG"))
    grey, colours = (decode_and_resize(content, 30, channels, resize) for channels in (1, 3))
    np.testing.assert_allclose(grey[..., 0], colours[..., 0], atol=1e-5)
