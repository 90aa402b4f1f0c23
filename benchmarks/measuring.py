"""Contestants in turns, round after round, and the medians of what is measured."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

Measures = Mapping[str, float]
"""The values that one run measured, by quantity; the name of a quantity has its unit."""

Runs = Mapping[str, Sequence[Measures]]
"""All runs of each contestant, by its name."""

Medians = Mapping[str, Measures]
"""The median of every quantity, by the contestant's name."""


@dataclasses.dataclass(frozen=True)
class Folders:
    """What a benchmark finds, and where it may write."""

    data_dir: Path
    """Where TFDS has the benchmark's datasets prepared."""

    scratch: Path
    """Empty, and removed when the benchmark is done."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    """One way of doing what a benchmark measures."""

    name: str
    run: Callable[[], Measures]
    rounds: int
    """How often it runs by default: slow ones less often."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """A figure that we state, and its target."""

    what: str
    figure: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure meets its target."""
        above = self.at_least is None or self.figure >= self.at_least
        return above and (self.at_most is None or self.figure <= self.at_most)


def interleaved(
    contestants: Sequence[Contestant], rounds: int | None, report: Callable[[str], None]
) -> Runs:
    """Every contestant once a round, so that other load on the machine affects them all.

    Args:
        contestants: Who runs, in this order.
        rounds: How often each runs; its own number where it is None.
        report: Is called with one line for each run.
    """
    runs: dict[str, list[Measures]] = {contestant.name: [] for contestant in contestants}
    for contestant in _turns(contestants, rounds):
        measures = contestant.run()
        runs[contestant.name].append(measures)
        shown = ", ".join(f"{value:.4g} {quantity}" for quantity, value in measures.items())
        report(f"{contestant.name}: {shown}")
    return runs


def medians(runs: Runs) -> Medians:
    """The median run of each contestant, quantity by quantity."""
    return {
        name: {key: statistics.median(run[key] for run in of_one) for key in of_one[0]}
        for name, of_one in runs.items()
    }


def warmed_up(contestants: Sequence[Contestant]) -> Sequence[Contestant]:
    """The same, after one run of each that is not measured: graphs are traced and compiled then."""
    for contestant in contestants:
        contestant.run()
    return contestants


def milliseconds_per_step(run: Callable[[], object], steps: int) -> Callable[[], Measures]:
    """A run of so many steps, timed."""

    def timed() -> Measures:
        began = time.perf_counter()
        run()
        return {"ms a step": (time.perf_counter() - began) / steps * 1e3}

    return timed


def images_per_second(run: Callable[[], object], images: int) -> Callable[[], Measures]:
    """A run over so many images, timed."""

    def timed() -> Measures:
        began = time.perf_counter()
        run()
        return {"images/s": images / (time.perf_counter() - began)}

    return timed


def _turns(contestants: Sequence[Contestant], rounds: int | None) -> Iterator[Contestant]:
    rounds_of = [contestant.rounds if rounds is None else rounds for contestant in contestants]
    for number in range(max(rounds_of)):
        for contestant, most in zip(contestants, rounds_of, strict=True):
            if number < most:
                yield contestant
