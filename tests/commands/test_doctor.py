"""`trainer doctor`: what there is, what is wrong with it, and what to type."""

import json
import re
import sys

import pytest

from trainer import command_line, doctor


@pytest.fixture
def run_doctor(tmp_path, capsys):
    """Runs the command on folders in tmp_path: (exit code, standard output, standard error)."""

    def run(*options):
        folders = ["--log-dir", str(tmp_path / "logs"), "--cache-dir", str(tmp_path / "cache")]
        code = command_line.exit_code(doctor.main, [*folders, *options])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def broken_tensorflow(tmp_path, monkeypatch):
    (tmp_path / "broken" / "tensorflow").mkdir(parents=True)
    module = tmp_path / "broken" / "tensorflow" / "__init__.py"
    module.write_text("raise ImportError('libcudart.so: no such file')")
    monkeypatch.syspath_prepend(tmp_path / "broken")


def test_on_a_machine_that_trains_nothing_stops_a_run(run_doctor):
    """This one, which runs the tests: TensorFlow is imported, and its devices are listed."""
    code, out, _ = run_doctor("--json")
    found = json.loads(out)
    assert code == 0
    assert not [problem for problem in found["problems"] if problem["stops_runs"]]
    assert found["imports"]["errors"] == {}
    assert "CPU:0" in found["imports"]["devices"]


def test_with_a_broken_tensorflow_all_the_rest_is_shown(run_doctor, broken_tensorflow):
    code, out, error = run_doctor()
    assert code == 2
    shown = ["processor", "vector instructions", "memory", "--cache-dir", "numpy", sys.executable]
    assert [name for name in shown if name not in out] == []
    assert re.search(r"tensorflow +\S+, cannot be imported", out)
    [told] = re.findall("^error: .*$", out, re.MULTILINE)
    assert told.startswith(
        "error: tensorflow cannot be imported (ImportError: libcudart.so: no such file); "
    )
    assert error == "error: 1 of these would stop a run; fix each as its line says\n"


def test_a_folder_that_cannot_be_written_is_told(run_doctor, broken_tensorflow, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, _ = run_doctor("--log-dir", str(tmp_path / "file" / "logs"), "--json")
    remedies = [p["remedy"] for p in json.loads(out)["problems"] if p["stops_runs"]]
    assert code == 2
    assert "choose another with --log-dir" in remedies


def test_it_leaves_nothing_behind(run_doctor, broken_tensorflow, tmp_path):
    run_doctor()
    assert [path.name for path in tmp_path.iterdir()] == ["broken"]


def test_the_cached_features_are_measured(run_doctor, broken_tensorflow, tmp_path):
    folder = tmp_path / "cache" / "features" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "00000.vectors.npy").write_bytes(bytes(3_000_000))
    assert re.search(r"cached features .* 3\.0 ", run_doctor()[1])
