"""The commands without the noise of TensorFlow's start-up."""

import platform

import pytest

TASK = """
import keras
import tensorflow as tf
import tensorflow_datasets
import tensorflow_hub
from trainer import Task

class Cats(Task):
    dataset = "cats_vs_dogs"

    def head(self, classes):
        return keras.Sequential([keras.layers.Dense(classes)])
"""

IMPORT = """
import os, sys
from trainer.core import tensorflow_import
tensorflow_import.import_tensorflow()
print("after", file=sys.stderr)
print(os.environ["TF_CPP_MIN_LOG_LEVEL"])
"""

WARN = """
from trainer.core import tensorflow_import
tensorflow_import.import_tensorflow()
import tensorflow as tf

for number in range(9):
    tf.function(lambda: number)()  # nine graphs of one line
tf.get_logger().warning("AutoGraph could not transform it")
"""


def test_a_whole_run_writes_nothing_to_standard_error(
    python, tmp_path, cats_and_dogs, vector_module
):
    (tmp_path / "my_tasks.py").write_text(TASK)
    options = f"--task my_tasks:Cats --data {cats_and_dogs} --extractor {vector_module} --epochs 1"
    done = python("-m", "trainer.run", *options.split())
    assert (done.code, done.err) == (0, "")


def test_standard_error_is_back_after_the_import(python):
    assert python("-c", IMPORT).err == "after\n"


def test_a_log_level_of_the_users_stands(python):
    assert python("-c", IMPORT, TF_CPP_MIN_LOG_LEVEL="1").out == "1\n"


def test_of_tensorflows_warnings_that_of_retracing_alone_is_left_out(python):
    assert python("-c", WARN).err == "WARNING:tensorflow:AutoGraph could not transform it\n"


# oneDNN.

ONEDNN = """
import os
if os.environ["TF_ENABLE_ONEDNN_OPTS"] == "unset":
    del os.environ["TF_ENABLE_ONEDNN_OPTS"]
import trainer
from trainer.core.tensorflow_import import onednn_enabled
print(os.environ["TF_ENABLE_ONEDNN_OPTS"], onednn_enabled())
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not on every processor")
@pytest.mark.parametrize(("users", "expected"), [("unset", "1 True"), ("0", "0 False")])
def test_onednn_is_on_unless_the_user_turns_it_off(python, users, expected):
    assert python("-c", ONEDNN, TF_ENABLE_ONEDNN_OPTS=users).out == f"{expected}\n"


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
