"""The export of a finished run: written, read again elsewhere, compared, and then published."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path

from trainer.config.export import ModelFormat, Quantization
from trainer.core import atomic
from trainer.core.errors import UserError
from trainer.exporting.check import check_export
from trainer.exporting.keras_file import write_keras
from trainer.exporting.litert import compare_on_validation, quantized_scores, write_litert
from trainer.exporting.model_card import model_card
from trainer.exporting.onnx import write_onnx
from trainer.exporting.saved_model import write_saved_model
from trainer.exporting.served import FinishedRun, ServedModel

logger = logging.getLogger(__name__)

EXTRAS = {"litert": ("ai_edge_litert",), "onnx": ("tf2onnx", "onnxruntime")}
"""The modules that formats need beyond TensorFlow, by the name of the format and of the extra."""


def export_run(
    run: FinishedRun, folder: Path, model_format: ModelFormat, quantize: Quantization | None
) -> Path:
    """Write a run's model to a new folder, which appears only when its scores are the run's.

    Raises:
        UserError: the folder exists, a package is missing, or the model has no such format.
        ExportDiffersError: the model that was written gives other scores: a bug of ours.
    """
    if quantize is not None and model_format != "litert":
        raise UserError(f"--quantize {quantize} is for --format litert; choose that, or omit it")
    _check_installed(model_format)
    _check_free(folder)
    served = ServedModel.from_run(run)
    with _written(folder) as beside:
        quality = _write(served, beside, model_format, quantize)
        card = model_card(served, folder, model_format, quantize, quality)
        (beside / "MODEL.md").write_text(card, encoding="utf-8", errors="backslashreplace")
    logger.info("exported to %s, which MODEL.md there describes", folder)
    return folder


def _write(
    served: ServedModel, folder: Path, model_format: ModelFormat, quantize: Quantization | None
) -> dict[str, dict[str, str]]:
    """Write the model and check it; of a quantized one what validation loses by it."""
    if model_format == "litert":
        write_litert(served, folder, quantize)
    else:
        write = {"savedmodel": write_saved_model, "onnx": write_onnx, "keras": write_keras}
        write[model_format](served, folder)
    expected = quantized_scores(served, folder) if quantize else None
    difference = check_export(served, folder, model_format, expected)
    logger.info("read again without this package: scores differ by %.1g at most", difference)
    return compare_on_validation(served, folder) if quantize else {}


def _check_installed(model_format: str) -> None:
    missing = [m for m in EXTRAS.get(model_format, ()) if importlib.util.find_spec(m) is None]
    if missing:
        raise UserError(
            f"--format {model_format} needs {' and '.join(missing)}; pip install"
            f" 'tf-trainer[{model_format}]'"
        )


def _check_free(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not an empty folder; choose another, or remove it")


@contextlib.contextmanager
def _written(folder: Path) -> Iterator[Path]:
    """A folder beside, which gets the name when all went well."""
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with atomic.new_folder(folder.absolute()) as beside:
            yield beside
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder"
        ) from error
