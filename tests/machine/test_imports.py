"""Whether TensorFlow can be imported is found out in a process of its own."""

import pytest

from trainer.machine.imports import inspect_imports


@pytest.fixture
def tensorflow_that(tmp_path, monkeypatch):
    """Puts a package called tensorflow before all others, with this code in it."""

    def write(code):
        (tmp_path / "tensorflow").mkdir()
        (tmp_path / "tensorflow" / "__init__.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)

    return write


def test_the_error_of_a_broken_import_is_one_line(tensorflow_that):
    tensorflow_that("raise ImportError('libtensorflow.so: cannot open\\nFailed to load')")
    found = inspect_imports()
    assert found.errors["tensorflow"] == "ImportError: libtensorflow.so: cannot open"
    assert (found.devices, found.onednn) == ((), None)


def test_a_process_that_the_import_kills_is_told_by_its_signal(tensorflow_that):
    tensorflow_that("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert inspect_imports().errors == {"tensorflow": "the import is ended by SIGILL"}
