"""From encoded examples to batches: every format, every example, in an order by seed and epoch."""

import dataclasses
import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer import UserError
from trainer.data.checks.unreadable import report_unreadable_images
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import PRESETS
from trainer.data.pipeline.batches import image_batches, num_batches
from trainer.data.readers.folder import folder_source

SIDE = 32
EXACT, LOSSY = 0.5 / 255, 6 / 255
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Of ITU-R BT.601."""

RAMPS = np.stack(
    [*np.meshgrid(np.arange(0, 256, 8), np.arange(0, 256, 8)), np.full([SIDE, SIDE], 90)], axis=-1
).astype(np.uint8)
RGB = Image.fromarray(RAMPS)
GREY = RGB.convert("L")
ALPHA = GREY.point(lambda shade: 255 - shade // 2)
OTHER = Image.new("RGB", (SIDE, SIDE), (9, 200, 9))


def with_alpha(image):
    image = image.copy()
    image.putalpha(ALPHA)
    return image


def png_of_16_bits(pixels):
    """A PNG of RGB with 16 bits each, which Pillow does not write."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width, _ = pixels.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def rgb(image):
    return np.asarray(image.convert("RGB"), np.float32) / 255


def batch_of(split, size=SIDE, batch_size=1, **options):
    images, labels = next(iter(image_batches(split, size, batch_size, **options)))
    return images.numpy(), labels.numpy()


def order(split, seed, epoch, batch_size=8):
    """The labels of the examples of one epoch."""
    batches = image_batches(split, 2, batch_size, shuffled_by=(seed, epoch))
    return [int(label) for _, labels in batches for label in labels][: split.examples]


@pytest.fixture
def fifty(split_of, picture, encoded):
    return split_of([encoded(picture(number), "PNG") for number in range(50)])


# Every format and mode.


EVERY_FORMAT = pytest.mark.parametrize(
    ("image", "image_format", "options", "tolerance"),
    [
        pytest.param(RGB, "JPEG", {"quality": 95}, LOSSY, id="JPEG"),
        pytest.param(RGB, "JPEG", {"quality": 95, "progressive": True}, LOSSY, id="JPEG-in-steps"),
        pytest.param(GREY, "JPEG", {"quality": 95}, LOSSY, id="JPEG-grey"),
        pytest.param(RGB.convert("CMYK"), "JPEG", {"quality": 95}, LOSSY, id="JPEG-CMYK"),
        pytest.param(RGB, "PNG", {}, EXACT, id="PNG"),
        pytest.param(with_alpha(RGB), "PNG", {}, EXACT, id="PNG-alpha"),
        pytest.param(GREY, "PNG", {}, EXACT, id="PNG-grey"),
        pytest.param(with_alpha(GREY), "PNG", {}, EXACT, id="PNG-grey-alpha"),
        pytest.param(RGB.quantize(64), "PNG", {}, EXACT, id="PNG-palette"),
        pytest.param(RGB.quantize(16), "PNG", {"bits": 4}, EXACT, id="PNG-palette-4-bit"),
        pytest.param(RGB.quantize(64), "PNG", {"transparency": 3}, EXACT, id="PNG-palette-alpha"),
        pytest.param(RGB.convert("1"), "PNG", {}, EXACT, id="PNG-1-bit"),
        pytest.param(RGB, "GIF", {}, EXACT, id="GIF"),
        pytest.param(GREY, "GIF", {}, EXACT, id="GIF-grey"),
        pytest.param(
            RGB, "GIF", {"save_all": True, "append_images": [OTHER]}, EXACT, id="GIF-moves"
        ),
        pytest.param(RGB, "BMP", {}, EXACT, id="BMP-24-bit"),
        pytest.param(with_alpha(RGB), "BMP", {}, EXACT, id="BMP-32-bit"),
        pytest.param(GREY, "BMP", {}, EXACT, id="BMP-grey"),
        pytest.param(RGB, "WEBP", {"quality": 95}, LOSSY, id="WebP"),
        pytest.param(RGB, "WEBP", {"lossless": True}, EXACT, id="WebP-lossless"),
        pytest.param(GREY, "WEBP", {"quality": 95}, LOSSY, id="WebP-grey"),
        pytest.param(with_alpha(RGB), "WEBP", {"quality": 95}, LOSSY, id="WebP-alpha"),
        pytest.param(
            with_alpha(RGB),
            "WEBP",
            {"lossless": True, "exact": True},
            EXACT,
            id="WebP-lossless-alpha",
        ),
    ],
)


@EVERY_FORMAT
def test_an_image_has_the_pixels_that_pillow_reads(
    split_of, encoded, image, image_format, options, tolerance
):
    content = encoded(image, image_format, **options)
    images, _ = batch_of(split_of([content]))
    expected = rgb(Image.open(io.BytesIO(content)))
    np.testing.assert_allclose(images[0], expected, rtol=0, atol=tolerance)


@EVERY_FORMAT
def test_a_grey_image_is_the_luma_of_the_pixels_that_pillow_reads(
    split_of, encoded, image, image_format, options, tolerance
):
    content = encoded(image, image_format, **options)
    images, _ = batch_of(split_of([content]), channels=1)
    expected = rgb(Image.open(io.BytesIO(content))) @ LUMA
    np.testing.assert_allclose(images[0, ..., 0], expected, rtol=0, atol=tolerance + EXACT)


def test_a_grey_image_of_the_right_size_keeps_its_bits(split_of, encoded):
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    images, _ = batch_of(split_of([encoded(Image.fromarray(shades), "PNG")]), size=16, channels=1)
    np.testing.assert_array_equal(images[0, ..., 0], shades.astype(np.float32) / 255)


def test_a_grey_png_of_16_bits_becomes_8_bits(split_of, encoded):
    grey16 = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
    images, _ = batch_of(split_of([encoded(grey16, "PNG")]))
    np.testing.assert_allclose(images[0], rgb(GREY), rtol=0, atol=EXACT)


def test_a_colour_png_of_16_bits_becomes_8_bits(split_of):
    images, _ = batch_of(split_of([png_of_16_bits(RAMPS.astype(np.uint16) * 257)]))
    np.testing.assert_allclose(images[0], rgb(RGB), rtol=0, atol=EXACT)


# Batches.


def test_black_is_0_and_white_is_1(split_of, encoded):
    colours = [Image.new("RGB", (5, 3), colour) for colour in ("black", "white")]
    images, _ = batch_of(split_of([encoded(colour, "PNG") for colour in colours]), batch_size=2)
    np.testing.assert_array_equal(images, np.broadcast_to([[[[0.0]]], [[[1.0]]]], images.shape))


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3)])
def test_an_image_of_any_shape_is_resized_to_a_square(split_of, encoded, shape):
    images, _ = batch_of(split_of([encoded(Image.new("RGB", shape, "red"), "PNG")]), size=7)
    np.testing.assert_allclose(images[0], np.broadcast_to([1.0, 0.0, 0.0], [7, 7, 3]), atol=1e-6)


@pytest.mark.parametrize("shuffled_by", [None, (0, 0)])
def test_shapes_and_types_are_known_before_any_image_is_read(fifty, shuffled_by):
    assert image_batches(fifty, 6, 8, shuffled_by).element_spec == (
        tf.TensorSpec([8, 6, 6, 3], tf.float32),
        tf.TensorSpec([8], tf.int32),
    )


def test_grey_images_have_one_channel(fifty):
    assert [images.shape for images, _ in image_batches(fifty, 6, 32, channels=1)] == [
        (32, 6, 6, 1)
    ] * 2


def test_images_come_in_the_stored_order_without_shuffling(fifty):
    labels = np.concatenate([labels for _, labels in image_batches(fifty, 2, 10)])
    assert labels.tolist() == list(range(50))


@pytest.mark.parametrize("shuffled_by", [None, (3, 1)])
def test_every_image_keeps_its_own_label(fifty, picture, shuffled_by):
    images, labels = batch_of(fifty, size=8, batch_size=50, shuffled_by=shuffled_by)
    expected = np.stack([rgb(picture(int(label))) for label in labels])
    np.testing.assert_allclose(images, expected, atol=1e-6)


@pytest.mark.parametrize("shuffled_by", [None, (0, 1)])
def test_an_epoch_can_begin_with_a_later_batch(fifty, shuffled_by):
    whole = list(image_batches(fifty, 2, 8, shuffled_by))
    rest = list(image_batches(fifty, 2, 8, shuffled_by, first=3))
    for (images, labels), (same_images, same_labels) in zip(whole[3:], rest, strict=True):
        np.testing.assert_array_equal(labels, same_labels)
        np.testing.assert_array_equal(images, same_images)


def test_no_image_before_the_first_batch_is_decoded(split_of, picture, encoded):
    split = split_of([b"no image", *(encoded(picture(number), "PNG") for number in range(3))])
    [(_, labels)] = image_batches(split, 2, 2, first=1)
    np.testing.assert_array_equal(labels, [2, 3])


@pytest.mark.parametrize("shuffled_by", [None, (0, 1)])
def test_the_last_batch_is_filled_up_with_the_first_examples_of_the_same_order(fifty, shuffled_by):
    (first, first_labels), *_, (last, last_labels) = image_batches(fifty, 2, 16, shuffled_by)
    np.testing.assert_array_equal(last_labels[2:], first_labels[:14])
    np.testing.assert_array_equal(last[2:], first[:14])


def test_a_batch_larger_than_the_split_is_filled_up_with_all_its_examples_again(fifty):
    [(_, labels)] = image_batches(fifty, 2, 120)
    assert labels.numpy().tolist() == [*range(50), *range(50), *range(20)]


@pytest.mark.parametrize("batch_size", [1, 7, 50, 64])
def test_there_are_as_many_batches_as_counted(fifty, batch_size):
    assert sum(1 for _ in image_batches(fifty, 2, batch_size)) == num_batches(50, batch_size)


@pytest.mark.parametrize(
    ("examples", "batches"), [(1, 1), (31, 1), (32, 1), (33, 2), (64, 2), (0, 0)]
)
def test_batches_of_32_are_counted_with_the_last(examples, batches):
    assert num_batches(examples, 32) == batches


# Shuffling.


def test_every_example_comes_once_an_epoch(fifty):
    assert sorted(order(fifty, seed=0, epoch=0)) == list(range(50))


def test_the_same_seed_and_epoch_give_the_same_order(fifty):
    assert order(fifty, seed=1, epoch=2) == order(fifty, seed=1, epoch=2)


def test_orders_of_other_seeds_and_epochs_all_differ(fifty):
    orders = {tuple(order(fifty, *pair)) for pair in itertools.product(range(3), range(3))}
    assert len(orders) == 9


def test_the_order_does_not_depend_on_the_batch_size(fifty):
    assert order(fifty, 0, 0, batch_size=5) == order(fifty, 0, 0, batch_size=50)


@pytest.fixture
def another_global_seed():
    """Sets TensorFlow's global seed; it is reset after the test."""
    yield lambda: tf.random.set_seed(99)
    tf.random.set_seed(None)


def test_the_order_does_not_depend_on_the_global_seed(fifty, another_global_seed):
    before = order(fifty, 0, 0)
    another_global_seed()
    assert order(fifty, 0, 0) == before


# Images that cannot be read.


@pytest.fixture
def read_all():
    """Reads every split of a folder as training does."""

    def read(folder):
        source = folder_source(folder)
        with report_unreadable_images(source.splits.values()):
            for split in source.splits.values():
                list(image_batches(split, 8, 4))

    return read


def beginning(content, share):
    return content[: int(len(content) * share)]


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_truncated_image_is_named_by_its_file(cats_and_dogs, encoded, read_all, image_format):
    path = cats_and_dogs / "dog" / "cut"
    path.write_bytes(beginning(encoded(RGB, image_format), 0.95))
    with pytest.raises(UserError, match=f"^{path} cannot be read as an image "):
        read_all(cats_and_dogs)


def test_an_animated_webp_which_tensorflow_cannot_read_is_named(cats_and_dogs, read_all):
    path = cats_and_dogs / "cat" / "moving.webp"
    RGB.save(path, save_all=True, append_images=[OTHER])
    with pytest.raises(UserError, match=f"^{path} "):
        read_all(cats_and_dogs)


def test_the_reason_is_on_one_line_without_tensorflows_names(cats_and_dogs, encoded, read_all):
    (cats_and_dogs / "dog" / "cut.png").write_bytes(beginning(encoded(RGB, "PNG"), 0.8))
    with pytest.raises(
        UserError, match=r"cannot be read as an image \([^{}\n]+\); fix or remove it"
    ):
        read_all(cats_and_dogs)


def test_a_file_that_vanishes_after_it_was_listed_is_named(cats_and_dogs):
    split = folder_source(cats_and_dogs).splits["train"]
    gone = cats_and_dogs / split.describe(0)
    gone.unlink()
    with (
        pytest.raises(UserError, match=f"^{gone} .*No such file"),
        report_unreadable_images([split]),
    ):
        list(image_batches(split, 8, 4))


def test_a_failure_of_something_else_is_no_users_mistake(fifty):
    with pytest.raises(tf.errors.InvalidArgumentError), report_unreadable_images([fifty]):
        tf.debugging.assert_equal(1, 2)


def test_nothing_is_read_again_where_nothing_fails():
    with report_unreadable_images(iter([None])):
        pass


# Augmentation.


AUGMENTATION = EpochAugmentation(PRESETS["strong"], seed=3, epoch=1)


@pytest.fixture
def noisy(split_of, encoded):
    """Twenty pictures that no transform leaves as they are."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, [20, 8, 8, 3], np.uint8)
    return split_of([encoded(Image.fromarray(picture), "PNG") for picture in pixels])


def by_label(split, batch_size=20, **options):
    """Every image of a split by its label, which is its position."""
    batches = image_batches(split, 8, batch_size, **options)
    rows = [row for images, labels in batches for row in zip(images, labels, strict=True)]
    return {int(label): image.numpy() for image, label in rows}


def require_equal(images, others):
    assert images.keys() == others.keys()
    for label, image in images.items():
        np.testing.assert_array_equal(image, others[label])


def test_images_are_augmented_by_their_positions(noisy):
    plain, augmented = by_label(noisy), by_label(noisy, augmentation=AUGMENTATION)
    for label, image in augmented.items():
        expected = AUGMENTATION(plain[label], tf.constant(label, tf.int64))
        np.testing.assert_array_equal(image, expected)
        assert np.abs(image - plain[label]).max() > 0.05


@pytest.mark.parametrize("batch_size", [1, 7, 20, 64])
@pytest.mark.parametrize("shuffled_by", [None, (0, 0), (5, 2)])
def test_an_image_is_augmented_the_same_in_any_batch_and_order(noisy, batch_size, shuffled_by):
    require_equal(
        by_label(noisy, batch_size, shuffled_by=shuffled_by, augmentation=AUGMENTATION),
        by_label(noisy, augmentation=AUGMENTATION),
    )


def test_an_image_of_a_slice_is_augmented_as_in_the_whole(noisy):
    whole, part = by_label(noisy, augmentation=AUGMENTATION), noisy.slice(4, 12).slice(1, 6)
    require_equal(by_label(part, augmentation=AUGMENTATION), {n: whole[n] for n in range(5, 11)})


@pytest.mark.parametrize("other", [{"epoch": 2}, {"seed": 4}])
def test_another_epoch_or_seed_augments_every_image_otherwise(noisy, other):
    images = by_label(noisy, augmentation=AUGMENTATION)
    others = by_label(noisy, augmentation=dataclasses.replace(AUGMENTATION, **other))
    assert all(np.abs(images[n] - others[n]).max() > 0.05 for n in images)


def test_the_rows_that_fill_up_are_augmented_as_the_examples_that_they_are(noisy):
    (first, _), (last, _) = image_batches(noisy, 8, 16, (0, 0), AUGMENTATION)
    np.testing.assert_array_equal(last[4:], first[:12])


def test_augmented_batches_have_the_same_shapes_and_types(noisy):
    plain, augmented = (image_batches(noisy, 6, 8, augmentation=a) for a in (None, AUGMENTATION))
    assert augmented.element_spec == plain.element_spec
