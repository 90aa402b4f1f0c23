"""Text of others for a terminal: names of files and classes may hold more than letters."""

from __future__ import annotations

import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of controls, formats, lone surrogates, and breaks of lines: escape
sequences, words turned round, the bytes of a name that is not UTF-8."""

_JOINERS = "\u200c\u200d"
"""Formats that names in Persian, Hindi and emoji are spelt with, and that do nothing else."""


def printable(text: str) -> str:
    r"""The text on one line, in which nothing moves, colours or hides: \x1b where a terminal obeys.

    What Python writes in a string literal stands for each such character.
    """
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode()
