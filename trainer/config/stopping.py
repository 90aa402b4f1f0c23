"""Options that stop training before its last epoch."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from trainer.config import conditions
from trainer.config.bounds import AtLeast, Options, positive


@dataclasses.dataclass(frozen=True, kw_only=True)
class StoppingOptions(Options):
    """What ends training early."""

    stop_at: Annotated[tuple[str, ...], conditions.parse_all] = ()
    """Stop at the end of the epoch in which all of these hold: "accuracy>=0.9", "loss<0.4",
    "validation/accuracy>=0.9"; quoted, because a shell interprets > and <."""

    patience: Annotated[int | None, AtLeast(1)] = None
    """Stop after this many epochs without a better validation; the best weights are the final
    ones."""

    max_minutes: Annotated[float | None, positive] = None
    """Stop training after this many minutes, within an epoch too."""
