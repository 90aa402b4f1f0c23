"""The modes of transfer learning, through the command and on tiny data."""

import json

import keras
import pytest

SMALL = ("--image-size", 32, "--epochs", 1, "--batch-size", 8, "--jit", "off")
CUT = ("--extractor", "efficientnet_lite0@block_2")


@pytest.fixture
def train(run_command, cats_and_dogs, tmp_path):
    """Runs the command on two classes of ten images; returns the result."""

    def run(*options):
        outcome = run_command("--data", cats_and_dogs, *SMALL, *options)
        assert outcome.code == 0, outcome.err
        newest = max(tmp_path.glob("logs/*/*/result.json"), key=lambda p: p.stat().st_mtime_ns)
        return json.loads(newest.read_text()) | {"said": outcome.out}

    return run


MODES = {
    "early": CUT,
    "early, a head of maps": (*CUT, "--head", "avg"),
    "early, of Keras": ("--extractor", "keras:MobileNetV2@Conv1_relu", "--weights", "none"),
    "finetune": (*CUT, "--transfer", "finetune"),
    "scratch": (*CUT, "--transfer", "scratch"),
}


SLOW = ("early, a head of maps", "finetune", "scratch")


@pytest.mark.parametrize(
    "mode", [pytest.param(m, marks=[pytest.mark.slow] if m in SLOW else []) for m in MODES]
)
def test_each_mode_trains_and_is_named_in_the_result(train, mode):
    assert train(*MODES[mode])["transfer"] == mode.partition(",")[0]


@pytest.mark.slow
def test_a_keras_model_with_weights_from_a_file_is_fine_tuned_once_its_head_is_trained(
    train, tmp_path
):
    file = tmp_path / "mobile.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None).save_weights(file)
    cut = ("--extractor", "keras:MobileNetV2@Conv1_relu", "--weights", file)
    tuned = ("--transfer", "finetune", "--unfreeze-from", "bn_Conv1", "--warmup-epochs", 2)
    result = train(*cut, *tuned, "--finetune-learning-rate", 1e-3, "--summary")
    assert result["transfer"] == "finetune"
    assert (result["epochs"], result["said"].count("epoch ")) == (1, 3)


@pytest.mark.slow
def test_equal_seeds_finetune_to_equal_weights(train):
    first, again = (train(*CUT, "--transfer", "finetune")["weights_digest"] for _ in range(2))
    assert first == again


AUGMENTED = {
    "images": ("--augment", "light"),
    "mixed images": ("--mixup", 0.2),
    "cached copies": ("--augment", "light", "--augment-copies", 2),
}


@pytest.mark.parametrize("kind", AUGMENTED)
def test_a_frozen_extractor_is_trained_with_augmented_images(train, vector_module, kind):
    size = ("--image-size", 8)
    assert train("--extractor", vector_module, *size, *AUGMENTED[kind])["transfer"] == "frozen"
