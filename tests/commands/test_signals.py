"""Ctrl-C and SIGTERM: the first asks to end well, wherever the command is; the second ends it."""

import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trainer.core import signals
from trainer.core.signals import Interrupted

BOTH = pytest.mark.parametrize(
    ("number", "code", "name"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")],
)


def ask():
    signal.raise_signal(signal.SIGTERM)


@BOTH
def test_a_signal_ends_what_runs_with_the_code_that_shells_report(number, code, name):
    with pytest.raises(Interrupted) as ended, signals.handle_signals():
        signal.raise_signal(number)
    assert ended.value.exit_code == code
    assert str(ended.value) == f"stopped by {name}"


@BOTH
def test_more_can_be_told_with_it(number, code, name):
    more = Interrupted(number).with_text(" at step 3").with_text("; go on")
    assert str(more) == f"stopped by {name} at step 3; go on"
    assert more.exit_code == code


def test_what_handles_ctrl_c_handles_it_too():
    assert issubclass(Interrupted, KeyboardInterrupt)


def test_deferred_it_waits_for_the_end():
    done = []
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        ask()
        done.append("all of it")
    assert done


def test_deferred_it_waits_until_it_is_looked_for():
    done = []
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        ask()
        done.append("the span")
        signals.check_interrupt()
        done.append("the next")
    assert done == ["the span"]


def test_where_nobody_asks_nothing_is_raised():
    with signals.handle_signals(), signals.defer_signals():
        signals.check_interrupt()
        with signals.allow_signals():
            pass


def test_at_once_it_breaks_off_what_runs():
    with (
        pytest.raises(Interrupted),
        signals.handle_signals(),
        signals.defer_signals(),
        signals.allow_signals(),
    ):
        ask()
        pytest.fail("nothing was broken off")


def test_one_that_has_waited_breaks_off_before_anything_begins():
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        ask()
        with signals.allow_signals():
            pytest.fail("nothing was broken off")


def test_after_at_once_it_waits_again():
    done = []
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        with signals.allow_signals():
            pass
        ask()
        done.append("the span")
    assert done


def test_deferred_twice_it_waits_for_the_outer_end():
    done = []
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        with signals.defer_signals():
            ask()
        done.append("behind the inner one")
    assert done


def test_deferred_within_at_once_it_waits_for_the_inner_end():
    done = []
    with (
        pytest.raises(Interrupted),
        signals.handle_signals(),
        signals.defer_signals(),
        signals.allow_signals(),
    ):
        with signals.defer_signals():
            ask()
            done.append("the inner one")
        done.append("behind it")
    assert done == ["the inner one"]


def test_an_error_goes_before_a_signal_that_waits():
    with pytest.raises(ZeroDivisionError), signals.handle_signals(), signals.defer_signals():
        ask()
        raise ZeroDivisionError


@pytest.mark.parametrize("asked", [False, True])
def test_afterwards_signals_are_handled_as_before(asked):
    before = [signal.getsignal(number) for number in signals.ENDING]
    try:
        with signals.handle_signals():
            if asked:
                ask()
    except Interrupted:
        pass
    assert [signal.getsignal(number) for number in signals.ENDING] == before


def test_a_signal_of_an_earlier_time_is_forgotten():
    with pytest.raises(Interrupted), signals.handle_signals(), signals.defer_signals():
        ask()
    signals.check_interrupt()
    with signals.handle_signals(), signals.defer_signals():
        signals.check_interrupt()


def test_elsewhere_than_in_the_main_thread_nothing_changes():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def elsewhere():
        with signals.handle_signals():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


@BOTH
def test_a_second_one_ends_the_process_at_once(number, code, name, checkout):
    program = f"""
import signal
from trainer.core import signals
with signals.handle_signals(), signals.defer_signals():
    signal.raise_signal({number})
    print("asked", flush=True)
    signal.raise_signal({number})
    print("still there")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (-number, "asked\n", "")


# The real command.


TASK = """
import keras

from trainer import Config, ImageClassification


class Slow(ImageClassification):
    defaults = Config(batch_size=8, epochs=8, log_every=7, jit="off")

    def head(self, classes):
        layers = keras.layers
        return keras.Sequential([layers.Dropout(0.3), layers.Dense(classes)])
"""

SLOW_TRAINER = """
import os
import time

import tensorflow as tf

from trainer import Hook, Trainer


class SlowTrainer(Trainer):
    def train_step(self, batch):
        wait = tf.py_function(lambda: time.sleep(float(os.environ.get("WAIT", "0"))), [], [])
        with tf.control_dependencies([wait]):
            return super().train_step(batch)


class SumOfLosses(Hook):
    def __init__(self):
        self.sum = 0.0

    def on_steps_end(self, trainer, output):
        for loss in output.values["loss"]:
            self.sum += float(loss)

    def on_epoch_end(self, trainer, record):
        trainer.write_scalars({"sum_of_losses": self.sum})

    def state_dict(self):
        return {"sum": self.sum}

    def load_state_dict(self, state):
        self.sum = state["sum"]
"""


@pytest.fixture(scope="module")
def slow_module(tmp_path_factory):
    """An extractor that takes a good part of a second for a batch of 8x8 images."""
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            self.weights = tf.Variable(tf.reshape(tf.range(12.0), [3, 4]) / 12)

        @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3])])
        def __call__(self, images):
            work = tf.fill([800, 800], 1e-3 * tf.reduce_mean(images))
            for _ in range(15):
                work = tf.linalg.matmul(work, work)
            return tf.reduce_mean(images, [1, 2]) @ self.weights + work[0, 0]

    folder = tmp_path_factory.mktemp("slow") / "module"
    tf.saved_model.save(Module(), str(folder))
    return folder


def read_until(process, beginning):
    """Reads a process's output up to the line that begins so."""
    printed = []
    for line in process.stdout:
        if line.startswith(beginning):
            return
        printed.append(line)
    pytest.fail(f"no line began with {beginning!r}: {''.join(printed)}")


def ended(process, number, within):
    """The last line of a process that is sent a signal now."""
    process.send_signal(number)
    began = time.monotonic()
    printed, _ = process.communicate()
    assert process.returncode == 128 + number, printed
    assert time.monotonic() - began < within, printed
    return printed.splitlines()[-1]


def what_to_type(line):
    """The options of the command that a last line tells."""
    python, dash, module, *options = shlex.split(line.partition("; resume with: ")[2])
    assert (python, dash, module) == ("python", "-m", "trainer.run")
    return options


@pytest.fixture
def options(tmp_path, noise_folder, slow_module):
    """Of a run that takes long enough to be interrupted; how long no bit hangs on."""
    (tmp_path / "my_task.py").write_text(TASK)
    (tmp_path / "my_trainer.py").write_text(SLOW_TRAINER)
    own = ["--task", "my_task:Slow", "--trainer", "my_trainer:SlowTrainer"]
    own += ["--hook", "my_trainer:SumOfLosses"]
    return [*own, "--data", noise_folder, "--extractor", slow_module, "--cache-dir", "cache"]


@pytest.mark.parametrize(("number", "line"), [(2, "stopped by Ctrl-C"), (15, "stopped by SIGTERM")])
def test_during_an_import_a_signal_ends_the_process_immediately(python, number, line):
    done = python(
        "-c",
        f"""import os; from trainer.core import signals
with signals.handle_signals(), signals.exit_immediately():
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        os.kill(os.getpid(), {number})
    finally:
        print("it continued", flush=True)""",
    )
    assert done == (128 + number, "", f"{line}\n")


def test_asked_to_end_while_tensorflow_is_imported_it_leaves_nothing(start, options, tmp_path):
    process = start(*options, "--log-dir", "logs")
    while "libtensorflow" not in Path(f"/proc/{process.pid}/maps").read_text():
        time.sleep(0.05)
    assert ended(process, signal.SIGTERM, within=3) == "stopped by SIGTERM"
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_asked_to_end_in_any_phase_and_killed_it_ends_with_the_same_bits(
    start, run_command, options, tmp_path, came_to, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    extracting = start(*options, "--log-dir", "logs")
    read_until(extracting, "data: ")
    time.sleep(1)
    line = ended(extracting, signal.SIGINT, within=3)
    assert line.startswith("stopped by Ctrl-C; resume with: ")

    monkeypatch.setenv("WAIT", "0.02")
    training = start(*what_to_type(line))
    read_until(training, "epoch 1/8")
    line = ended(training, signal.SIGTERM, within=3)
    assert re.match(r"stopped by SIGTERM at step \d+ of 96; resume with: ", line)

    killed = start(*what_to_type(line))
    read_until(killed, "epoch 4/8")
    killed.kill()
    killed.communicate()

    monkeypatch.delenv("WAIT")
    printed, _ = start(*what_to_type(line)).communicate()
    assert "resuming from " in printed
    assert run_command(*options, "--log-dir", "whole", "--report").code == 0
    [run], [other] = tmp_path.glob("logs/slow/*"), tmp_path.glob("whole/slow/*")
    assert came_to(run) == came_to(other), printed
