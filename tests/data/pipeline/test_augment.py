"""Augmentation: each option's range, and equal images for one seed, epoch and position."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.data.pipeline.augment import PARAMS, EpochAugmentation, augment
from trainer.data.pipeline.augmentation import PRESETS, Augmentation
from trainer.data.pipeline.projection import project, rotation, scale, shear

SIDE = 8
PICTURE = tf.random.stateless_uniform([SIDE, SIDE, 3], [4, 2])
STRONG = PRESETS["strong"]
CHANGING = [name for name in PRESETS if name != "none"]


def params(**given: float) -> tf.Tensor:
    """Parameters that change nothing, but for those given; 1 flips nothing."""
    row = {**dict.fromkeys(PARAMS, 0.0), "horizontal_flip": 1.0, "vertical_flip": 1.0, **given}
    return tf.constant([row[name] for name in PARAMS])


def augmented(drawn: tf.Tensor, image: tf.Tensor = PICTURE, **parts) -> np.ndarray:
    return augment(image, drawn, Augmentation(**parts)).numpy()


def compiled(drawn: tf.Tensor, image: tf.Tensor = PICTURE, **parts) -> np.ndarray:
    """The same by XLA, as in a run: it alone has the random numbers of what is erased."""
    most = Augmentation(**parts)
    return tf.function(lambda: augment(image, drawn, most), jit_compile=True)().numpy()


def random_params(examples: int) -> tf.Tensor:
    """The parameters of the first examples of a split, in rows."""
    augmentation = EpochAugmentation(STRONG, seed=0, epoch=0)
    return tf.stack([augmentation.sample_params(tf.constant(n, tf.int64)) for n in range(examples)])


# Each option.


def test_the_largest_parameter_rotates_by_the_whole_rotation():
    turned = augmented(params(rotation=1.0), rotation=90.0)
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
def test_a_shift_is_a_fraction_of_the_side(part, drawn, expected):
    moved = augmented(params(**{part: drawn}), **{part: 0.25, "fill": "constant"})
    np.testing.assert_array_equal(moved, expected)


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_a_zoom_is_a_fraction_of_the_size(drawn):
    by = 1 + 0.5 * drawn
    zoomed = augmented(params(width_zoom=drawn, height_zoom=drawn), zoom=0.5)
    np.testing.assert_allclose(zoomed, project(PICTURE, scale(by, by), "nearest"), atol=1e-6)


@pytest.mark.parametrize(("part", "axis"), [("width_zoom", 1), ("height_zoom", 0)])
def test_width_and_height_are_zoomed_separately(part, axis):
    stripes = tf.repeat(tf.reduce_mean(PICTURE, axis, keepdims=True), SIDE, axis)
    along = augmented(params(**{part: -1.0}), stripes, zoom=0.5)
    np.testing.assert_allclose(along, stripes, atol=1e-5)
    assert not np.allclose(augmented(params(**{part: -1.0}), zoom=0.5), PICTURE, atol=0.01)


def test_a_shear_is_in_degrees():
    slanted = augmented(params(shear=-0.5), shear=40.0)
    np.testing.assert_allclose(slanted, project(PICTURE, shear(-20.0), "nearest"), atol=1e-6)


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
def test_a_flip_is_exact_and_only_in_the_chosen_direction(flip, drawn, expected):
    np.testing.assert_array_equal(augmented(params(**{drawn: -0.5}), flip=flip), expected(PICTURE))


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_brightness_is_a_factor(drawn):
    dim = PICTURE / 2
    brightened = augmented(params(brightness=drawn), dim, brightness=0.4)
    np.testing.assert_allclose(brightened, dim * (1 + 0.4 * drawn), rtol=1e-6)


@pytest.mark.parametrize("drawn", [-1.0, 0.5])
def test_contrast_is_that_of_tensorflow(drawn):
    expected = tf.clip_by_value(tf.image.adjust_contrast(PICTURE, 1 + 0.4 * drawn), 0, 1)
    np.testing.assert_allclose(augmented(params(contrast=drawn), contrast=0.4), expected, atol=1e-6)


def test_hue_and_saturation_are_those_of_tensorflow():
    both = augmented(params(hue=-1.0, saturation=0.5), hue=0.2, saturation=0.4)
    expected = tf.image.adjust_saturation(tf.image.adjust_hue(PICTURE, -0.2), 1.2)
    np.testing.assert_allclose(both, expected, atol=1e-5)


def test_a_crop_keeps_a_part_of_the_area_and_enlarges_it():
    quarter = {"crop_area": -1.0, "crop_x": 1.0, "crop_y": -1.0}
    cropped = augmented(params(**quarter), crop=0.25)
    half = SIDE // 2
    expected = tf.image.resize(PICTURE[:half, half:], [SIDE, SIDE])
    np.testing.assert_allclose(cropped[:-1, 1:], expected[:-1, 1:], atol=1e-5)


def test_the_largest_crop_is_the_whole_image():
    np.testing.assert_allclose(augmented(params(crop_area=1.0), crop=0.25), PICTURE, atol=1e-5)


@pytest.mark.parametrize(("drawn", "is_erased"), [(-0.6, True), (-0.4, False)])
def test_erasing_has_a_probability(drawn, is_erased):
    changed = compiled(params(erasing=drawn), erasing=0.25)
    assert (changed != PICTURE.numpy()).any() == is_erased


@pytest.mark.parametrize(("area", "expected"), [(-1.0, 0.02), (1.0, 0.4)])
def test_a_box_of_noise_has_the_area_of_the_paper(area, expected):
    black = tf.zeros([100, 100, 3])
    drawn = params(erasing=-1.0, erasing_area=area, erasing_noise=0.3)
    noise = compiled(drawn, black, erasing=1.0)
    assert (noise.max(-1) > 0).mean() == pytest.approx(expected, abs=0.01)
    assert noise[noise > 0].mean() == pytest.approx(0.5, abs=0.05)


def test_operations_of_rand_augment_change_colours_and_move_pixels():
    half_turn = tf.constant([2 * 5.5 / 14 - 1, 1.0, 2 * 11.5 / 14 - 1, 1.0])  # rotate, solarize
    drawn = tf.concat([params(), half_turn], axis=0)
    changed = augmented(drawn, rand_augment=2, rand_magnitude=15.0)
    solarized = tf.where(PICTURE < 0.5, PICTURE, 1 - PICTURE)
    np.testing.assert_allclose(
        changed, project(solarized, rotation(tf.constant(15.0)), "nearest"), atol=1e-6
    )


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_every_fill_keeps_the_range(fill):
    most = dataclasses.replace(STRONG, fill=fill, flip="both")
    for drawn in random_params(8):
        image = augment(PICTURE, drawn, most).numpy()
        assert image.min() >= 0
        assert image.max() <= 1


def test_parameters_of_zero_change_nothing():
    np.testing.assert_allclose(augment(PICTURE, params(), STRONG), PICTURE, atol=1e-6)


def test_without_options_every_bit_of_an_image_stays():
    for drawn in random_params(3):
        np.testing.assert_array_equal(augment(PICTURE, drawn, Augmentation()), PICTURE)


@pytest.mark.parametrize("shape", [[5, 8, 3], [8, 5, 1]])
def test_shape_and_dtype_stay(shape):
    image = EpochAugmentation(STRONG, 0, 0)(tf.ones(shape), tf.constant(0, tf.int64))
    assert (image.shape, image.dtype) == (shape, tf.float32)


def test_a_variation_is_what_its_draws_make():
    augmentation = EpochAugmentation(STRONG, seed=1, epoch=2)
    position = tf.constant(3, tf.int64)
    expected = augment(PICTURE, augmentation.sample_params(position), STRONG)
    np.testing.assert_allclose(augmentation(PICTURE, position), expected, atol=1e-5)


# The random parameters.


def drawn(seed=0, epoch=0, position=0) -> np.ndarray:
    return (
        EpochAugmentation(STRONG, seed, epoch)
        .sample_params(tf.constant(position, tf.int64))
        .numpy()
    )


def test_equal_seed_epoch_and_position_give_equal_parameters():
    np.testing.assert_array_equal(drawn(1, 2, 3), drawn(1, 2, 3))


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}, {"position": 1}])
def test_another_seed_epoch_or_position_gives_other_parameters(other):
    assert not np.isin(drawn(**other), drawn()).any()


def test_parameters_are_uniform_between_minus_one_and_one():
    numbers = random_params(400).numpy()
    assert numbers.min() >= -1
    assert numbers.max() < 1
    np.testing.assert_allclose(numbers.mean(0), np.zeros(len(PARAMS)), atol=0.12)
    np.testing.assert_allclose(numbers.std(0), np.full(len(PARAMS), 3**-0.5), atol=0.06)


def test_half_of_the_images_are_flipped():
    share = tf.reduce_mean(tf.cast(random_params(400) < 0, tf.float32), axis=0)
    np.testing.assert_allclose(share, np.full(len(PARAMS), 0.5), atol=0.1)


def test_parameters_are_uncorrelated():
    correlations = np.corrcoef(random_params(400).numpy().T) - np.eye(len(PARAMS))
    assert np.abs(correlations).max() < 0.2


@pytest.mark.parametrize("operations", [1, 2, 5])
def test_operations_of_rand_augment_change_no_other_parameter(operations):
    more = dataclasses.replace(STRONG, rand_augment=operations)
    position = tf.constant(0, tf.int64)
    numbers = EpochAugmentation(more, 0, 0).sample_params(position).numpy()
    assert len(numbers) == len(PARAMS) + 2 * operations
    np.testing.assert_array_equal(numbers[: len(PARAMS)], drawn())


def test_the_first_ten_parameters_are_those_of_release_0_1():
    seed = tf.random.experimental.stateless_fold_in([0, 0], tf.constant(0, tf.int64))
    before = tf.random.stateless_uniform([10], seed, -1.0, 1.0, alg="philox")
    np.testing.assert_array_equal(drawn()[:10], before)


def test_all_parts_together_keep_the_range_and_repeat():
    most = dataclasses.replace(
        STRONG, hue=0.5, saturation=1.0, crop=0.1, rand_augment=3, erasing=0.5, fill="constant"
    )
    for position in tf.range(12, dtype=tf.int64):
        image, again = (EpochAugmentation(most, 1, 2)(PICTURE, position).numpy() for _ in range(2))
        assert 0 <= image.min() < image.max() <= 1
        np.testing.assert_array_equal(image, again)


def test_the_global_seed_does_not_matter():
    before = drawn()
    tf.random.set_seed(99)
    try:
        np.testing.assert_array_equal(drawn(), before)
    finally:
        tf.random.set_seed(None)


# From the options.


def test_without_options_there_is_no_augmentation():
    assert Augmentation.from_config(Config()) is None


@pytest.mark.parametrize("preset", CHANGING)
def test_a_preset_is_chosen_by_its_name(preset):
    assert Augmentation.from_config(Config(augment=preset)) == PRESETS[preset]


def test_every_preset_is_stronger_than_the_one_before():
    def strength(preset: str) -> list[float]:
        parts = dataclasses.asdict(PRESETS[preset])
        return [value for value in parts.values() if isinstance(value, float)]

    for less, more in zip(["none", "light", "standard"], CHANGING, strict=True):
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
        ("hue", 0.1),
        ("saturation", 0.3),
        ("crop", 0.5),
        ("rand_augment", 2),
        ("rand_magnitude", 5.0),
        ("erasing", 0.25),
        ("fill", "reflect"),
    ],
)
def test_an_option_overrides_the_preset(part, value):
    config = Config(augment="standard", **{part: value})
    assert Augmentation.from_config(config) == dataclasses.replace(
        PRESETS["standard"], **{part: value}
    )


def test_an_option_needs_no_preset():
    assert Augmentation.from_config(Config(rotation=10.0)) == Augmentation(rotation=10.0)


@pytest.mark.parametrize(
    "options",
    [
        {"rotation": 0.0},
        {"fill": "reflect"},
        {"flip": "none"},
        {"crop": 1.0},
        {"rand_augment": 0, "rand_magnitude": 30.0},
    ],
)
def test_options_that_change_nothing_are_no_augmentation(options):
    assert Augmentation.from_config(Config(**options)) is None


def test_augmented_copies_without_augmentation_are_an_error():
    with pytest.raises(UserError, match=r"^--augment-copies 3 .* --augment light"):
        Augmentation.from_config(Config(augment_copies=3))


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
        ({"hue": 0.6}, "--hue must be at most 0.5, not 0.6"),
        ({"saturation": -0.1}, "--saturation must be at least 0, not -0.1"),
        ({"crop": 0.0}, "--crop must be at least 0.01, not 0.0"),
        ({"rand_augment": 15}, "--rand-augment must be at most 14, not 15"),
        ({"rand_magnitude": 31.0}, "--rand-magnitude must be at most 30, not 31.0"),
        ({"erasing": 1.5}, "--erasing must be at most 1, not 1.5"),
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
def test_an_invalid_value_is_an_error_that_names_the_option(options, message):
    with pytest.raises(UserError) as error:
        Config(**options)
    assert str(error.value) == message


@pytest.mark.parametrize("options", [{"extractor": "none"}, {"transfer": "scratch"}])
def test_copies_of_features_need_a_frozen_extractor(options):
    with pytest.raises(UserError, match=r"^--augment-copies needs a frozen extractor"):
        Config(augment="light", augment_copies=2, **options)
