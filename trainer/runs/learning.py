"""What a run is for: training up to the last step, and one test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainer.checkpoints.training_state import TrainingState
from trainer.core import signals
from trainer.core.run_folder import RunFolder
from trainer.hooks.standard import Hook, standard_hooks
from trainer.loop.history import best_record
from trainer.loop.inner_loop import Span
from trainer.loop.trainer import Trainer
from trainer.report.clock import Clock
from trainer.report.progress import Display
from trainer.report.result import weights_digest
from trainer.report.summaries import Summaries


def train_and_test(
    trainer: Trainer, state: TrainingState, folder: RunFolder, display: Display, clock: Clock
) -> dict[str, Any]:
    """Take the steps that are left, and test the best weights.

    Returns what result.json says of what was learnt.

    Raises:
        UserError: what a person can mend.
        Interrupted: Ctrl-C or SIGTERM; the state of training is saved.
    """
    with clock.phase("train"), display.bar("training", "steps") as bar:
        hooks = standard_hooks(trainer, state, folder, clock, display, bar)
        _train(trainer, state, hooks)
    last, best = trainer.history[-1], best_record(trainer.history)
    if trainer.config.patience is not None:
        state.best.restore()  # the epochs without a better validation are given up
    digest = weights_digest(v.numpy() for v in trainer.model.trainable_variables)
    with clock.phase("evaluate"):
        state.best.restore()
        test_metrics = trainer.evaluate("test", averages=False)
    Summaries(folder.path).write("test", best.step, test_metrics)
    return {
        "stopped": trainer.stopped,
        "epochs": last.epoch,
        "steps": last.step,
        "best_step": best.step,
        "metrics": {**best.metrics, "test": test_metrics},
        "weights_digest": digest,
    }


def _train(trainer: Trainer, state: TrainingState, hooks: Sequence[Hook]) -> None:
    """Up to the last step; asked to end before it, the state of training is saved."""
    try:
        with signals.deferred():
            if trainer.has_unlogged_epoch:
                trainer.call_hooks(hooks, Span.of_no_steps(trainer.step))
            trainer.fit(hooks)
    except signals.Interrupted as interrupted:
        state.save()
        where = f" at step {trainer.step} of {trainer.total_steps}"
        raise interrupted.with_text(where) from None
