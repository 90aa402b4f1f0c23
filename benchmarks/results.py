"""What a benchmark has shown: kept as JSON, and put into the tables that people read."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring import Claim, Runs, medians
from trainer import UserError
from trainer.report.result import write_json

Table = Mapping[str, Mapping[str, str]]
"""A row for each name, a column for each of the values' names."""


@dataclasses.dataclass(frozen=True)
class Result:
    """Every run of one benchmark, and what is claimed of them."""

    runs: Runs
    claims: Sequence[Claim]
    circumstances: str
    """When, on what machine, with which releases."""


Results = Mapping[str, Result]
"""By the benchmark's name."""


def load_results(path: Path) -> Results:
    """What a file holds; nothing where there is none yet.

    Raises:
        UserError: the file is not one of results.
    """
    try:
        content = json.loads(path.read_bytes()) if path.exists() else {}
        return {name: _result(**kept) for name, kept in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"--results {path}: no file of results ({error}); name another") from error


def keep_result(path: Path, name: str, result: Result) -> Results:
    """Put a benchmark's result into a file, in the place of an older one; returns all it holds."""
    results = {**load_results(path), name: result}
    write_json(path, {key: dataclasses.asdict(kept) for key, kept in results.items()})
    return results


def run_table(result: Result) -> Table:
    """The medians of every contestant, and of how many runs they are."""
    return {
        name: {quantity: in_digits(value) for quantity, value in measures.items()}
        | {"runs": str(len(result.runs[name]))}
        for name, measures in medians(result.runs).items()
    }


def claim_table(result: Result) -> Table:
    """What is claimed, the figure, and its target."""
    return {
        claim.what: {"figure": in_digits(claim.figure), "target": _target(claim)}
        for claim in result.claims
    }


def in_digits(value: float) -> str:
    """Three digits of a number, or all of those before the point: "0.917", "1.31", "1,920"."""
    before_the_point = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{value:,.{min(3, max(0, 3 - before_the_point))}f}"


def _target(claim: Claim) -> str:
    bounds = {"at least": claim.at_least, "at most": claim.at_most}
    asked = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
    return f"{asked}: {'met' if claim.holds else 'missed'}" if asked else ""


def _result(runs: Runs, claims: Sequence[Mapping[str, object]], circumstances: str) -> Result:
    return Result(runs, [Claim(**claim) for claim in claims], circumstances)  # type: ignore[arg-type]
