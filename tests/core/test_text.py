"""Names of files and classes reach a terminal as text, whatever is in them."""

import os

import pytest

from trainer.core.text import printable


@pytest.mark.parametrize(
    "text", ["photos/cat/1 2.png", "Ærø", "犬", "क्\u200dष", "👩\u200d🌾", "[red]:cat:$(rm)"]
)
def test_what_people_write_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\r\tc\0", r"a\nb\r\tc\x00"),
        ("\x9b31m", r"\x9b31m"),  # a control sequence begins with one byte too
        ("\u202egpj.exe", r"\u202egpj.exe"),  # from right to left, "exe.jpg" is read
        ("one\u2028two", r"one\u2028two"),
        (os.fsdecode(b"caf\xe9"), r"caf\udce9"),
    ],
)
def test_what_a_terminal_would_obey_is_spelt_out(text, shown):
    assert printable(text) == shown


def test_what_is_printable_has_one_line_in_utf_8():
    text = printable("".join(map(chr, range(0x3000))) + "\ud800")
    assert len(text.encode().splitlines()) == 1
