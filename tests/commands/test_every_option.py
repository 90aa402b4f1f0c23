"""The options that no other test gives to the command, several a run, on tiny data."""

import json
import math
import shlex

import pytest

RUNS = {
    "vector": [
        "--optimizer rmsprop --momentum 0.5 --schedule exponential --jit on --log-every 1",
        "--optimizer adagrad --schedule piecewise --warmup 8examples --jit off",
        "--optimizer lion --learning-rate 1e-4 --checkpoint-every 50%",
        "--rotation 5 --width-shift 0.1 --height-shift 0.1 --shear 5 --zoom 0.1 --flip both"
        " --brightness 0.1 --contrast 0.1 --hue 0.1 --saturation 0.1 --crop 0.5 --rand-augment 2"
        " --rand-magnitude 5 --erasing 0.25 --fill reflect --augment-copies 2 --optimizer nadam"
        " --sampling balanced --loss focal",
    ],
    "map": [
        "--optimizer adamax --pool max --validation-steps 1 --resize pad",
        "--optimizer adadelta --pool flatten --feature-memory 0",
        "--optimizer adamw --head flatten",
    ],
}


@pytest.mark.parametrize(
    ("module", "options"), [(module, options) for module in RUNS for options in RUNS[module]]
)
def test_a_run_ends_with_finite_metrics(
    module, options, run_command, cats_and_dogs, tiny_modules, tmp_path
):
    small = ("--data", cats_and_dogs, "--extractor", tiny_modules / module, "--task", "dogs")
    small += ("--epochs", 2, "--batch-size", 4, "--jit", "off")
    done = run_command(*small, *shlex.split(options))
    assert (done.code, done.err) == (0, "")
    [result] = tmp_path.glob("logs/*/*/result.json")
    metrics = json.loads(result.read_text())["metrics"].values()
    assert all(math.isfinite(value) for of_split in metrics for value in of_split.values())
