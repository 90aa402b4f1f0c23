"""Learning rates by block: lower ones for lower blocks of a network, which may also start later.

The lower a block, the more general is what it has learned, and the less should fine-tuning change
it (Bao et al., arXiv 2106.08254, section 2.4; Howard and Ruder, arXiv 1801.06146, section 3.2).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.config.config import Config

Block = Sequence[keras.Variable]
"""Some of the weights of a network, which learn alike."""


@dataclasses.dataclass(frozen=True)
class BlockRate:
    """How fast a block learns, and from when on."""

    factor: float
    """By which the learning rate is multiplied."""

    first_update: int = 0
    """The number of the first update of the optimizer that changes the block, from 0."""


def block_rates(config: Config, blocks: int, steps: int) -> list[BlockRate]:
    """The rates of the blocks of a network, from the lowest to the highest.

    Args:
        config: With `--layer-decay` and `--unfreeze-gradually`.
        blocks: How many there are.
        steps: Of the whole training. The lowest block starts after half of them.
    """
    rates = []
    for depth in range(blocks, 0, -1):  # below the head
        first = steps // 2 * depth // blocks if config.unfreeze_gradually else 0
        rates.append(BlockRate(config.layer_decay**depth, first // config.accumulate))
    return rates


def scale_by_block(
    optimizer: keras.optimizers.Optimizer, blocks: Sequence[Block], config: Config, steps: int
) -> None:
    """Let an optimizer multiply its learning rate, and with it its weight decay, by block.

    Args:
        optimizer: Any of Keras; other variables learn as before.
        blocks: Of the network below the head, from the lowest to the highest.
        config: With `--layer-decay` and `--unfreeze-gradually`.
        steps: Of the whole training.
    """
    rate_of = {
        optimizer._var_key(variable): rate
        for block, rate in zip(blocks, block_rates(config, len(blocks), steps), strict=True)
        for variable in block
    }
    kind = type(optimizer)
    optimizer.__class__ = type(kind.__name__, (_ByBlock, kind), {})
    optimizer._rate_of = rate_of.get  # no dict, whose content would be saved with the optimizer


class _ByBlock(keras.optimizers.Optimizer):
    _rate_of: Callable[[Any], BlockRate | None]
    weight_decay: Any

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate * self._factor(variable))

    def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
        decay = self.weight_decay
        if decay is None:
            return
        for variable in variables:
            self.weight_decay = decay * self._factor(variable)
            super()._apply_weight_decay([variable])
        self.weight_decay = decay

    def _factor(self, variable: Any) -> Any:
        rate = self._rate_of(self._var_key(variable))
        if rate is None:
            return 1.0
        if rate.first_update == 0:
            return rate.factor
        learns = tf.cast(self.iterations, tf.int64) >= rate.first_update
        return tf.where(learns, rate.factor, 0.0)
