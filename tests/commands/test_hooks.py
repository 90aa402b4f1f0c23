"""`--hook module:factory`: hooks of one's own through the command."""

import json
import signal

import pytest

from tests.conftest import points_of

HOOKS = '''
import os, signal
from trainer import EverySteps, Hook

class Sum(Hook):
    """Sums the losses, writes the sum to TensorBoard, and keeps it in the checkpoint."""

    when = EverySteps(2)

    def __init__(self):
        self.sum = 0.0

    def on_steps_end(self, trainer, output):
        self.sum += float(output.values["loss"].sum())
        trainer.write_scalars({"sum": self.sum})

    def on_epoch_end(self, trainer, record):
        trainer.write_scalars({"sum_of_epoch": self.sum}, "validation")

    def state_dict(self):
        return {"sum": self.sum}

    def load_state_dict(self, state):
        self.sum = state["sum"]

class Kill(Hook):
    """SIGKILL at a step, unless the run has been killed before."""

    when = EverySteps(9)

    def on_steps_end(self, trainer, output):
        if trainer.step == 9 and not os.path.exists("killed"):
            open("killed", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

def a_sum():
    return Sum()

def nothing():
    return None
'''


@pytest.fixture
def options(noise_folder, vector_module, tmp_path):
    (tmp_path / "my_hooks.py").write_text(HOOKS)
    data = ["--data", noise_folder, "--extractor", vector_module, "--batch-size", 16]
    folders = ["--log-dir", tmp_path / "logs", "--cache-dir", tmp_path / "cache"]
    return [*data, *folders, "--epochs", 2, "--checkpoint-every", "4steps", "--jit", "off"]


def finished(start, *options):
    """Runs the command in a process of its own; the exit code."""
    process = start(*options)
    process.communicate()
    return process.returncode


def test_killed_and_resumed_a_run_with_hooks_ends_as_without_the_kill(start, options, tmp_path):
    hooks = ["--hook", "my_hooks:a_sum", "my_hooks:Kill"]
    assert finished(start, *options, *hooks) == -signal.SIGKILL
    [killed] = tmp_path.glob("logs/flowers/*")
    assert finished(start, "--resume", killed) == 0
    assert finished(start, *options, *hooks) == 0
    [whole] = set(tmp_path.glob("logs/flowers/*")) - {killed}
    digests = {
        json.loads((run / "result.json").read_text())["weights_digest"] for run in (killed, whole)
    }
    assert len(digests) == 1
    assert points_of(killed) == points_of(whole)
    assert {tag for _, tag, _ in points_of(whole)} >= {"sum", "sum_of_epoch"}


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module:hook", "--hook no_such_module:hook: there is no module 'no_such_module'"),
        ("my_hooks:no_such_hook", "--hook my_hooks:no_such_hook is no factory of a trainer.Hook"),
        ("my_hooks:nothing", "--hook my_hooks:nothing is no factory of a trainer.Hook"),
    ],
)
def test_what_is_no_hook_is_one_line(
    run_command, options, tmp_path, monkeypatch, reference, message
):
    monkeypatch.syspath_prepend(tmp_path)
    done = run_command(*options, "--hook", reference)
    assert done.code == 2
    assert done.err.startswith(f"error: {message}")
    assert len(done.err.splitlines()) == 1
