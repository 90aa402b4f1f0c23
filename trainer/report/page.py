"""report.html: one file that needs no network, made by a template."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from trainer.core import atomic
from trainer.report.display import Table


@dataclasses.dataclass(frozen=True)
class PageFigure:
    """A figure of a page, with what it shows."""

    title: str
    svg: str
    caption: str


@dataclasses.dataclass(frozen=True)
class PageImage:
    """An example of the data, or two of them side by side, with what is said of it."""

    jpegs: Sequence[bytes]
    lines: Sequence[str]

    @property
    def sources(self) -> list[str]:
        """The images themselves, each as the address of an img."""
        return [f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" for jpeg in self.jpegs]


@dataclasses.dataclass(frozen=True)
class PageSection:
    """A part of a page below a heading."""

    title: str
    text: str = ""
    figures: Sequence[PageFigure] = ()
    tables: Sequence[Table] = ()
    images: Sequence[PageImage] = ()
    folded: bool = False
    """Whether it is shown only when its heading is chosen."""


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> None:
    """Fill a template of this package; whatever comes from people or data is escaped.

    Raises:
        OSError: it cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trainer.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = Markup  # drawn by our figures: their text is escaped
    page = environment.get_template(template).render(content)
    # A name that is not UTF-8 has lone surrogates in Python.
    atomic.write_bytes(path, page.encode(errors="xmlcharrefreplace"))
