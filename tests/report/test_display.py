import io

import pytest
from rich.console import Console
from trainer.report.progress import Display, in_words

from trainer.core.text import printable


def shown(terminal: bool) -> tuple[Display, io.StringIO]:
    printed = io.StringIO()
    return Display(Console(file=printed, force_terminal=terminal, width=120)), printed


def test_a_line_is_printed_as_it_is():
    display, printed = shown(terminal=False)
    display.say("[bold]a path[/]/" + 200 * "x")
    assert printed.getvalue() == "[bold]a path[/]/" + 200 * "x" + "\n"


def test_on_a_terminal_the_bar_shows_how_many_are_done():
    display, printed = shown(terminal=True)
    with display.bar("extracting train", "images") as bar:
        bar(32, 1835)
    assert "extracting train" in printed.getvalue()
    assert "32/1,835" in printed.getvalue()
    assert "images/s" in printed.getvalue()


def test_on_a_terminal_the_bar_shows_its_note():
    display, printed = shown(terminal=True)
    with display.bar("training", "steps") as bar:
        bar(5, 10, "loss 0.5")
    assert "loss 0.5" in printed.getvalue()


def test_off_a_terminal_there_is_no_bar():
    display, printed = shown(terminal=False)
    with display.bar("training", "steps") as bar:
        bar(5, 10)
    assert printed.getvalue().strip() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_table_has_a_line_for_each_row(terminal):
    display, printed = shown(terminal)
    display.table("split", {"train": {"loss": "0.1"}, "test": {"loss": "0.2", "auc": "0.9"}})
    lines = [line.split() for line in printed.getvalue().splitlines() if "0." in line]
    assert len(lines) == 2


def test_metrics_in_words_are_loss_and_accuracy():
    metrics = {"auc": 0.9, "accuracy": 0.98765, "loss": 0.1}
    assert in_words(metrics) == "loss 0.1000 accuracy 0.9877"


NAMES = ["[/]", "[red]cat", ":cat:", "\x1b[31mred", "a\nb", "caf\udce9"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("show", ["say", "table"])
def test_a_name_is_shown_as_text_whatever_it_holds(name, show):
    display, printed = shown(terminal=False)
    display.say(name) if show == "say" else display.table(name, {name: {name: name}})
    words = printed.getvalue()
    assert printable(name) in words
    assert words.replace("\n", "").isprintable()


def test_a_console_that_lacks_a_letter_is_shown_its_number():
    printed = io.TextIOWrapper(io.BytesIO(), "ascii")
    Display(Console(file=printed)).say("Ærø")
    printed.flush()
    assert printed.buffer.getvalue() == rb"\xc6r\xf8" + b"\n"
