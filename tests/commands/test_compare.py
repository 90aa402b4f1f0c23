"""`python -m trainer.compare`, on three runs of noise whose classes have another tint each."""

import csv
import io
import json

import pytest

from trainer import command_line, compare, run


@pytest.fixture(scope="module")
def logs(tmp_path_factory, noise_folder, vector_module):
    """Three runs, "short", "long" and "slow", and one that is not finished."""
    folder = tmp_path_factory.mktemp("compare")
    small = ["--log-dir", folder / "logs", "--cache-dir", folder / "cache", "--task", "folder"]
    small += ["--data", noise_folder, "--extractor", vector_module, "--image-size", 8]
    small += ["--jit", "off", "--batch-size", 16, "--no-report"]
    for name, *options in (
        ("short", "--epochs", 1),
        ("long", "--epochs", 15, "--learning-rate", 0.03),
        ("slow", "--epochs", 1, "--learning-rate", 1e-5),
    ):
        arguments = [*small, "--run-name", name, *options]
        assert command_line.exit_code(run.main, list(map(str, arguments))) == 0
    unfinished = folder / "logs" / "folder" / "unfinished"
    unfinished.mkdir()
    (unfinished / "config.json").write_bytes(
        (folder / "logs/folder/short/config.json").read_bytes()
    )
    return folder / "logs" / "folder"


@pytest.fixture
def compared(capfd):
    def compared(*options):
        capfd.readouterr()
        code = command_line.exit_code(compare.main, list(map(str, options)))
        return code, *capfd.readouterr()

    return compared


def test_the_options_that_differ_stand_beside_what_came_out(compared, logs):
    code, out, err = compared(logs, "--json")
    assert code == 0
    assert err.splitlines()[0] == f"warning: {logs / 'unfinished'} is not finished; it is left out"
    rows = json.loads(out)["runs"]
    assert {row["run"] for row in rows} == {"short", "long", "slow"}
    for row in rows:
        result = json.loads((logs / row["run"] / "result.json").read_text())
        assert row["accuracy"] == result["metrics"]["test"]["accuracy"]
        assert row["learning_rate"] == result["config"]["learning_rate"]
        assert set(row) == {
            *("run", "epochs", "learning_rate", "loss", "accuracy", "steps", "seconds")
        }


@pytest.mark.parametrize(("metric", "sign"), [("accuracy", -1), ("loss", 1)])
def test_the_best_comes_first(compared, logs, metric, sign):
    code, out, _ = compared(logs, "--json", "--sort-by", metric)
    values = [sign * row[metric] for row in json.loads(out)["runs"]]
    assert code == 0
    assert values == sorted(values)


def test_of_two_mcnemars_test_tells_whether_one_is_better(compared, logs):
    code, out, err = compared(logs / "long", logs / "slow", "--json")
    assert code == 0
    content = json.loads(out)
    right = {row["run"]: round(30 * row["accuracy"]) for row in content["runs"]}
    first, second = (row["run"] for row in content["runs"])
    test = content["mcnemar"]
    assert test["only_first_right"] - test["only_second_right"] == right[first] - right[second]
    assert 0 <= test["p_value"] <= 1
    assert "McNemar's test" in err


def test_people_get_a_table(compared, logs):
    code, out, err = compared(logs / "long", logs / "slow")
    assert (code, err) == (0, "")
    assert "learning_rate" in out
    assert "McNemar's test: " in out


def test_csv_has_a_row_a_run(compared, logs):
    code, out, _ = compared(logs, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert {row["run"] for row in rows} == {"short", "long", "slow"}


def test_a_metric_that_no_run_has_is_one_line(compared, logs):
    code, _, err = compared(logs / "long", logs / "slow", "--sort-by", "acuracy")
    assert code == 2
    assert err == (
        "error: --sort-by acuracy: no such metric; did you mean accuracy? There are loss,"
        " accuracy\n"
    )


def test_one_run_is_too_few(compared, logs):
    code, _, err = compared(logs / "long")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: there are 1 finished runs in")


def test_a_folder_without_runs_is_one_line(compared, tmp_path):
    code, _, err = compared(tmp_path)
    assert (code, err) == (
        2,
        f"error: {tmp_path}: there is no run in it; choose LOG_DIR/<task>, or a run of it\n",
    )
