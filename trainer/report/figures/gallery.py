"""Images beside each other with a line below each, as one PNG."""

from __future__ import annotations

import functools
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARGIN, LINE, FONT_SIZE, MIN_WIDTH = 8, 15, 12, 160
"""Pixels."""


def image_grid(images: Sequence[np.ndarray], captions: Sequence[str], columns: int = 4) -> bytes:
    """A PNG of uint8 images [height, width, 3 or 1], each in a cell as large as the largest.

    Args:
        images: At least one.
        captions: The lines below each; what is too long is cut off.
        columns: Cells in a row.
    """
    cell_width = max(max(image.shape[1] for image in images), MIN_WIDTH)
    cell_height = max(image.shape[0] for image in images)
    lines = max(caption.count("\n") + 1 for caption in captions)
    width, height = cell_width + MARGIN, cell_height + lines * LINE + MARGIN
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    grid = Image.new("RGB", (columns * width + MARGIN, rows * height + MARGIN), "white")
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left = MARGIN + number % columns * width
        top = MARGIN + number // columns * height
        grid.paste(_as_pillow(image), (left, top))
        _write_lines(grid, (left, top + cell_height), caption, cell_width)
    file = io.BytesIO()
    grid.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _as_pillow(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")


def _write_lines(grid: Image.Image, corner: tuple[int, int], text: str, width: int) -> None:
    draw, font = ImageDraw.Draw(grid), _font()
    for number, line in enumerate(text.split("\n")):
        while font.getlength(line) > width:
            line = f"{line[:-2]}…"
        draw.text((corner[0], corner[1] + number * LINE), line, fill="black", font=font)


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    """The font of the other figures, which has most of the world's letters."""
    # Found without an import of matplotlib, which takes half a second.
    found = importlib.util.find_spec("matplotlib")
    assert found is not None and found.origin is not None, "it is a dependency of ours"
    file = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(file, FONT_SIZE)
