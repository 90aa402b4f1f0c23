"""docs/benchmarks.md: tables between marks are filled, and the prose is unchanged."""

import pytest

from benchmarks import page
from benchmarks.measuring import Claim
from benchmarks.page import PAGE, check_sections, fill_page, markdown_tables, replace_section
from benchmarks.results import Result, save_result
from benchmarks.suite import NAMES
from trainer import UserError, command_line

EMPTY = """\
Prose.

<!-- head -->
<!-- /head -->

More prose.

<!-- images -->
old
<!-- /images -->
"""


@pytest.fixture
def result():
    return Result(
        {"Keras fit": [{"ms a step": 4.2}], "ours": [{"ms a step": 0.6}]},
        [Claim("times as fast", 7.0, at_least=6)],
        "today, here",
    )


@pytest.fixture
def path(tmp_path):
    (tmp_path / "page.md").write_text(EMPTY)
    return tmp_path / "page.md"


def test_the_content_between_the_marks_is_replaced():
    assert replace_section(EMPTY, "images", "new\n") == EMPTY.replace("old", "new")


def test_backslashes_in_results_are_written_as_they_are():
    assert replace_section(EMPTY, "head", r"\1 \g<2>" "\n").count(r"\1 \g<2>") == 1


def test_the_page_is_filled_with_the_results_of_a_file(path, result):
    fill_page(path, {"head": result})
    assert path.read_text() == EMPTY.replace(
        "<!-- head -->\n", f"<!-- head -->\n{markdown_tables(result)}"
    )


def test_filling_it_again_changes_nothing(path, result):
    fill_page(path, {"head": result})
    once = path.read_text()
    fill_page(path, {"head": result})
    assert path.read_text() == once


def test_tables_are_written_in_markdown(result):
    assert markdown_tables(result) == (
        "| medians | ms a step | runs |\n"
        "| --- | ---: | ---: |\n"
        "| Keras fit | 4.20 | 1 |\n"
        "| ours | 0.600 | 1 |\n"
        "\n"
        "| claim | figure | target |\n"
        "| --- | ---: | ---: |\n"
        "| times as fast | 7.00 | at least 6: met |\n"
        "\n"
        "today, here\n"
    )


def test_a_page_without_the_marks_is_refused(path, result):
    with pytest.raises(UserError, match="no <!-- growth --> and <!-- /growth -->"):
        fill_page(path, {"growth": result})
    assert path.read_text() == EMPTY


def test_the_page_has_the_marks_of_every_benchmark():
    check_sections(PAGE, NAMES)


def test_the_page_is_filled_from_saved_results_alone(path, result, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PAGE", path)
    save_result(tmp_path / "results.json", "head", result)
    assert command_line.exit_code(page.main, [str(tmp_path / "results.json")]) == 0
    assert "| ours | 0.600 | 1 |" in path.read_text()
