"""`--run-name`, `--projector`, `--feature-maps`, `--grad-cam`, `--histograms`, `--profile`."""

import json

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer import command_line, run

TASKS = """
import keras

from trainer import Config, ImageClassification


class Tints(ImageClassification):
    defaults = Config(extractor="none", image_size=8, jit="off", batch_size=16, epochs=1)

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential(
            [
                layers.Conv2D(4, 3, activation="relu", name="inner"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(classes),
            ]
        )
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, noise_folder, vector_module):
    """A run on features and one on images, with all that can be asked for; and their folder."""
    import sys

    folder = tmp_path_factory.mktemp("extras")
    (folder / "logged_tasks.py").write_text(TASKS)
    sys.path.insert(0, str(folder))
    everything = ["--histograms", "--projector", "--feature-maps", "--grad-cam", "--profile", "2:4"]
    where = ["--log-dir", folder / "logs", "--cache-dir", folder / "cache", "--data", noise_folder]
    features = ["--task", "folder", "--extractor", vector_module, "--image-size", 8, "--epochs", 1]
    try:
        for name, options in (
            ("features", [*features, "--jit", "off", "--batch-size", 16]),
            ("images", ["--task", "logged_tasks:Tints"]),
        ):
            arguments = [*where, *options, *everything, "--run-name", name]
            assert command_line.exit_code(run.main, list(map(str, arguments))) == 0
    finally:
        sys.path.remove(str(folder))
    return folder / "logs"


@pytest.fixture(scope="module")
def on_features(runs):
    return runs / "folder" / "features"


@pytest.fixture(scope="module")
def on_images(runs):
    return runs / "tints" / "images"


def tags(folder):
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return set(events.Tags()["tensors"])


def test_the_run_has_its_name(on_features):
    assert json.loads((on_features / "config.json").read_text())["run_name"] == "features"


def test_a_name_that_is_taken_is_one_line(run_command, runs, noise_folder, vector_module):
    small = ["--data", noise_folder, "--extractor", vector_module, "--image-size", 8]
    done = run_command("--task", "folder", "--log-dir", runs, "--run-name", "features", *small)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "is there already; choose another name, or resume it with --resume" in done.err


@pytest.mark.parametrize("name", ["a/b", "..", "-x", ""])
def test_a_name_that_cannot_be_a_folder_is_one_line(run_command, name):
    done = run_command(f"--run-name={name}")
    assert (done.code, done.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("steps", ["20", "30:20", "0:3", "a:b"])
def test_steps_of_a_profile_are_two_numbers(run_command, steps):
    done = run_command("--profile", steps)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "must be two steps" in done.err


@pytest.mark.parametrize("which", ["on_features", "on_images"])
def test_the_projector_has_features_names_and_thumbnails_of_validation(which, request):
    folder = request.getfixturevalue(which)
    config = (folder / "projector_config.pbtxt").read_text()
    assert all(name in config for name in ("features.tsv", "names.tsv", "images.png"))
    features = np.loadtxt(folder / "projector" / "features.tsv", delimiter="\t")
    assert features.shape == (30, 4)
    header, *rows = (folder / "projector" / "names.tsv").read_text().splitlines()
    assert (header, len(rows)) == ("true\tpredicted", 30)
    assert Image.open(folder / "projector" / "images.png").size == (6 * 64, 6 * 64)


def test_a_net_on_images_shows_its_inner_layer_and_grad_cam(on_images):
    assert {"feature_maps/inner", "grad_cam"} <= tags(on_images / "test")


def test_a_module_without_endpoints_has_neither_and_the_run_goes_on(on_features):
    found = tags(on_features / "test")
    assert not {tag for tag in found if tag.startswith(("feature_maps", "grad_cam"))}
    assert (on_features / "result.json").exists()


def test_weights_and_gradients_have_histograms(on_images):
    found = tags(on_images / "train")
    assert {"weights/inner/kernel", "gradients/inner/kernel"} <= found


@pytest.mark.parametrize("which", ["on_features", "on_images"])
def test_the_profile_is_in_the_run(which, request):
    assert list(request.getfixturevalue(which).glob("plugins/profile/*/*.xplane.pb"))


def test_what_the_network_sees_is_a_picture(on_images):
    assert "inputs" in tags(on_images / "train")


def test_the_options_are_in_the_table_of_runs_and_as_a_text(on_images):
    assert {"_hparams_/experiment", "_hparams_/session_start_info", "config"} <= tags(on_images)
