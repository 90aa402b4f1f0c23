import io
import logging

import pytest
from rich.console import Console

from trainer.core.progress import progress_bar
from trainer.core.text import printable
from trainer.report.display import LOGGER, Display, Table, format_metrics

logger = logging.getLogger("trainer.tests")


@pytest.fixture
def display():
    """A display that is shown, and what it prints."""
    printed = io.StringIO()
    with Display(Console(file=printed, width=120)).shown():
        yield printed


@pytest.fixture
def terminal():
    """The same on a terminal."""
    printed = io.StringIO()
    with Display(Console(file=printed, force_terminal=True, width=120)).shown():
        yield printed


def test_a_message_is_printed_as_it_is(display):
    logger.info("[bold]a path[/]/%s", 200 * "x")
    assert display.getvalue() == "[bold]a path[/]/" + 200 * "x" + "\n"


def test_a_warning_says_that_it_is_one(display):
    logger.warning("a class is missing")
    assert display.getvalue() == "warning: a class is missing\n"


def test_an_error_says_that_it_is_one(display):
    logger.error("TensorFlow cannot be imported")
    assert display.getvalue() == "error: TensorFlow cannot be imported\n"


def test_messages_of_others_are_not_shown(display):
    logging.getLogger("tensorflow.tests").warning("retracing")
    assert display.getvalue() == ""


def test_afterwards_the_logger_is_as_before():
    before = (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers))
    with Display(Console(file=io.StringIO())).shown():
        assert not LOGGER.propagate
    assert (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers)) == before


def test_on_a_terminal_a_bar_shows_how_many_are_done(terminal):
    with progress_bar("extracting train", "images") as report:
        report(32, 1835)
    assert "extracting train" in terminal.getvalue()
    assert "32/1,835" in terminal.getvalue()
    assert "images/s" in terminal.getvalue()


def test_on_a_terminal_a_bar_shows_its_note(terminal):
    with progress_bar("training", "steps") as report:
        report(5, 10, "loss 0.5")
    assert "loss 0.5" in terminal.getvalue()


def test_without_a_terminal_there_is_no_bar(display):
    with progress_bar("training", "steps") as report:
        report(5, 10)
    assert display.getvalue().strip() == ""


TABLE = Table("split", {"train": {"loss": "0.1"}, "test": {"loss": "0.2", "auc": "0.9"}})


@pytest.mark.parametrize("kind", ["display", "terminal"])
def test_a_table_has_a_line_for_each_row(request, kind):
    printed = request.getfixturevalue(kind)
    logger.info(TABLE)
    lines = [line.split() for line in printed.getvalue().splitlines() if "0." in line]
    assert len(lines) == 2


def test_without_a_terminal_no_cell_of_a_table_is_wrapped(display):
    logger.info(Table("path", {"a word " * 50: {"MB": "1.0"}}))
    assert "a word " * 49 in display.getvalue()


def test_numbers_are_aligned_to_the_right_and_words_to_the_left(display):
    logger.info(Table("", {"a": {"MB": "1.0", "of": "x"}, "b": {"MB": "10.0", "of": "xyz"}}))
    lines = [line.rstrip() for line in display.getvalue().splitlines()]
    assert "  a    1.0   x" in lines
    assert "  b   10.0   xyz" in lines


def test_as_text_a_table_has_columns():
    assert str(TABLE).splitlines() == ["split  loss  auc", "train  0.1", "test   0.2   0.9"]


def test_a_line_has_room_for_loss_and_accuracy():
    metrics = {"auc": 0.9, "accuracy": 0.98765, "loss": 0.1}
    assert format_metrics(metrics) == "loss 0.1000 accuracy 0.9877"


def test_without_a_terminal_long_work_writes_a_line_now_and_then(display, monkeypatch):
    monkeypatch.setattr("trainer.report.display.SECONDS_BETWEEN_LINES", 0.0)
    with progress_bar("extracting train", "images") as report:
        report(1200, 5000, "40 images/s")
    assert display.getvalue() == "extracting train: 1,200 of 5,000  40 images/s\n"


def test_without_a_terminal_short_work_writes_nothing(display):
    with progress_bar("extracting train", "images") as report:
        report(1200, 5000)
    assert display.getvalue() == ""


NAMES = ["[/]", "[red]cat", ":cat:", "\x1b[31mred", "a\nb", "caf\udce9"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["message", "table"])
def test_a_name_is_shown_as_text_whatever_characters_it_has(display, name, kind):
    logger.info(name if kind == "message" else Table(name, {name: {name: name}}))
    words = display.getvalue()
    assert printable(name) in words
    assert words.replace("\n", "").isprintable()


def test_a_character_that_the_console_cannot_encode_is_shown_by_its_number():
    printed = io.TextIOWrapper(io.BytesIO(), "ascii")
    with Display(Console(file=printed)).shown():
        logger.info("Ærø")
    printed.flush()
    assert printed.buffer.getvalue() == rb"\xc6r\xf8" + b"\n"
