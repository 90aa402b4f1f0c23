"""`--quiet` and `--json`, which every command has: what it writes for people, what for machines."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TextIO

import tyro

from trainer.report.display import Display


@dataclasses.dataclass(frozen=True)
class Output:
    """How a command writes. It changes nothing that is computed, and is recorded nowhere.

    ```python
    with output.shown():
        run = train(task, config)
    output.print_json(run.result)
    ```
    """

    quiet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show warnings and errors only."""

    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON object and nothing else to standard output; messages go to standard error."""

    @contextlib.contextmanager
    def shown(self, only_results: bool = False) -> Iterator[TextIO]:
        """While inside, messages and progress are shown; with `--json` on standard error.

        So is what hooks or libraries print inside: nothing but the object is on standard output.

        Args:
            only_results: As with `--json`, for results of another form.

        Yields:
            Standard output, for results.
        """
        results, is_kept = sys.stdout, self.json or only_results
        stdout = contextlib.redirect_stdout(sys.stderr) if is_kept else contextlib.nullcontext()
        with stdout, Display(quiet=self.quiet).shown():
            yield results

    def print_json(self, content: Mapping[str, Any]) -> None:
        """With `--json`, print the object that the command results in; otherwise nothing."""
        if self.json:
            print(json.dumps(content, indent=2))
