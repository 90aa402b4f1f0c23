"""The console script: `trainer run …` is `python -m trainer.run …`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from trainer import command_line
from trainer.core.errors import UserError

COMMANDS = ("run", "export", "cache")


def main() -> None:
    """Run the command named first, with the options behind it."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print(f"usage: trainer {{{','.join(COMMANDS)}}} [options]; --help behind one lists them")
        sys.exit(0)
    sys.exit(command_line.exit_code(lambda options: _dispatch(name, options), arguments))


def _dispatch(name: str, options: Sequence[str]) -> None:
    if name not in COMMANDS:
        raise UserError(f"there is no command {name!r}; there is {', '.join(COMMANDS)}")
    importlib.import_module(f"trainer.{name}").main(options)


if __name__ == "__main__":
    main()
