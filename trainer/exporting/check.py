"""An export that was read again in a process of its own must give the scores of the run."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from trainer.data.images.orientation import ORIENTATION_TAG
from trainer.data.pipeline.batches import decode_and_resize
from trainer.exporting import reload
from trainer.exporting.served import IMAGES, ServedModel, example_inputs

TOLERANCE = 1e-5
"""How far a score may be from the run's; of numbers above 1 relative to these."""

BATCH = 4
_SIDES = (48, 64)


class ExportDiffersError(Exception):
    """An exported model gives other scores than the run: a bug of ours."""


def check_export(
    served: ServedModel,
    folder: Path,
    model_format: str,
    expected: Mapping[str, np.ndarray] | None = None,
) -> float:
    """The largest difference of a score of the export from the run's.

    Args:
        served: The run's model.
        folder: The export.
        model_format: Its format.
        expected: The scores of `example_inputs`; those of the run when not given.

    Raises:
        ExportDiffersError: it is above the tolerance, or the export cannot be read.
    """
    inputs = example_inputs(served, BATCH)
    takes_files = served.takes_images and model_format == "savedmodel"
    files = example_files(served.image_size) if takes_files else []
    answers = _answers(folder, model_format, inputs, files)
    wanted = dict(expected or scores_of(served, inputs))
    if files:
        from_files = scores_of(served, {IMAGES: _training_images(served, files)})
        wanted |= {f"file/{name}": value for name, value in from_files.items()}
    return max(_difference(name, value, answers) for name, value in wanted.items())


def scores_of(served: ServedModel, inputs: Mapping[str, object]) -> dict[str, np.ndarray]:
    """The run's own scores."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    return {name: value.numpy() for name, value in served.scores(tensors).items()}


def _training_images(served: ServedModel, files: list[bytes]) -> tf.Tensor:
    """Files as training reads them."""
    prepare = served.image_size, served.channels, served.resize
    prepared = tf.data.Dataset.from_tensor_slices(files).map(
        lambda encoded: decode_and_resize(encoded, *prepare)
    )
    return next(iter(prepared.batch(len(files))))


def example_files(size: int) -> list[bytes]:
    """An image of every format and kind that is decoded: grey, with alpha, rotated by its Exif.

    Two more are JPEGs so large that they are decoded at a fraction, for networks of a size.
    """
    noise = np.random.default_rng(0).integers(0, 256, [6, 8, 3]).astype(np.uint8)
    picture = Image.fromarray(noise).resize(_SIDES[::-1], Image.Resampling.BICUBIC)
    large = picture.resize((5 * size + 3, 4 * size + 1))
    rotated = Image.Exif()
    rotated[ORIENTATION_TAG] = 6
    return [
        _encoded(picture, "JPEG"),
        _encoded(picture, "JPEG", exif=rotated.tobytes()),
        _encoded(large, "JPEG"),
        _encoded(large, "JPEG", exif=rotated.tobytes()),
        _encoded(picture.convert("L"), "JPEG"),
        _encoded(picture.convert("CMYK"), "JPEG"),
        _encoded(picture, "PNG"),
        _encoded(picture, "PNG", exif=rotated.tobytes()),
        _encoded(picture.convert("L"), "PNG"),
        _encoded(picture.convert("RGBA"), "PNG"),
        _encoded(picture, "GIF"),
        _encoded(picture, "BMP"),
        _encoded(picture, "WEBP"),
        _encoded(picture.convert("RGBA"), "WEBP", exif=rotated.tobytes()),
    ]


def _answers(
    folder: Path, model_format: str, inputs: Mapping[str, np.ndarray], files: list[bytes]
) -> dict[str, np.ndarray]:
    """What the export gives in a process that knows nothing of this package."""
    given: dict[str, Any] = {f"input/{name}": value for name, value in inputs.items()}
    given |= {f"file/{n}": np.frombuffer(content, np.uint8) for n, content in enumerate(files)}
    with tempfile.TemporaryDirectory() as beside:
        examples, answers = Path(beside) / "examples.npz", Path(beside) / "answers.npz"
        np.savez(examples, **given)
        program = [sys.executable, "-I", reload.__file__, model_format]
        done = subprocess.run(
            [*program, str(folder), str(examples), str(answers)], capture_output=True, text=True
        )
        if done.returncode:
            raise ExportDiffersError(f"the export cannot be read again:\n{done.stderr}")
        return dict(np.load(answers))


def _difference(name: str, expected: np.ndarray, answers: Mapping[str, np.ndarray]) -> float:
    found = answers[name]
    if found.shape != expected.shape:
        raise ExportDiffersError(f"{name} is {found.shape} in the export, not {expected.shape}")
    difference = np.abs(found - expected) / np.maximum(1, np.abs(expected))
    largest = float(difference.max(initial=0))
    if not largest <= TOLERANCE:
        raise ExportDiffersError(
            f"{name} of the export differs from the run's by {largest:.2g}, more than {TOLERANCE:g}"
        )
    return largest


def _encoded(picture: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()
