"""The ways of transfer, through the command and on tiny data; and what does not go together."""

import json

import keras
import pytest

from trainer import Config, UserError

SMALL = ("--image-size", 32, "--epochs", 1, "--batch-size", 8)
CUT = ("--extractor", "efficientnet_lite0@block_2")


@pytest.fixture
def train(run_command, cats_and_dogs, tmp_path):
    """Runs the command on two classes of ten pictures; gives the result."""

    def run(*options):
        outcome = run_command("--data", cats_and_dogs, *SMALL, *options)
        assert outcome.code == 0, outcome.err
        newest = max(tmp_path.glob("logs/*/*/result.json"), key=lambda p: p.stat().st_mtime_ns)
        return json.loads(newest.read_text()) | {"said": outcome.out}

    return run


WAYS = {
    "early": CUT,
    "early, a head of maps": (*CUT, "--head", "avg"),
    "early, of Keras": ("--extractor", "keras:MobileNetV2@Conv1_relu", "--weights", "none"),
    "finetune": (*CUT, "--transfer", "finetune"),
    "scratch": (*CUT, "--transfer", "scratch"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_trains_and_says_which_it_is(train, way):
    assert train(*WAYS[way])["transfer"] == way.partition(",")[0]


def test_a_head_is_warmed_up_before_the_extractor_learns(train):
    result = train(*CUT, "--transfer", "finetune", "--warmup-epochs", 2)
    assert (result["epochs"], result["said"].count("epoch ")) == (1, 3)


def test_a_model_of_keras_is_tuned_from_a_layer_on_with_the_weights_of_a_file(train, tmp_path):
    file = tmp_path / "mobile.weights.h5"
    keras.applications.MobileNetV2(include_top=False, weights=None).save_weights(file)
    cut = ("--extractor", "keras:MobileNetV2@Conv1_relu", "--weights", file)
    tuned = ("--transfer", "finetune", "--unfreeze-from", "bn_Conv1")
    result = train(*cut, *tuned, "--finetune-learning-rate", 1e-3, "--summary")
    assert result["transfer"] == "finetune"


@pytest.mark.slow
def test_equal_seeds_finetune_to_equal_weights(train):
    first, again = (train(*CUT, "--transfer", "finetune")["weights_digest"] for _ in range(2))
    assert first == again


VARIED = {
    "images": ("--augment", "light"),
    "mixed images": ("--mixup", 0.2),
    "kept copies": ("--augment", "light", "--augment-copies", 2),
}


@pytest.mark.parametrize("kind", VARIED)
def test_a_frozen_extractor_is_given_varied_images(train, vector_module, kind):
    size = ("--image-size", 8)
    assert train("--extractor", vector_module, *size, *VARIED[kind])["transfer"] == "frozen"


# What does not go together.

REFUSED = {
    "--transfer finetune needs an --extractor": {"extractor": "none", "transfer": "finetune"},
    "--transfer frozen needs an --extractor": {"extractor": "none", "transfer": "frozen"},
    "--warmup-epochs is the first stage of --transfer finetune": {"warmup_epochs": 1},
    "--unfreeze-from Conv_1 needs --transfer finetune": {
        "extractor": "keras:MobileNetV2",
        "unfreeze_from": "Conv_1",
    },
    r"--unfreeze-from a needs .* a hub module learns as a whole": {
        "transfer": "finetune",
        "unfreeze_from": "a",
    },
    "--weights none needs a keras:NAME extractor": {"weights": "none"},
    "--head avg needs the maps of an --extractor": {"extractor": "none", "head": "avg"},
}


@pytest.mark.parametrize("refusal", REFUSED)
def test_options_that_do_not_go_together_are_refused(refusal):
    with pytest.raises(UserError, match=f"^{refusal}"):
        Config(**REFUSED[refusal])


@pytest.mark.parametrize(
    ("options", "way"),
    [
        ({}, "frozen"),
        ({"extractor": "efficientnet_lite0@block_2"}, "early"),
        ({"extractor": "none"}, "scratch"),
        ({"transfer": "finetune"}, "finetune"),
    ],
)
def test_the_way_follows_from_the_extractor_where_it_is_not_given(options, way):
    assert Config(**options).transfer_mode == way
