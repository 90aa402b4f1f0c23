"""What a finished run shows: report.html, its pictures, and TensorBoard's figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.core import atomic
from trainer.core.run_folder import RunFolder
from trainer.data.json_cache import JsonCache
from trainer.data.splits import Split
from trainer.data.thumbnails import Thumbnail, thumbnails
from trainer.evaluation.classes import confusion_matrix, worst_confusions
from trainer.evaluation.mistakes import example_lines, mistakes
from trainer.evaluation.outputs import SINGLE_OUTPUT, Output
from trainer.report.display import Table
from trainer.report.figures.classes import MOST_LINES, class_counts, shown_classes
from trainer.report.figures.gallery import image_grid
from trainer.report.figures.outputs import NamedFigure, output_figures
from trainer.report.figures.style import as_svg
from trainer.report.figures.training import training_curves
from trainer.report.measures import measure_table
from trainer.report.page import PageFigure, PageImage, PageSection, write_page
from trainer.report.result import metrics_table
from trainer.report.summaries import Summaries
from trainer.results.outcome import Outcome

SHOWN_MISTAKES = 24
SHOWN_CONFUSIONS = 10
THUMBNAIL_SIDE = 128
"""Pixels."""


@dataclasses.dataclass(frozen=True)
class ReportedOutput:
    """One output of the test split, and all that is shown of it."""

    name: str
    output: Output
    figures: Sequence[NamedFigure]
    worst: Sequence[int]
    """The positions of the mistakes that are shown."""

    images: Sequence[Thumbnail]
    """Of these examples; none where the data are no images."""

    def tag(self, name: str) -> str:
        """What TensorBoard and files call a figure of this output."""
        return name if self.name == SINGLE_OUTPUT else f"{self.name}_{name}"


class Report:
    """Shows the outputs of the test split, with the best weights.

    All methods raise an OSError or a UserError where nothing can be written.
    """

    def __init__(self, outcome: Outcome, test: Split | None, cache: JsonCache) -> None:
        """Draw the figures, and find the worst mistakes.

        Args:
            outcome: What training came to.
            test: The examples of the test split, where they are images.
            cache: Of thumbnails.
        """
        self._outcome, self._test, self._cache = outcome, test, cache
        evaluated = outcome.evaluated
        uncalibrated = evaluated.uncalibrated["test"].outputs
        self._outputs = [
            self._reported(name, output, uncalibrated[name])
            for name, output in evaluated.splits["test"].outputs.items()
        ]

    def write_to_tensorboard(self, summaries: Summaries) -> None:
        """The figures, the mistakes and the PR curves, at the step of the best weights."""
        step = self._outcome.best_step
        for one in self._outputs:
            for named in one.figures:
                summaries.write_image("test", step, one.tag(named.name), named.png)
            if one.images:
                captions = ["\n".join(example_lines(one.output, place)) for place in one.worst]
                grid = image_grid([image.pixels for image in one.images], captions, columns=6)
                summaries.write_image("test", step, one.tag("mistakes"), grid)
            if one.output.kind != "numbers":
                for number in shown_classes(one.output)[:MOST_LINES]:
                    tag = one.tag(f"pr_curve/{one.output.names[number]}")
                    summaries.write_pr_curve("test", step, tag, class_counts(one.output, number))
        summaries.flush()

    def write_page(self, folder: RunFolder, result: Mapping[str, Any], command: str) -> None:
        """report.html, curves.png and confusion.png.

        Args:
            folder: The run's.
            result: The content of result.json.
            command: What runs the same again.
        """
        curves = NamedFigure(
            "curves",
            training_curves([r.as_row() for r in self._outcome.history], self._outcome.best_step),
            "Training is averaged over each epoch, while weights change.",
        )
        atomic.write_bytes(folder.curves, curves.png)
        for one in self._outputs:
            for named in one.figures:
                if named.name == "confusion":
                    atomic.write_bytes(folder.path / f"{one.tag('confusion')}.png", named.png)
        sections = [
            PageSection("Metrics", "With the best weights.", tables=[metrics_table(result)]),
            PageSection("Training", figures=[_page_figure(curves)]),
            *(section for one in self._outputs for section in _sections(one, self._test)),
            _values("Options", "option", result["config"]),
            _values("Versions", "package", result["versions"]),
        ]
        content = {
            "title": f"{result['data']['name']}: {folder.path.name}",
            "subtitle": _subtitle(result),
            "numbers": _headline(result),
            "command": command,
            "sections": sections,
        }
        write_page(folder.report, "report.html.j2", content)

    def _reported(self, name: str, output: Output, uncalibrated: Output) -> ReportedOutput:
        worst = [int(position) for position in mistakes(output)[:SHOWN_MISTAKES]]
        images = []
        if self._test is not None and worst:
            images = thumbnails(self._test, worst, THUMBNAIL_SIDE, self._cache)
        figures = list(output_figures(output, uncalibrated))
        return ReportedOutput(name, output, figures, worst, images)


def _sections(one: ReportedOutput, test: Split | None) -> Iterator[PageSection]:
    of_output = "" if one.name == SINGLE_OUTPUT else f" of {one.name}"
    figures = [_page_figure(named) for named in one.figures]
    yield PageSection(f"Test split{of_output}", figures=figures)
    noun = {"class": "class", "labels": "label", "numbers": "number"}[one.output.kind]
    tables = [measure_table(one.output)]
    if one.output.kind == "class":
        tables += _confusion_tables(one.output)
    yield PageSection(f"By {noun}{of_output}", tables=tables)
    if one.images and test is not None:
        images = [
            PageImage([image.jpeg], [*example_lines(one.output, place), test.describe(place)])
            for image, place in zip(one.images, one.worst, strict=True)
        ]
        text = f"The {len(images)} worst of the test split, the worst first."
        yield PageSection(f"Mistakes{of_output}", text, images=images)


def _confusion_tables(output: Output) -> list[Table]:
    pairs = worst_confusions(confusion_matrix(output), output.names)[:SHOWN_CONFUSIONS]
    rows = {
        f"{true} taken for {predicted}": {"images": f"{weight:g}"}
        for true, predicted, weight in pairs
    }
    return [Table("most frequent confusions", rows)] if rows else []


def _headline(result: Mapping[str, Any]) -> dict[str, str]:
    """The numbers that stand on top: the test's metrics, steps and seconds."""
    metrics = {n: v for n, v in result["metrics"]["test"].items() if "/" not in n}
    shown = {f"test {name.replace('_', ' ')}": f"{value:.4g}" for name, value in metrics.items()}
    seconds = result["seconds"]["total"]
    return {**shown, "steps": f"{result['steps']:,}", "seconds": f"{seconds:,.1f}"}


def _subtitle(result: Mapping[str, Any]) -> str:
    examples = sum(result["data"]["examples"].values())
    return (
        f"task {result['task']} · {examples:,} examples of {result['data']['source']} ·"
        f" extractor {result['extractor']} · {result['transfer']}"
    )


def _page_figure(named: NamedFigure) -> PageFigure:
    return PageFigure(named.name, as_svg(named.figure), named.caption)


def _values(title: str, name: str, values: Mapping[str, Any]) -> PageSection:
    """A table that is folded away."""
    rows = {key: {"value": _shown(value)} for key, value in values.items()}
    return PageSection(title, tables=[Table(name, rows)], folded=True)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
