"""review.html: the findings with their images, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer.data.thumbnails import thumbnails
from trainer.report.page import PageImage, PageSection, write_page
from trainer.reviewing.findings import Review

SHOWN = 48
"""So many of each kind; all are in the CSV."""

THUMBNAIL_SIDE = 128
"""Pixels."""


def write_review_page(path: Path, review: Review, command: str) -> None:
    """One file that needs no network.

    Args:
        path: The file.
        review: What it shows.
        command: What finds the same again.

    Raises:
        OSError: it cannot be written.
    """
    examples = review.examples
    content = {
        "title": f"Review of {examples.about}",
        "subtitle": f"{examples.split.examples:,} images; nothing of them was changed",
        "numbers": {name: f"{count:,}" for name, count in review.counts().items()},
        "command": command,
        "sections": [_label_section(review), *_duplicate_sections(review), _odd_section(review)],
    }
    write_page(path, "report.html.j2", content)


def _label_section(review: Review) -> PageSection:
    shown = review.label_errors[:SHOWN]
    text = (
        "A model that has not learned from these images says something else of them, and is sure"
        f" of it. {_how_many(len(shown), len(review.label_errors))}"
    )
    lines = [
        [f"{error.label}, or {error.suggestion}?", f"score {error.score:.3f}"] for error in shown
    ]
    images = _images(review, [[error.position] for error in shown], lines)
    return PageSection("Likely wrong labels", text, images=images)


def _duplicate_sections(review: Review) -> Iterator[PageSection]:
    titles = {
        "Near-duplicates across splits": (
            True,
            "A model is tested on what it has learned, and its result is too good.",
        ),
        "Near-duplicates within a split": (False, "Each counts as often as it is there."),
    }
    for title, (across, meaning) in titles.items():
        pairs = [p for p in review.duplicates if review.is_across_splits(*p[:2]) == across]
        shown = pairs[:SHOWN]
        lines = [[f"cosine {cosine:.3f}"] for _, _, cosine in shown]
        images = _images(review, [[one, other] for one, other, _ in shown], lines)
        yield PageSection(title, f"{meaning} {_how_many(len(shown), len(pairs))}", images=images)


def _odd_section(review: Review) -> PageSection:
    odd, distances = review.neighbours.odd_ones, review.neighbours.distances
    shown = [int(position) for position in odd[:SHOWN]]
    lines = [[f"distance {distances[position]:.3f}"] for position in shown]
    text = f"Far from all others, the farthest first. {_how_many(len(shown), len(odd))}"
    images = _images(review, [[position] for position in shown], lines)
    return PageSection("Odd ones out", text, images=images)


def _how_many(shown: int, found: int) -> str:
    if not found:
        return "There are none."
    return f"All {found:,}." if shown == found else f"The first {shown:,} of {found:,}."


def _images(
    review: Review, groups: Sequence[Sequence[int]], lines: Sequence[Sequence[str]]
) -> list[PageImage]:
    """Each group of examples side by side, with its lines and one for each example."""
    examples, positions = review.examples, [place for group in groups for place in group]
    if not positions:
        return []
    small = dict(zip(positions, thumbnails(examples.split, positions, THUMBNAIL_SIDE), strict=True))
    return [
        PageImage([small[p].jpeg for p in group], [*text, *(_about(review, p) for p in group)])
        for group, text in zip(groups, lines, strict=True)
    ]


def _about(review: Review, position: int) -> str:
    examples = review.examples
    split, file = examples.split_names[position], examples.split.describe(position)
    return f"{examples.label_of(position)} in {split}: {file}"
