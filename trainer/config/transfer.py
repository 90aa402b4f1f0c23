"""Options of transfer learning: the extractor below the head, and how much of it is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from trainer.config.bounds import MAX_FLOAT, AtLeast, Between, Options, positive_up_to_one
from trainer.core.errors import UserError

NO_EXTRACTOR = "none"
"""The value of `--extractor` with which the head is trained on the images themselves."""

ALL = "all"
"""The value of `--unfreeze-from` with which everything is trained."""

DEFAULT_CUTS = {"efficientnet_lite0": "block_12"}
"""By extractor, where it is cut when `--unfreeze-from` is not given."""

HEAD_EPOCHS = 10
"""Of the head alone at most, when `--warmup-epochs` is not given."""

Resize = Literal["squash", "crop", "pad"]
"""The values of `--resize`."""


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
    """Fine-tuning: the first layer of a keras:NAME extractor that is trained, or the endpoint of
    another behind which all is. What lies below stays frozen, and its activations are cached. all
    trains everything, as it is when not given, except in efficientnet_lite0: from block_12 on."""

    batch_norm: Literal["frozen", "learn"] | None = None
    """Fine-tuning: frozen, the default, leaves the batch norms of the extractor the averages that
    they have; learn takes those of each batch, for many images."""

    layer_decay: Annotated[float, positive_up_to_one] = 1.0
    """Fine-tuning: the learning rate of each block is that of the block above it times this
    (arXiv 2106.08254): 0.75 is usual, 1 turns it off."""

    unfreeze_gradually: bool = False
    """Fine-tuning: train the head first, then one block more at a time, from the highest down
    (arXiv 1801.06146); all of them from half of the steps on."""

    warmup_epochs: Annotated[int | None, AtLeast(0)] = None
    """Fine-tuning: epochs before it that train the head alone, on cached features; when not given,
    as many as lower its validation loss, at most 10."""

    finetune_learning_rate: Annotated[float, Between(0, MAX_FLOAT)] = 2e-4
    """The learning rate of --transfer finetune, in place of --learning-rate."""

    init_from: Path | None = None
    """The folder of an earlier run, whose weights initialise the layers that match."""

    image_size: Annotated[int | None, AtLeast(1)] = None
    """Height and width of the images in pixels; the extractor's own when not given."""

    resize: Resize = "squash"
    """How images become squares: squash, all of the image, whose sides lose their proportion; crop,
    its central square; pad, all of it in proportion, with black beside it."""

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
    def trained_from(self) -> str | None:
        """The layer or endpoint at which the extractor is cut for fine-tuning; None where it is
        not."""
        if not self.uses_extractor or self.transfer_mode != "finetune":
            return None
        first = self.unfreeze_from or DEFAULT_CUTS.get(self.extractor, ALL)
        return None if first == ALL else first

    @property
    def head_epochs(self) -> int:
        """The epochs that train the head alone before fine-tuning, at most."""
        if self.warmup_epochs is None:
            return HEAD_EPOCHS if self.transfer_mode == "finetune" else 0
        return self.warmup_epochs

    @property
    def learns_batch_norms(self) -> bool:
        """Whether the extractor's batch norms take the statistics of each batch in training."""
        return self.transfer_mode == "scratch" or self.batch_norm == "learn"

    @property
    def has_block_rates(self) -> bool:
        """Whether the blocks of the extractor have learning rates of their own."""
        return self.layer_decay != 1 or self.unfreeze_gradually

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
        of_fine_tuning = {
            "--unfreeze-from": self.unfreeze_from,
            "--batch-norm": self.batch_norm,
            "--layer-decay": self.layer_decay != 1,
            "--unfreeze-gradually": self.unfreeze_gradually,
        }
        for option, given in of_fine_tuning.items():
            yield given, finetunes, f"{option} is for --transfer finetune; add that option"
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
