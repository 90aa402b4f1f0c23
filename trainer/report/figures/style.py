"""How all figures look, and how they become PNG for files and SVG for pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK = "#1f2328"
"""The colour of text and axes; in a page that of its text, whether light or dark."""

BLUE, ORANGE, GREY = "#4285c8", "#e0823d", "#8a8f98"

COLOURS = (BLUE, ORANGE, "#4ca36b", "#c4549b", "#8a6fc9", "#b39b34", "#45a5a8", "#cf5c5c")
"""Of lines beside each other; all stand out on white and on black."""

SHADES = LinearSegmentedColormap.from_list("shades", [(*(0.26, 0.52, 0.78), a) for a in (0.0, 1.0)])
"""From nothing to blue, on whatever is below."""

_STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "font.size": 10,
    "legend.frameon": False,
    "grid.alpha": 0.25,
    "grid.color": GREY,
    "svg.fonttype": "none",
    "svg.hashsalt": "trainer",
    "text.color": INK,
    "text.parse_math": False,  # a class may be named "$5 and $10"
    "xtick.color": INK,
    "ytick.color": INK,
}


styled = matplotlib.rc_context(_STYLE)
"""Decorates a function that draws, so that it does in this style and changes no other's."""


def subplots(
    columns: int = 1, width: float = 4.6, height: float = 3.6
) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side, each so many inches wide and high."""
    figure = Figure(figsize=(columns * width, height))
    axes = figure.subplots(1, columns, squeeze=False)[0]
    # Fixed margins: to fit them to the text costs more than to draw.
    left, bottom = 0.62 / (columns * width), 0.52 / height
    figure.subplots_adjust(left, bottom, 1 - 0.2 * left, 1 - 0.34 / height, wspace=0.26)
    return figure, list(axes)


def as_png(figure: Figure) -> bytes:
    """The figure on white, at twice the size of a page."""
    fast = {"compress_level": 1}
    return _rendered(figure, format="png", dpi=110, facecolor="white", pil_kwargs=fast)


def as_svg(figure: Figure) -> str:
    """The figure as an element of a page, whose text colour it takes, on no ground."""
    svg = _rendered(figure, format="svg", transparent=True, metadata={"Date": None}).decode()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")


def shortened(names: Sequence[str], most: int = 18) -> list[str]:
    """Names that fit beside an axis."""
    return [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]


@styled
def _rendered(figure: Figure, **options: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, **options)
    return file.getvalue()
