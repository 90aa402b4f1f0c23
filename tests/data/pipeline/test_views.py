"""The views of test-time augmentation: which there are, and that all images are changed alike."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config
from trainer.data.pipeline.augment import EpochAugmentation
from trainer.data.pipeline.augmentation import PRESETS, Augmentation
from trainer.data.pipeline.views import View, views

PICTURE = tf.random.stateless_uniform([8, 8, 3], [4, 2])
FIRST = tf.constant(0, tf.int64)


def test_the_first_view_is_the_image_as_it_is():
    assert list(views(Config(), 1)) == [None]


def test_the_second_view_is_flipped():
    plain, mirror = views(Config(), 2)
    assert plain is None
    np.testing.assert_array_equal(mirror(PICTURE, FIRST), tf.image.flip_left_right(PICTURE))


def test_those_behind_it_are_lightly_augmented_each_in_its_own_way():
    light = views(Config(), 5)[2:]
    assert [view.augmentation for view in light] == [PRESETS["light"]] * 3
    images = [view(PICTURE, FIRST).numpy() for view in light]
    assert len({image.tobytes() for image in images}) == 3


def test_a_run_with_augmentation_has_views_of_its_own_but_erases_nothing():
    _, *others = views(Config(augment="strong", crop=0.5, erasing=0.5), 3)
    expected = dataclasses.replace(PRESETS["strong"], crop=0.5)
    assert [view.augmentation for view in others] == [expected] * 2


def test_erasing_alone_is_no_view():
    _, mirror = views(Config(erasing=0.5), 2)
    assert mirror.is_mirror


def test_a_view_changes_every_image_alike():
    view = views(Config(augment="strong"), 2)[1]
    one, other = (view(PICTURE, tf.constant(position, tf.int64)) for position in (0, 7))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("other", [{"seed": 1}, {"augment": "standard"}])
def test_views_follow_from_the_options_of_the_run(other):
    one, changed = (views(Config(**{"augment": "light", **o}), 2)[1] for o in ({}, other))
    assert not np.array_equal(one(PICTURE, FIRST), changed(PICTURE, FIRST))


def test_the_identity_of_a_view_is_not_that_of_an_epoch():
    same = Augmentation(flip="horizontal"), 0, 1
    kinds = [View(*same), View(*same, is_mirror=True), EpochAugmentation(*same)]
    assert len({str(kind.identity) for kind in kinds}) == 3
