"""Command lines that nobody would think of: each works, or is refused in one line."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from trainer import Config

LINES, MORE_LINES = 30, 200
"""Without and with `--slow`; most are refused in a moment, some are run dry."""

NEVER = {"task", "data", "data_dir", "cache_dir", "log_dir", "sample_examples", "dry_run"}
"""Options that the test gives itself, and such as would draw or download something."""

OPTIONS = sorted(field.name for field in dataclasses.fields(Config) if field.name not in NEVER)

USUAL = {
    "transfer": ["frozen", "early", "finetune", "scratch"],
    "extractor": ["none", "keras:", "keras:Nothing", "@", "efficientnet_lite1", "/", "http://"],
    "weights": ["none", "imagenet", "absent.h5"],
    "pool": ["avg", "max", "flatten"],
    "head": ["flatten", "avg"],
    "augment": ["light", "strong"],
    "flip": ["both", "none"],
    "fill": ["reflect"],
    "optimizer": ["sgd", "lion", "muon", "ftrl", "Optimizer", "__class__"],
    "schedule": ["cosine", "piecewise"],
    "warmup": ["5%", "3steps", "101%", "1e3steps"],
    "class_weights": ["balanced"],
    "sampling": ["balanced"],
    "loss": ["focal"],
    "precision": ["mixed_bfloat16", "mixed_float16"],
    "stop_at": ["loss<1", "accuracy>=0.9", "loss", "validation/nothing>1"],
    "checkpoint_every": ["auto", "2steps", "0"],
    "resume": ["last", "."],
    "jit": ["on", "off"],
}

NUMBERS = ["nan", "inf", "-1", "0", "1", "0.5", "3", "1e999", "9" * 30]
STRANGE = [*NUMBERS, "", "../x", "a\nb", "🌷", "\\", "%"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Four of each of two classes, in every split."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "valid", "test"):
        for shade, name in enumerate(["dark", "bright"]):
            (folder / split / name).mkdir(parents=True)
            for number in range(4):
                grey = 200 * shade + 10 * number + len(split)
                Image.new("RGB", (8, 8), (grey, grey, grey)).save(
                    folder / split / name / f"{number}.png"
                )
    return folder


@st.composite
def command_lines(draw):
    line = []
    for option in draw(st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=5, unique=True)):
        usual = USUAL.get(option, [])
        value = draw(st.sampled_from([*usual, *usual, *STRANGE]) | st.text(max_size=8))
        line += [f"--{option.replace('_', '-')}", value]
    return draw(st.permutations(line)) if draw(st.integers(0, 9)) == 0 else line


def test_a_strange_command_line_works_or_is_refused_in_one_line(
    run_command, pictures, vector_module, request
):
    lines = MORE_LINES if request.config.getoption("--slow") else LINES

    @settings(
        max_examples=lines,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(command_lines())
    def works_or_is_refused(line):
        usual = ["--data", pictures, "--extractor", vector_module, "--task", "folder"]
        done = run_command(*usual, "--batch-size", 4, "--epochs", 1, *line, "--dry-run")
        assert done.code in (0, 2, 3), (line, done)
        if done.code:
            assert done.err.startswith("error: "), (line, done.err)
            assert done.err.count("\n") == 1, (line, done.err)

    works_or_is_refused()
