"""The commands without the noise of TensorFlow's start-up."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.core.tensorflow_import import import_tensorflow

ROOT = Path(__file__).parents[2]

PROGRAM = """
import os, sys

os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
from trainer.core import tensorflow_import

tensorflow_import.import_tensorflow()
import tensorflow as tf

print(tensorflow_import.onednn_enabled())
print("after the import", file=sys.stderr)
for number in range(9):
    tf.function(lambda: number)()  # nine graphs of one line
tf.get_logger().warning("AutoGraph could not transform it")
"""


@pytest.fixture(scope="module")
def imported():
    """What a program writes that imports TensorFlow as the commands do."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)


def test_standard_error_is_back_after_the_import_which_wrote_nothing(imported):
    assert imported.stderr.splitlines()[0] == "after the import"


def test_of_tensorflows_warnings_that_of_retracing_alone_is_left_out(imported):
    warnings = imported.stderr.splitlines()[1:]
    assert warnings == ["WARNING:tensorflow:AutoGraph could not transform it"]


def test_a_log_level_of_the_users_stands(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    import_tensorflow()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "1"


# oneDNN.


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not on every processor")
def test_onednn_is_on(imported):
    assert imported.stdout == "True\n"


def test_a_user_can_turn_onednn_off(python):
    program = "import os, trainer; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert python("-c", program, TF_ENABLE_ONEDNN_OPTS="0").out == "0\n"


IMPORTED_BEFORE = """
import os
del os.environ["TF_ENABLE_ONEDNN_OPTS"]
import tensorflow
from tensorflow.python.util import _pywrap_util_port
import trainer
print(_pywrap_util_port.IsMklEnabled())
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not on every processor")
def test_a_script_that_imports_tensorflow_first_is_warned_where_onednn_is_off(python):
    done = python("-c", IMPORTED_BEFORE, TF_ENABLE_ONEDNN_OPTS="1", TF_CPP_MIN_LOG_LEVEL="3")
    warned = "tensorflow was imported before trainer" in done.err
    assert warned == (done.out == "False\n")
