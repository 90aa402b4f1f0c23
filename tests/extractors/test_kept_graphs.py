import numpy as np
import pytest
import tensorflow as tf

from trainer.config.transfer import TransferOptions
from trainer.extractors.kept_graphs import kept_extractor
from trainer.extractors.loading import load_network

IMAGES = tf.random.stateless_uniform([3, 8, 8, 3], [1, 2])
IDENTITY = {"extractor": "a module's bytes"}


@pytest.fixture
def load(vector_module):
    """Loads the network; it is counted how often."""

    def load():
        load.calls += 1
        return load_network(TransferOptions(extractor=str(vector_module)))

    load.calls = 0
    return load


def test_a_network_is_loaded_once(load, tmp_path):
    for _ in range(3):
        kept_extractor(tmp_path, IDENTITY, load)
    assert load.calls == 1


def test_what_is_kept_gives_the_same_bits(load, tmp_path):
    first, second = (kept_extractor(tmp_path, IDENTITY, load) for _ in range(2))
    np.testing.assert_array_equal(first(IMAGES), second(IMAGES))
    assert (first.name, first.image_size, first.shape) == (
        second.name,
        second.image_size,
        second.shape,
    )


def test_another_identity_is_another_network(load, tmp_path):
    kept_extractor(tmp_path, IDENTITY, load)
    kept_extractor(tmp_path, {"extractor": "others"}, load)
    assert load.calls == 2


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-9], lambda b: b"{" + b, lambda b: b"", lambda _: b"[]\n", lambda _: b"{}\n"],
)
def test_a_damaged_file_is_written_again(load, tmp_path, damage):
    kept_extractor(tmp_path, IDENTITY, load)
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    kept_extractor(tmp_path, IDENTITY, load)
    assert load.calls == 2
    assert len(file.read_bytes()) == len(whole)


def test_a_folder_that_cannot_be_written_is_no_obstacle(load, tmp_path):
    (tmp_path / "file").write_text("")
    assert kept_extractor(tmp_path / "file", IDENTITY, load)(IMAGES).shape == (3, 4)
