"""Which ways of transfer go with which options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trainer.config import bounds
from trainer.core.errors import UserError

if TYPE_CHECKING:
    from trainer.config.config import Config

WAYS = ("frozen", "early", "finetune", "scratch")
"""How much of a network learns, from its head alone to all of it anew."""


def check_transfer(config: Config) -> None:
    """Refuse options that need another way of transfer.

    Raises:
        UserError: naming the option, and what it needs.
    """
    bounds.require_one_of(WAYS, "transfer", config.transfer)
    bounds.require_one_of(("avg", "max", "flatten"), "pool", config.pool)
    bounds.require_one_of(("flatten", "avg"), "head", config.head)
    bounds.require_between(0, 2**31 - 1, "warmup_epochs", config.warmup_epochs)
    for asked, has_what_it_needs, remedy in _needs(config):
        if asked and not has_what_it_needs:
            raise UserError(remedy)


def _needs(config: Config) -> Iterator[tuple[object, bool, str]]:
    """Of each option: whether it is asked for, has what it needs, and what to say if it has not."""
    finetunes = config.uses_extractor and config.transfer_mode == "finetune"
    is_keras_model = config.extractor.startswith("keras:")
    way = config.transfer if config.transfer != "scratch" else None
    yield way, config.uses_extractor, f"--transfer {way} needs an --extractor to learn from"
    yield (
        config.warmup_epochs,
        finetunes,
        "--warmup-epochs is the first stage of --transfer finetune; give that too",
    )
    yield (
        config.unfreeze_from,
        finetunes and is_keras_model,
        f"--unfreeze-from {config.unfreeze_from} needs --transfer finetune and a keras:NAME"
        " extractor: a hub module learns as a whole",
    )
    yield (
        config.weights != "imagenet",
        is_keras_model,
        f"--weights {config.weights} needs a keras:NAME extractor: a hub module brings its own",
    )
    yield (
        config.head,
        config.uses_extractor,
        f"--head {config.head} needs the maps of an --extractor",
    )
