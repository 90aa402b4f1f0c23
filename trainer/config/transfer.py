"""Options of transfer learning: the extractor below the head, and how much of it is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from trainer.config.bounds import MAX_FLOAT, AtLeast, Between, Options
from trainer.core.errors import UserError

NO_EXTRACTOR = "none"
"""The value of `--extractor` with which the head is trained on the images themselves."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransferOptions(Options):
    """The extractor, its weights, and what becomes of them in training."""

    transfer: Literal["frozen", "early", "finetune", "scratch"] | None = None
    """How the extractor is used: frozen; early, frozen and cut at an inner activation; finetune,
    trained with the head; scratch, trained from random weights. When not given: early for
    NAME@ENDPOINT, scratch for --extractor none, else frozen."""

    extractor: str = "efficientnet_lite0"
    """The network below the head: a known name, keras:NAME of keras.applications, a hub URL, a
    local folder, kaggle:HANDLE or kerashub:PRESET, each with @ENDPOINT to cut it there; none for a
    head on the images."""

    weights: str = "imagenet"
    """Weights of a keras:NAME extractor: imagenet (from the cache of Keras, else downloaded), none
    (random), or a file."""

    pool: Literal["avg", "max", "flatten"] = "avg"
    """How feature maps become vectors."""

    head: Literal["flatten", "avg"] | None = None
    """Give the head feature maps, flattened or averaged by its first layer; when not given, it gets
    vectors pooled by --pool."""

    unfreeze_from: str | None = None
    """Fine-tuning: the first layer of a keras:NAME extractor that is trained; all when not
    given."""

    warmup_epochs: Annotated[int, AtLeast(0)] = 0
    """Fine-tuning: epochs before it that train the head alone, on cached features."""

    finetune_learning_rate: Annotated[float, Between(0, MAX_FLOAT)] = 1e-5
    """The learning rate of --transfer finetune, in place of --learning-rate."""

    init_from: Path | None = None
    """The folder of an earlier run, whose weights initialise the layers that match."""

    image_size: Annotated[int | None, AtLeast(1)] = None
    """Height and width of the images in pixels; the extractor's own when not given."""

    def __post_init__(self) -> None:
        """Check each option, then whether those given work together.

        Raises:
            UserError: naming the option, and what it needs.
        """
        super().__post_init__()
        for given, has_what_it_needs, message in self._requirements():
            if given and not has_what_it_needs:
                raise UserError(message)

    @property
    def transfer_mode(self) -> str:
        """`transfer`, or what the extractor implies: frozen, early, finetune or scratch."""
        if self.transfer is not None:
            return self.transfer
        if not self.uses_extractor:
            return "scratch"
        return "early" if "@" in self.extractor else "frozen"

    @property
    def uses_extractor(self) -> bool:
        """Whether there is a network below the head."""
        return self.extractor != NO_EXTRACTOR

    @property
    def extractor_trainable(self) -> bool:
        """Whether training changes the extractor's weights."""
        return self.uses_extractor and self.transfer_mode in ("finetune", "scratch")

    def _requirements(self) -> Iterator[tuple[object, bool, str]]:
        """Of options that need others: whether given, whether those are there, and the error."""
        finetunes = self.uses_extractor and self.transfer_mode == "finetune"
        is_keras_model = self.extractor.startswith("keras:")
        mode = self.transfer if self.transfer != "scratch" else None
        yield mode, self.uses_extractor, f"--transfer {mode} needs an --extractor"
        yield (
            self.warmup_epochs,
            finetunes,
            "--warmup-epochs is the first stage of --transfer finetune; add that option",
        )
        yield (
            self.unfreeze_from,
            finetunes and is_keras_model,
            f"--unfreeze-from {self.unfreeze_from} needs --transfer finetune and a keras:NAME"
            " extractor: a hub module is trained as a whole",
        )
        yield (
            self.weights != "imagenet",
            is_keras_model,
            f"--weights {self.weights} needs a keras:NAME extractor: a hub module has its own",
        )
        yield (
            self.head,
            self.uses_extractor,
            f"--head {self.head} needs the feature maps of an --extractor",
        )
