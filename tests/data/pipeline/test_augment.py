"""Augmentation: each part as far as it says, and the same for one seed, epoch and position."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.data.pipeline.augment import (
    DRAWS,
    PRESETS,
    Augmentation,
    EpochAugmentation,
    augmentation_from_config,
    augmented,
)
from trainer.data.pipeline.projection import projected, scale, shear

SIDE = 8
PICTURE = tf.random.stateless_uniform([SIDE, SIDE, 3], [4, 2])
STRONG = PRESETS["strong"]
VARYING = [name for name in PRESETS if name != "none"]


def draws(**drawn: float) -> tf.Tensor:
    """Nothing, but for what is given; 1 mirrors nothing."""
    row = {**dict.fromkeys(DRAWS, 0.0), "horizontal_flip": 1.0, "vertical_flip": 1.0, **drawn}
    return tf.constant([row[name] for name in DRAWS])


def varied(drawn: tf.Tensor, image: tf.Tensor = PICTURE, **parts) -> np.ndarray:
    return augmented(image, drawn, Augmentation(**parts)).numpy()


def random_draws(examples: int) -> tf.Tensor:
    """Of the first examples of a split, in rows."""
    variation = EpochAugmentation(STRONG, seed=0, epoch=0)
    return tf.stack([variation.draws(tf.constant(n, tf.int64)) for n in range(examples)])


# Each part.


def test_the_utmost_draw_turns_by_the_whole_rotation():
    turned = varied(draws(rotation=1.0), rotation=90.0)
    np.testing.assert_allclose(turned, tf.image.rot90(PICTURE), atol=1e-5)


@pytest.mark.parametrize(
    ("part", "drawn", "expected"),
    [
        ("width_shift", 1.0, tf.pad(PICTURE[:, :-2], [[0, 0], [2, 0], [0, 0]])),
        ("width_shift", -0.5, tf.pad(PICTURE[:, 1:], [[0, 0], [0, 1], [0, 0]])),
        ("height_shift", 1.0, tf.pad(PICTURE[:-2], [[2, 0], [0, 0], [0, 0]])),
        ("height_shift", -0.5, tf.pad(PICTURE[1:], [[0, 1], [0, 0], [0, 0]])),
    ],
)
def test_a_shift_is_a_share_of_its_side(part, drawn, expected):
    moved = varied(draws(**{part: drawn}), **{part: 0.25, "fill": "constant"})
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_a_zoom_is_a_share_of_the_size(drawn):
    by = 1 + 0.5 * drawn
    zoomed = varied(draws(width_zoom=drawn, height_zoom=drawn), zoom=0.5)
    np.testing.assert_allclose(zoomed, projected(PICTURE, scale(by, by), "nearest"), atol=1e-6)


@pytest.mark.parametrize(("part", "axis"), [("width_zoom", 1), ("height_zoom", 0)])
def test_width_and_height_are_zoomed_apart(part, axis):
    stripes = tf.repeat(tf.reduce_mean(PICTURE, axis, keepdims=True), SIDE, axis)
    along = varied(draws(**{part: -1.0}), stripes, zoom=0.5)
    np.testing.assert_allclose(along, stripes, atol=1e-5)
    assert not np.allclose(varied(draws(**{part: -1.0}), zoom=0.5), PICTURE, atol=0.01)


def test_a_shear_is_in_degrees():
    slanted = varied(draws(shear=-0.5), shear=40.0)
    np.testing.assert_allclose(slanted, projected(PICTURE, shear(-20.0), "nearest"), atol=1e-6)


@pytest.mark.parametrize(
    ("flip", "drawn", "expected"),
    [
        ("horizontal", "horizontal_flip", tf.image.flip_left_right),
        ("vertical", "vertical_flip", tf.image.flip_up_down),
        ("both", "horizontal_flip", tf.image.flip_left_right),
        ("both", "vertical_flip", tf.image.flip_up_down),
        ("horizontal", "vertical_flip", tf.identity),
        ("vertical", "horizontal_flip", tf.identity),
    ],
)
def test_a_flip_is_exact_and_only_the_way_asked_for(flip, drawn, expected):
    np.testing.assert_array_equal(varied(draws(**{drawn: -0.5}), flip=flip), expected(PICTURE))


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_brightness_is_a_factor(drawn):
    dim = PICTURE / 2
    brightened = varied(draws(brightness=drawn), dim, brightness=0.4)
    np.testing.assert_allclose(brightened, dim * (1 + 0.4 * drawn), rtol=1e-6)


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_contrast_is_that_of_tensorflow(drawn):
    expected = tf.clip_by_value(tf.image.adjust_contrast(PICTURE, 1 + 0.4 * drawn), 0, 1)
    np.testing.assert_allclose(varied(draws(contrast=drawn), contrast=0.4), expected, atol=1e-6)


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_every_fill_keeps_the_range(fill):
    most = dataclasses.replace(STRONG, fill=fill, flip="both")
    for drawn in random_draws(8):
        image = augmented(PICTURE, drawn, most).numpy()
        assert image.min() >= 0
        assert image.max() <= 1


def test_nothing_drawn_gives_an_image_back():
    np.testing.assert_allclose(augmented(PICTURE, draws(), STRONG), PICTURE, atol=1e-6)


def test_no_augmentation_gives_an_image_back_to_the_bit():
    for drawn in random_draws(3):
        np.testing.assert_array_equal(augmented(PICTURE, drawn, Augmentation()), PICTURE)


@pytest.mark.parametrize("shape", [[5, 8, 3], [8, 5, 1]])
def test_shapes_and_types_stay(shape):
    image = EpochAugmentation(STRONG, 0, 0)(tf.ones(shape), tf.constant(0, tf.int64))
    assert (image.shape, image.dtype) == (shape, tf.float32)


def test_a_variation_is_what_its_draws_make():
    variation = EpochAugmentation(STRONG, seed=1, epoch=2)
    position = tf.constant(3, tf.int64)
    expected = augmented(PICTURE, variation.draws(position), STRONG)
    np.testing.assert_allclose(variation(PICTURE, position), expected, atol=1e-5)


# What is drawn.


def drawn(seed=0, epoch=0, position=0) -> np.ndarray:
    return EpochAugmentation(STRONG, seed, epoch).draws(tf.constant(position, tf.int64)).numpy()


def test_the_same_seed_epoch_and_position_draw_the_same():
    np.testing.assert_array_equal(drawn(1, 2, 3), drawn(1, 2, 3))


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}, {"position": 1}])
def test_another_seed_epoch_or_position_draws_anew(other):
    assert not np.isin(drawn(**other), drawn()).any()


def test_draws_are_even_from_minus_one_to_one():
    numbers = random_draws(400).numpy()
    assert numbers.min() >= -1
    assert numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(0), np.zeros(len(DRAWS)), atol=0.12)
    np.testing.assert_allclose(numbers.std(0), np.full(len(DRAWS), 3**-0.5), atol=0.06)


def test_half_of_the_images_are_mirrored():
    share = tf.reduce_mean(tf.cast(random_draws(400) < 0, tf.float32), axis=0)
    np.testing.assert_allclose(share, np.full(len(DRAWS), 0.5), atol=0.1)


def test_draws_do_not_hang_together():
    correlations = np.corrcoef(random_draws(400).numpy().T) - np.eye(len(DRAWS))
    assert np.abs(correlations).max() < 0.2


def test_the_global_seed_has_no_part_in_it():
    before = drawn()
    tf.random.set_seed(99)
    try:
        np.testing.assert_array_equal(drawn(), before)
    finally:
        tf.random.set_seed(None)


# From the options.


def test_no_option_is_no_augmentation():
    assert augmentation_from_config(Config()) is None


@pytest.mark.parametrize("preset", VARYING)
def test_a_preset_is_taken_by_its_name(preset):
    assert augmentation_from_config(Config(augment=preset)) == PRESETS[preset]


def test_presets_vary_more_and_more():
    def strength(preset: str) -> list[float]:
        parts = dataclasses.asdict(PRESETS[preset])
        return [value for value in parts.values() if isinstance(value, float)]

    for less, more in zip(["none", "light", "standard"], VARYING, strict=True):
        assert all(a <= b for a, b in zip(strength(less), strength(more), strict=True))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("rotation", 5.0),
        ("width_shift", 0.01),
        ("height_shift", 0.0),
        ("shear", 1.0),
        ("zoom", 0.0),
        ("flip", "none"),
        ("brightness", 0.5),
        ("contrast", 0.0),
        ("fill", "reflect"),
    ],
)
def test_a_part_by_number_takes_the_place_of_the_presets(part, value):
    config = Config(augment="standard", **{part: value})
    assert augmentation_from_config(config) == dataclasses.replace(
        PRESETS["standard"], **{part: value}
    )


def test_a_part_alone_needs_no_preset():
    assert augmentation_from_config(Config(rotation=10.0)) == Augmentation(rotation=10.0)


@pytest.mark.parametrize("options", [{"rotation": 0.0}, {"fill": "reflect"}, {"flip": "none"}])
def test_parts_that_change_nothing_are_no_augmentation(options):
    assert augmentation_from_config(Config(**options)) is None


def test_copies_of_what_nothing_varies_are_refused():
    with pytest.raises(UserError, match=r"^--augment-copies 3 .* --augment light"):
        augmentation_from_config(Config(augment_copies=3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rotation": 181.0}, "--rotation must be at most 180, not 181.0"),
        ({"rotation": -1.0}, "--rotation must be at least 0, not -1.0"),
        ({"width_shift": 1.5}, "--width-shift must be at most 1, not 1.5"),
        ({"height_shift": -0.1}, "--height-shift must be at least 0, not -0.1"),
        ({"shear": 90.0}, "--shear must be at most 89, not 90.0"),
        ({"zoom": 1.0}, "--zoom must be at least 0 and less than 1, not 1.0"),
        ({"brightness": 2.0}, "--brightness must be at most 1, not 2.0"),
        ({"contrast": float("nan")}, "--contrast must be at least 0, not nan"),
        ({"flip": "sideways"}, "--flip must be none, horizontal, vertical or both, not sideways"),
        ({"fill": "wrap"}, "--fill must be nearest, reflect or constant, not wrap"),
        ({"augment": "much"}, "--augment must be none, light, standard or strong, not much"),
        ({"augment_copies": -1}, "--augment-copies must be at least 0, not -1"),
        ({"mixup": -0.2}, "--mixup must be at least 0, not -0.2"),
        ({"cutmix": float("inf")}, "--cutmix must be at most 1000, not inf"),
        (
            {"augment_copies": 2, "mixup": 0.2},
            "--augment-copies caches features, and --mixup mixes images; omit one",
        ),
    ],
)
def test_a_value_that_no_image_can_have_is_refused_by_its_option(options, message):
    with pytest.raises(UserError) as error:
        Config(**options)
    assert str(error.value) == message


@pytest.mark.parametrize("options", [{"extractor": "none"}, {"transfer": "finetune"}])
def test_copies_of_features_need_a_frozen_extractor(options):
    with pytest.raises(UserError, match=r"^--augment-copies needs a frozen extractor"):
        Config(augment="light", augment_copies=2, **options)
