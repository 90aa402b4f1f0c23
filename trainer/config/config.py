"""Every option of a run. Imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from trainer.config.augmentation import AugmentationOptions, check_augment_copies
from trainer.config.data import DataOptions
from trainer.config.logging import LoggingOptions
from trainer.config.optimization import OptimizationOptions, RateSchedule
from trainer.config.run import RunOptions
from trainer.config.stopping import StoppingOptions
from trainer.config.transfer import TransferOptions
from trainer.core.addresses import address_of
from trainer.core.errors import UserError

STOPPING = ("epochs", "stop_at", "patience", "max_minutes")
"""The options that say how long training lasts."""


# A dataclass has the fields of its last base first: `--help` lists the groups from the last on.
@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(
    LoggingOptions,
    RunOptions,
    StoppingOptions,
    OptimizationOptions,
    AugmentationOptions,
    TransferOptions,
    DataOptions,
):
    """Train a task and test it: metrics, checkpoints and TensorBoard events in a run folder."""

    def __post_init__(self) -> None:
        """Check each option, then whether those given work together.

        Raises:
            UserError: naming the option.
        """
        super().__post_init__()
        has_frozen_part = not self.extractor_trainable or self.trained_from is not None
        check_augment_copies(self.augment_copies, self.uses_extractor and has_frozen_part)
        if self.sampling != "none" and self.class_weights != "none":
            raise UserError(
                f"--sampling {self.sampling} and --class-weights {self.class_weights} both make"
                " rare classes count more; omit one"
            )

    @property
    def initial_learning_rate(self) -> float:
        """The learning rate that a schedule starts from: fine-tuning has one of its own."""
        return (
            self.finetune_learning_rate if self.transfer_mode == "finetune" else self.learning_rate
        )

    @property
    def rate_schedule(self) -> RateSchedule:
        """`schedule`, or what suits the way of transfer: fine-tuning ends with small steps."""
        return self.schedule or ("cosine" if self.transfer_mode == "finetune" else "constant")

    @property
    def stopping(self) -> dict[str, Any]:
        """The options that say how long training lasts, as JSON takes them."""
        options = self.as_json()
        return {name: options[name] for name in STOPPING}

    def as_json(self) -> dict[str, Any]:
        """Every option but `resume`, as JSON takes it: paths as text, tuples as lists."""
        fields = dataclasses.asdict(self)
        del fields["resume"]
        return {name: _as_json(value) for name, value in fields.items()}


def _as_json(value: Any) -> Any:
    if isinstance(value, Path):
        return address_of(value) or str(value)
    return list(value) if isinstance(value, tuple) else value
