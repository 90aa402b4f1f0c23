"""Options of what a run writes for people to look at."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Annotated

from trainer.config.bounds import AtLeast, Options
from trainer.core.errors import UserError


def check_run_name(option: str, value: str) -> None:
    """Accept what can be the name of a folder everywhere."""
    if not re.fullmatch(r"[^\s./\\:*?\"<>|-][^/\\:*?\"<>|\x00-\x1f]*", value) or len(value) > 100:
        raise UserError(
            f"{option} {value!r} cannot be a folder's name; choose letters, digits, - and _"
        )


def check_steps(option: str, value: str) -> None:
    """Accept the first and the last of some steps, as 20:30."""
    form = re.fullmatch(r"(\d{1,9}):(\d{1,9})", value)
    if form is None or not 0 < int(form[1]) < int(form[2]):
        raise UserError(f"{option} {value!r} must be two steps, the first and the last, as 20:30")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoggingOptions(Options):
    """What a run writes for TensorBoard and its report; the weights do not depend on it."""

    log_dir: Path = Path("logs")
    """The folder of run folders: LOG_DIR/<task>/<run>. To an address, s3://BUCKET/logs, the run is
    uploaded as it grows."""

    run_name: Annotated[str | None, check_run_name] = None
    """The name of the run, of its folder and in TensorBoard's legend; the time when not given."""

    log_every: Annotated[int, AtLeast(1)] = 10
    """Steps between two points of the training curves in TensorBoard."""

    report: bool = True
    """Write report.html, and figures, mistakes and images to TensorBoard: a second or two."""

    histograms: bool = False
    """Write histograms of weights and gradients to TensorBoard at the end of every epoch; a batch
    more is computed for the gradients."""

    projector: bool = False
    """Write the features of validation images to TensorBoard's projector, with names and
    thumbnails: 1,000 at most, within seconds."""

    feature_maps: bool = False
    """Write what inner layers make of some test images to TensorBoard."""

    grad_cam: bool = False
    """Write which parts of some test images speak for the predicted class, as Grad-CAM
    (arXiv 1610.02391), to TensorBoard."""

    profile: Annotated[str | None, check_steps] = None
    """The steps to profile for TensorBoard, as 20:30; it needs the extra tf-trainer[profile]."""

    summary: bool = False
    """Print the layers of the model, their shapes and parameters, before training."""
