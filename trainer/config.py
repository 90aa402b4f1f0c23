"""Every knob of a run, once. Imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any, Literal

import platformdirs

from trainer.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Train a task and test it: metrics, checkpoints and TensorBoard events in a run folder."""

    task: str = "flowers"
    """A task's name (flowers, horses, dogs), or your own as module:Class."""

    trainer: str = "trainer:Trainer"
    """The trainer: your own subclass of trainer.Trainer as module:Class."""

    data: str = "auto"
    """auto (TFDS where it is prepared, else the sample), tfds (downloads it), sample, or a folder:
    PATH/<class>/* or PATH/{train,valid,test}/<class>/*."""

    data_dir: Path | None = None
    """Where TFDS keeps its datasets; its own default when not given."""

    cache_dir: Path | None = None
    """Where features and drawn samples are kept; the platform's user cache when not given."""

    sample_examples: int | None = None
    """How many pictures the sample has, all splits together; its own number when not given."""

    feature_memory: float = 2.0
    """Gigabytes that features may take in memory; larger ones are read from the disk as training
    goes on."""

    extractor: str = "efficientnet_lite0"
    """The frozen network below the head: a name we know, a hub URL or a local folder; none gives
    the head the images themselves."""

    image_size: int | None = None
    """Side of the square images in pixels; what the extractor was made for when not given."""

    epochs: int = 10
    """How many times training sees every example."""

    batch_size: int = 32
    """Examples a step."""

    learning_rate: float = 1e-3
    """Adam's step size."""

    seed: int = 0
    """Initial weights, data order and dropout all follow from it."""

    jit: Literal["auto", "on", "off"] = "auto"
    """Whether XLA compiles the training steps: auto where that is faster, over features and on a
    GPU; a step that it cannot compile then runs uncompiled."""

    log_dir: Path = Path("logs")
    """Where runs go: LOG_DIR/<task>/<run>."""

    log_every: int = 10
    """Steps between two points of the training curves in TensorBoard."""

    def __post_init__(self) -> None:
        """Refuse values that no run can have.

        Raises:
            UserError: naming the option.
        """
        for option in ("epochs", "batch_size", "log_every", "image_size", "sample_examples"):
            _require_between(1, 2**31 - 1, option, getattr(self, option))
        for option in ("learning_rate", "feature_memory"):
            _require_between(0, sys.float_info.max, option, getattr(self, option))
        _require_between(0, 2**31 - 1, "seed", self.seed)
        if self.jit not in ("auto", "on", "off"):
            raise UserError(f"--jit must be auto, on or off, not {self.jit}")

    @property
    def cache_folder(self) -> Path:
        """`cache_dir`, or the platform's own place for what a program can make again."""
        return self.cache_dir or Path(platformdirs.user_cache_dir("trainer"))

    def as_json(self) -> dict[str, Any]:
        """Every knob as JSON takes it: paths as text."""
        fields = dataclasses.asdict(self)
        return {name: str(v) if isinstance(v, Path) else v for name, v in fields.items()}


def _require_between(least: float, most: float, option: str, value: float | None) -> None:
    # A NaN is in no range and so refused too.
    if value is None or least <= value <= most:
        return
    bound = f"at most {most}" if value > most else f"at least {least}"
    raise UserError(f"--{option.replace('_', '-')} must be {bound}, not {value}")
