"""Trains cases on so many replicas, 0 for no strategy, and prints what came out as JSON."""

import json
import sys

from tests.loop.test_resume import KINDS, Network
from trainer import Config, EverySteps, Hook, Trainer
from trainer.distribution.strategy import make_strategy
from trainer.distribution.variables import variables_of
from trainer.report.result import weights_digest

CASES = {
    "features with dropout and batch norm": ("features", {"jit": "auto"}),
    "features, uncompiled and clipped": ("features", {"jit": "off", "clip_norm": 0.5, "ema": 0.9}),
    "augmented and mixed images": ("augmented and mixed images", {"weight_decay": 0.01}),
    "float16 with accumulation": (
        "features",
        {"jit": "off", "precision": "mixed_float16", "accumulate": 2},
    ),
}
"""What is trained for 105 steps: the batches, and options. Of 50 examples the last batch has 2."""


class RecordLosses(Hook):
    """Keeps the loss of every step."""

    when = EverySteps(7)

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_steps_end(self, trainer, output):
        self.losses += output.values["loss"].tolist()


def trained(strategy, kind, options):
    """The losses of the steps, the record of every epoch, and the digest of the weights."""
    own = {"epochs": 15, "batch_size": 8, "learning_rate": 0.003}
    batches = {split: KINDS[kind](split) for split in ("train", "validation", "test")}
    with variables_of(strategy):
        trainer = Trainer(Network(), Config(**own, **options), ["a", "b", "c"], batches)
    record = RecordLosses()
    trainer.fit([record])
    return {
        "losses": record.losses,
        "epochs": [epoch.as_row() for epoch in trainer.history],
        "digest": weights_digest(v.numpy() for v in trainer.model.trainable_variables),
    }


if __name__ == "__main__":
    replicas = int(sys.argv[1])
    strategy = make_strategy("mirrored" if replicas else "one", replicas or None)
    cases = {name: CASES[name] for name in sys.argv[2:]}
    print(json.dumps({name: trained(strategy, *case) for name, case in cases.items()}))
