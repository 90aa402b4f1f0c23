"""Options of optimization: how long, with which optimizer, learning rate, loss and precision."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

from trainer.config import durations
from trainer.config.bounds import MAX_FLOAT, AtLeast, Between, Options, below_one, positive
from trainer.core.errors import UserError

RateSchedule = Literal["constant", "cosine", "exponential", "piecewise", "one-cycle", "plateau"]
"""How the learning rate goes on after its warm-up."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizationOptions(Options):
    """How the weights are learned."""

    epochs: Annotated[int, AtLeast(1)] = 10
    """Epochs to train: each uses every example once, unless --steps-per-epoch is given."""

    steps_per_epoch: Annotated[int | None, AtLeast(1)] = None
    """Steps from one validation to the next; one pass over the data when not given."""

    validation_steps: Annotated[int | None, AtLeast(1)] = None
    """Validate on the first batches only, this many; on the whole split when not given."""

    batch_size: Annotated[int, AtLeast(1)] = 32
    """Examples a step."""

    optimizer: str = "adam"
    """adam, adamw, sgd, rmsprop, adagrad, adadelta, adamax, nadam, lion, or any other name in
    keras.optimizers."""

    learning_rate: Annotated[float, Between(0, MAX_FLOAT)] = 1e-3
    """The learning rate, or the one that a schedule begins with."""

    momentum: Annotated[float | None, below_one] = None
    """Momentum of sgd, rmsprop and muon; the optimizer's default when not given."""

    weight_decay: Annotated[float | None, Between(0, MAX_FLOAT)] = None
    """Decoupled weight decay (arXiv 1711.05101); the optimizer's default when not given."""

    schedule: RateSchedule | None = None
    """The learning rate after the warm-up: constant; cosine, to 0; exponential, times 0.94 an
    epoch; piecewise, a tenth after half and a hundredth after three quarters of the steps. Without
    a warm-up: one-cycle, up from a 25th and down to nearly 0; plateau, a tenth where validation
    does not improve. When not given: cosine with --transfer finetune, else constant."""

    plateau_epochs: Annotated[int, AtLeast(1)] = 3
    """Of --schedule plateau: the epochs without a better validation after which the learning rate
    is a tenth."""

    warmup: Annotated[str, durations.parse] = "0"
    """How long the learning rate first rises from 0: 5% (of all steps), 2epochs, 300steps,
    1000examples."""

    accumulate: Annotated[int, AtLeast(1)] = 1
    """Steps whose gradients are averaged before the weights are updated."""

    clip_norm: Annotated[float | None, positive] = None
    """The largest global norm of the gradients; larger ones are scaled down to it."""

    ema: Annotated[float | None, below_one] = None
    """The decay of an exponential moving average of the weights, 0.999 for example; the average is
    evaluated, and saved as the best weights."""

    loss: Literal["task", "focal"] = "task"
    """What training minimizes: the task's own loss; or, of classes and of labels, focal loss (arXiv
    1708.02002, gamma 2), in which examples that are right already count for less."""

    label_smoothing: Annotated[float, below_one] = 0.0
    """The fraction of each training label that is spread over all classes: 0.1 is usual."""

    class_weights: Literal["none", "balanced"] = "none"
    """balanced: weight each training example by the inverse frequency of its class."""

    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """The dtype policy of the model; weights, logits and losses are float32 in each."""

    def __post_init__(self) -> None:
        """Check each option, then whether the schedule takes a warm-up.

        Raises:
            UserError: naming the option.
        """
        super().__post_init__()
        if self.schedule in ("one-cycle", "plateau") and durations.parse("", self.warmup).amount:
            raise UserError(f"--warmup is not for --schedule {self.schedule}; omit it")
