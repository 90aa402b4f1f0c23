"""The results of benchmarks: saved as JSON, and made into tables."""

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
    environment: str
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
        return {name: _result(**saved) for name, saved in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"--results {path}: no file of results ({error}); name another") from error


def save_result(path: Path, name: str, result: Result) -> Results:
    """Save a benchmark's result, in place of an older one; returns all results of the file."""
    results = {**load_results(path), name: result}
    write_json(path, {key: dataclasses.asdict(saved) for key, saved in results.items()})
    return results


def run_table(result: Result) -> Table:
    """The medians of every contestant, and the number of its runs."""
    return {
        name: {quantity: format_number(value) for quantity, value in measures.items()}
        | {"runs": str(len(result.runs[name]))}
        for name, measures in medians(result.runs).items()
    }


def claim_table(result: Result) -> Table:
    """Every claim, its figure and its target."""
    return {
        claim.what: {"figure": format_number(claim.figure), "target": _target(claim)}
        for claim in result.claims
    }


def format_number(value: float) -> str:
    """Three digits of a number, or all of those before the point: "0.917", "1.31", "1,920"."""
    before_the_point = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{value:,.{min(3, max(0, 3 - before_the_point))}f}"


def _target(claim: Claim) -> str:
    targets = {"at least": claim.at_least, "at most": claim.at_most}
    target = " and ".join(
        f"{word} {bound:g}" for word, bound in targets.items() if bound is not None
    )
    return f"{target}: {'met' if claim.holds else 'missed'}" if target else ""


def _result(runs: Runs, claims: Sequence[Mapping[str, object]], environment: str) -> Result:
    return Result(runs, [Claim(**claim) for claim in claims], environment)  # type: ignore[arg-type]
