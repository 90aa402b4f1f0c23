"""`python -m benchmarks`: reports what is missing before it measures what is asked for."""

import json

import pytest

from benchmarks import __main__ as command
from benchmarks import suite
from benchmarks.measuring import Claim
from benchmarks.results import Result
from benchmarks.suite import NAMES
from trainer import command_line


@pytest.fixture
def measured(monkeypatch):
    """The names of the benchmarks that were run, in order; each is faked."""
    names = []

    def measure(name, rounds, data_dir):
        names.append(name)
        return Result({"ours": [{"seconds": 5.0}]}, [Claim("faster", 7.0)], "today, here")

    monkeypatch.setattr(command, "measure", measure)
    return names


@pytest.fixture
def data_dir(tmp_path):
    """A folder in which TFDS would find all datasets."""
    for dataset in set(suite.DATASETS.values()):
        (tmp_path / dataset).mkdir(parents=True)
        (tmp_path / dataset / "dataset_info.json").touch()
    return tmp_path


@pytest.fixture
def with_scikit_learn(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)


def benchmarks(*arguments):
    return command_line.exit_code(command.main, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hed"], "invalid choice 'hed' for argument 'names'"),
        (["head", "--rounds", "0"], "--rounds must be at least 1, not 0"),
        (["images", "--data-dir", "nowhere"], "images reads horses_or_humans/3.0.0 of TFDS,"),
        (["head", "growth", "--data-dir", "nowhere"], "growth reads tf_flowers/3.0.1 of TFDS,"),
        (["head", "--results", __file__], f"--results {__file__}: no file of results"),
    ],
)
def test_a_mistake_is_reported_on_one_line_before_anything_is_measured(
    measured, capfd, arguments, message
):
    assert benchmarks(*arguments) == 2
    error = capfd.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1
    assert measured == []


@pytest.mark.parametrize(
    ("name", "package"), [("flowers", "scikit-learn"), ("augmentation", "SciPy")]
)
def test_a_benchmark_without_its_package_is_refused(
    measured, data_dir, monkeypatch, capsys, name, package
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert benchmarks(name, "--data-dir", data_dir) == 2
    assert capsys.readouterr().err.startswith(f"error: {name} needs {package};")
    assert measured == []


def test_all_benchmarks_are_run_when_none_is_named(measured, data_dir, with_scikit_learn):
    assert benchmarks("--data-dir", data_dir) == 0
    assert measured == list(NAMES)


def test_named_benchmarks_are_run_in_the_given_order(measured, data_dir):
    assert benchmarks("startup", "head", "--data-dir", data_dir) == 0
    assert measured == ["startup", "head"]


def test_the_head_benchmark_needs_no_data(measured):
    assert benchmarks("head", "--data-dir", "nowhere") == 0
    assert measured == ["head"]


def test_the_default_data_dir_is_that_of_tfds(measured, data_dir, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    assert benchmarks("growth") == 0
    assert measured == ["growth"]


def test_tables_are_printed(measured, capsys):
    benchmarks("head")
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("ours", "5.00", "faster", "7.00", "today, here"))


def test_the_page_is_unchanged_without_a_results_file(measured, monkeypatch):
    monkeypatch.setattr(command, "fill_page", pytest.fail)
    assert benchmarks("head") == 0


def test_results_are_saved_and_fill_the_page(measured, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text("<!-- head -->\n<!-- /head -->\n")
    monkeypatch.setattr(command, "PAGE", page)
    assert benchmarks("head", "--results", tmp_path / "results.json") == 0
    assert list(json.loads((tmp_path / "results.json").read_text())) == ["head"]
    assert "| ours | 5.00 | 1 |" in page.read_text()


@pytest.mark.slow
def test_the_head_benchmark_runs_and_prints_its_claims(python):
    done = python("-m", "benchmarks", "head", "--rounds", "1")
    assert done.code == 0, done.err
    for claim in ("as fast as Keras fit", "as fast as the Orbit-style tf.while", "bare matrix"):
        assert claim in done.out
