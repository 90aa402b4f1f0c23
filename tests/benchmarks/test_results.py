"""Results are saved in a file, benchmark by benchmark, and shown as tables."""

import json

import pytest

from benchmarks.measuring import Claim
from benchmarks.results import (
    Result,
    claim_table,
    format_number,
    load_results,
    run_table,
    save_result,
)
from trainer import UserError


@pytest.fixture
def result():
    return Result(
        runs={"ours": [{"seconds": 5.0}, {"seconds": 7.0}], "classic": [{"seconds": 282.0}]},
        claims=[
            Claim("times as fast", 47.0, at_least=50),
            Claim("times as long", 1.2, at_most=1.3),
            Claim("seconds more", 2.0),
        ],
        environment="today, here",
    )


def test_saved_results_are_loaded_again(tmp_path, result):
    save_result(tmp_path / "results.json", "head", result)
    assert load_results(tmp_path / "results.json") == {"head": result}


def test_a_new_result_replaces_that_of_the_same_benchmark_only(tmp_path, result):
    path = tmp_path / "results.json"
    newer = Result(result.runs, [], "tomorrow, here")
    save_result(path, "head", result)
    save_result(path, "images", result)
    assert save_result(path, "head", newer) == {"head": newer, "images": result}


def test_every_single_run_is_in_the_file(tmp_path, result):
    save_result(tmp_path / "results.json", "head", result)
    saved = json.loads((tmp_path / "results.json").read_text())
    assert saved["head"]["runs"]["ours"] == [{"seconds": 5.0}, {"seconds": 7.0}]


def test_a_missing_file_has_no_results(tmp_path):
    assert load_results(tmp_path / "results.json") == {}


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"head": {"runs": {}}}', '{"head": 3}'])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "results.json").write_text(content)
    with pytest.raises(UserError, match=r"results\.json: no file of results"):
        load_results(tmp_path / "results.json")


def test_a_table_of_runs_shows_medians_and_the_number_of_runs(result):
    assert run_table(result) == {
        "ours": {"seconds": "6.00", "runs": "2"},
        "classic": {"seconds": "282", "runs": "1"},
    }


def test_a_table_of_claims_shows_whether_each_target_is_met(result):
    assert claim_table(result) == {
        "times as fast": {"figure": "47.0", "target": "at least 50: missed"},
        "times as long": {"figure": "1.20", "target": "at most 1.3: met"},
        "seconds more": {"figure": "2.00", "target": ""},
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.91667, "0.917"),
        (0.0004, "0.000"),
        (-0.0123, "-0.012"),
        (0.0, "0.00"),
        (1.306, "1.31"),
        (47.04, "47.0"),
        (282.4, "282"),
        (1920, "1,920"),
    ],
)
def test_numbers_have_three_digits(value, shown):
    assert format_number(value) == shown
