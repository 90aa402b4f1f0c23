"""Halve the learning rate when validation stops improving: a hook with a state.

    python examples/learning_rate_hook.py

TIME_HOOK
"""

from __future__ import annotations

import logging
from typing import Any  # new

import trainer
from tasks.flowers import Flowers


# new:
class HalveOnPlateau(trainer.Hook):
    """Halves the learning rate after each epoch whose validation loss is not the lowest so far."""

    def __init__(self) -> None:
        """Before the first epoch."""
        self.lowest = float("inf")
        self.halvings = 0

    def on_epoch_end(self, trainer: trainer.Trainer, record: trainer.EpochRecord) -> None:
        """Compare the validation loss, and write how often the learning rate was halved."""
        loss = record.metrics["validation"]["loss"]
        if loss >= self.lowest:
            trainer.optimizer.learning_rate = trainer.learning_rate / 2
            self.halvings += 1
        self.lowest = min(self.lowest, loss)
        trainer.write_scalars({"halvings": self.halvings})

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run continues with; the learning rate itself is the optimizer's."""
        return {"lowest": self.lowest, "halvings": self.halvings}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore it from a checkpoint."""
        self.lowest, self.halvings = state["lowest"], state["halvings"]


# end of new
def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config, hooks=[HalveOnPlateau()])  # new
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
