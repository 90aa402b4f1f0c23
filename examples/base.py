"""Train a head on the features of five kinds of flowers.

    python examples/base.py

TIME_BASE
"""

from __future__ import annotations

import logging

import trainer
from tasks.flowers import Flowers


def main(config: trainer.Config) -> trainer.Run:
    """Train and test, and print the accuracy."""
    run = trainer.train(Flowers(), config)
    print(f"test accuracy {run.metrics['test']['accuracy']:.3f}; everything is in {run.folder}")
    return run


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(trainer.Config(epochs=10))
