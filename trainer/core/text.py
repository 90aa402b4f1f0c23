"""Text for people: on one line, safe for a terminal, with the nearest name for a mistyped one."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of controls, formats, lone surrogates, and line breaks: escape sequences,
text direction, the bytes of a name that is not UTF-8."""

_JOINERS = "\u200c\u200d"
"""Format characters that names in Persian, Hindi and emoji need, and that do nothing else."""


def printable(text: str) -> str:
    r"""The text on one line, with \x1b and the like in place of what a terminal would obey.

    Such a character is written as Python writes it in a string literal.
    """
    return "".join(map(_printable_character, text))


def first_line(error: BaseException) -> str:
    """The first line of an error's text; the error's type where it has no text."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def nearest_name(name: str, choices: Collection[str]) -> str | None:
    """The choice that is most like a name; None where none is like it."""
    return next(iter(difflib.get_close_matches(name, choices, n=1)), None)


def did_you_mean(name: str, choices: Collection[str], prefix: str = "") -> str:
    """What to add to an error about an unknown name: the nearest choice, and all of them.

    ```python
    did_you_mean("rose", ["roses", "tulips"])  # "did you mean roses? There are roses, tulips"
    ```
    """
    nearest = nearest_name(name, choices)
    listed = ", ".join(choices)
    return (
        f"did you mean {prefix}{nearest}? There are {listed}" if nearest else f"there are {listed}"
    )


def _printable_character(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode()
