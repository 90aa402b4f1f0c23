"""A table that changes while work lasts: on a terminal, and only there."""

import io

import pytest
from rich.console import Console

from trainer.report.display import Display, Table
from trainer.report.live_table import live_table

TABLE = Table("point", {"7": {"accuracy": "0.9300"}})


def shown(terminal, quiet=False):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80)
    with Display(console, quiet).shown(), live_table() as show:
        show("3 done", TABLE)
    return file.getvalue()


def test_a_terminal_shows_the_line_and_the_table():
    text = shown(terminal=True)
    assert "3 done" in text
    assert "0.9300" in text


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_a_file_or_a_quiet_command_shows_nothing(terminal, quiet):
    assert "0.9300" not in shown(terminal, quiet)


def test_without_a_display_nothing_happens():
    with live_table() as show:
        show("3 done", TABLE)
