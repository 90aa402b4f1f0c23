"""MODEL.md: what an exported model is, in the shape of a Hugging Face model card."""

from __future__ import annotations

from pathlib import Path

from trainer.exporting.served import ServedModel


def model_card(served: ServedModel, folder: Path, model_format: str, quantize: str | None, quality: dict[str, dict[str, str]]) -> str:
    """The text of the page."""
    return "# to come\n"
