"""What every drawing promises, whatever it shows."""

import numpy as np
import pytest
from PIL import Image

from tools.samples.build import SAMPLES

EVERY_CLASS = [(name, label) for name, sample in SAMPLES.items() for label in sample.classes]


def drawn(name: str, label: str, seed: int) -> Image.Image:
    return SAMPLES[name].draw(label, np.random.default_rng(seed))


@pytest.mark.parametrize(("name", "label"), EVERY_CLASS)
def test_every_class_can_be_drawn(name: str, label: str) -> None:
    for seed in range(6):
        assert np.asarray(drawn(name, label, seed)).std() > 3


@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_depends_on_its_seed_alone(name: str) -> None:
    label = SAMPLES[name].classes[0]
    first = drawn(name, label, 7)
    np.random.seed(1)
    assert drawn(name, label, 7).tobytes() == first.tobytes()


@pytest.mark.parametrize("name", SAMPLES)
def test_drawing_leaves_the_global_random_state_alone(name: str) -> None:
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    drawn(name, SAMPLES[name].classes[0], 7)
    assert np.random.random() == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_the_classes_of_a_sample_look_different_on_the_same_ground(name: str) -> None:
    pictures = {drawn(name, label, 11).tobytes() for label in SAMPLES[name].classes}
    assert len(pictures) == len(SAMPLES[name].classes)
