"""The training loop. Read it from top to bottom; subclass it to change how a step goes.

```python
class TemperedTrainer(Trainer):  # logits at half their size (arXiv 1503.02531)
    def train_step(self, batch):
        inputs, labels = batch
        with tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(inputs, training=True) / 2)
        return {"loss": loss, "gradient_norm": self.apply_gradients(tape, loss)}
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from trainer.checkpoints.warm_start import warm_start
from trainer.config.config import Config
from trainer.core import signals
from trainer.core.errors import UserError
from trainer.loop.batches import Batch, Batches
from trainer.loop.history import EpochRecord
from trainer.loop.inner_loop import MAX_STEPS_PER_EXECUTION, InnerLoop, Span
from trainer.loop.metrics import Metrics, example_weights
from trainer.loop.models import build_model_from
from trainer.loop.triggers import EverySeconds
from trainer.loop.xla import Jit
from trainer.optimization.ema import averaged
from trainer.optimization.losses import check_soft_labels, training_loss
from trainer.optimization.optimizers import make_optimizer
from trainer.optimization.precision import (
    build_with_dtype_policy,
    unscaled_global_norm,
    with_loss_scaling,
)
from trainer.task import Task

if TYPE_CHECKING:
    from trainer.hooks.standard import Hook

LONGEST_SECONDS = 0.5
"""A span of an evaluation, in which nothing can be interrupted."""


class Trainer:
    """Trains a task's model on batches; hooks do everything else.

    Training is a function of (config, step): initial weights, data order and dropout all follow
    from the seed and the step number.
    """

    def __init__(
        self,
        task: Task,
        config: Config,
        classes: Sequence[str],
        batches: Mapping[str, Batches],
        say: Callable[[str], None] = print,
        extractor: keras.layers.Layer | None = None,
    ) -> None:
        """Build the model and its optimizer.

        Args:
            task: What is learnt.
            config: How.
            classes: The names of the classes, by label.
            batches: The splits train, validation and test.
            say: Tells a person, in one line, what they would not expect.
            extractor: The network below the head, where the batches are images.
        """
        self.task, self.config, self.classes, self.batches = task, config, classes, batches
        self.extractor = extractor
        keras.utils.set_random_seed(config.seed)
        inputs, _ = batches["train"].batch_spec
        self.model = build_with_dtype_policy(config.precision, self.build_model, inputs)
        if config.init_from is not None:
            warm_start(self.model, config.init_from, say, task.freeze_on_init)
        self.optimizer = with_loss_scaling(self.build_optimizer(), config.precision)
        self.optimizer.build(self.model.trainable_variables)
        self.training_loss = training_loss(task.loss, config, len(classes), batches["train"])
        check_soft_labels(task.name, config, self.loss, self.model, batches["train"])
        self.train_metrics = Metrics(task.metrics())
        self.eval_metrics = Metrics(task.metrics())
        self.step = 0
        self.history: list[EpochRecord] = []
        self.stopped: str | None = None
        """Why training ended before its last step."""
        # Training alone is compiled: a pass of evaluation is shorter than its compilation.
        self._train_span = InnerLoop(
            self.train_step, batches["train"], self.train_metrics, Jit(config.jit, say)
        )
        self._eval_spans = {
            split: InnerLoop(self.eval_step, batches[split], self.eval_metrics) for split in batches
        }

    # What a subclass changes.

    def build_model(self) -> keras.Model:
        """The network from inputs, features or images, to logits, with its weights made.

        Raises:
            UserError: the head gives no vector of logits for what it is given.
        """
        model = build_model_from(
            self.extractor, self.task.head(len(self.classes)), self.config.head
        )
        inputs, _ = self.batches["train"].batch_spec
        try:
            logits = model(tf.zeros(inputs.shape))
        except ValueError as error:
            if "incompatible with the layer" not in str(error):  # a bug of the head, to be seen
                raise
            raise UserError(
                f"the head of {self.task.name} cannot take inputs {inputs.shape}; it may want"
                " images: --extractor none, or features: choose another --extractor"
            ) from error
        if len(logits.shape) != 2:
            raise UserError(
                f"the head of {self.task.name} makes {logits.shape} of inputs {inputs.shape}, not"
                " logits [batch, classes]; it may want features: choose another --extractor"
            )
        return model

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """What turns gradients into steps: any of keras.optimizers."""
        return make_optimizer(self.config, self.steps_per_epoch)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Learn from one batch: (inputs, labels int32 [batch_size], -1 for padding).

        Returns scalars by name, "loss" among them: reports show each and its mean of an epoch.
        """
        inputs, labels = batch
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.loss(labels, logits)
        gradient_norm = self.apply_gradients(tape, loss)
        self.train_metrics.update(labels, self.task.probabilities(logits))
        return {"loss": loss, "gradient_norm": gradient_norm}

    def eval_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Measure one batch: what `train_step` does, without learning."""
        inputs, labels = batch
        logits = self.model(inputs, training=False)
        self.eval_metrics.update(labels, self.task.probabilities(logits))
        return {"loss": self.loss(labels, logits, training=False)}

    # What steps are made of.

    def loss(self, labels: tf.Tensor, logits: tf.Tensor, training: bool = True) -> tf.Tensor:
        """The task's loss, mean over the examples of a batch, and the model's regularisation.

        In training with smoothed labels and weighted classes, where the options say so.
        """
        weights = example_weights(labels)
        task_loss = self.training_loss if training else self.task.loss
        losses = task_loss(tf.maximum(labels, 0), logits) * weights
        examples = tf.maximum(tf.reduce_sum(weights), 1.0)
        of_the_model = [tf.cast(loss, tf.float32) for loss in self.model.losses]
        return tf.add_n([tf.reduce_sum(losses) / examples, *of_the_model])

    def apply_gradients(self, tape: tf.GradientTape, loss: tf.Tensor) -> tf.Tensor:
        """Let the model learn what the tape has seen; returns the global norm of the gradients."""
        variables = self.model.trainable_variables
        scale = self.optimizer.scale_loss(tf.ones_like(loss))  # 1, other than in float16
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        self.optimizer.apply(gradients, variables)
        return unscaled_global_norm(self.optimizer, gradients, scale)

    # The loop.

    def fit(self, hooks: Sequence[Hook] = ()) -> None:
        """Train up to the last step, spans of steps in the graph and hooks between them.

        A span ends where any hook wants a word, at the end of an epoch, and at the end of a pass
        over the data; then the hooks speak, in their order. Any of them can `stop` training.
        """
        train = self.batches["train"]
        while not self.finished:
            feed = train.open(self.passes, self.step % train.steps)
            end_of_pass = (self.passes + 1) * train.steps
            while self.step < end_of_pass and not self.finished:
                end_of_epoch = (self.epoch + 1) * self.steps_per_epoch
                wanted = [hook.when.next(self.step) for hook in hooks]
                end = int(
                    min(end_of_pass, end_of_epoch, self.step + MAX_STEPS_PER_EXECUTION, *wanted)
                )
                span = self._train_span(feed, self.step, end)
                self.step = end
                self.call_hooks(hooks, span)

    def call_hooks(self, hooks: Sequence[Hook], span: Span) -> None:
        """Call the hooks whose time has come, now that a span has ended at the present step."""
        for hook in hooks:
            if hook.when.due(self.step):
                hook(self, span)

    def stop(self, reason: str) -> None:
        """End training once the hooks after the one that calls this have spoken.

        Of several reasons the first is kept.
        """
        self.stopped = self.stopped or reason

    def build(self) -> None:
        """Trace the steps, so that every variable of training is there, and every metric."""
        self._train_span.build()
        self._eval_spans["validation"].build()

    def evaluate(self, split: str, averages: bool = True) -> dict[str, float]:
        """The loss and the metrics of the model on a whole split, by name.

        Of the averaged weights, where the optimizer keeps such (`--ema`), unless `averages` is
        False; else of the present ones.
        Of validation it takes the first `--validation-steps` batches alone.

        Raises:
            Interrupted: a signal asks the run to end; the model has its present weights then.
        """
        batches, run_span = self.batches[split], self._eval_spans[split]
        steps = batches.steps
        if split == "validation":
            steps = min(steps, self.config.validation_steps or steps)
        self.eval_metrics.reset()
        feed, pace, done = batches.open(pass_number=None), EverySeconds(LONGEST_SECONDS), 0
        weights = averaged(self.model, self.optimizer) if averages else nullcontext()
        with weights, signals.at_once():
            while done < steps:
                span = run_span(
                    feed, done, min(pace.next(done), done + MAX_STEPS_PER_EXECUTION, steps)
                )
                pace.measured(span.steps, span.seconds)
                done = span.last
        return self.eval_metrics.result()

    def metric_names(self, split: str) -> list[str]:
        """What train or validation is measured by, known before the first step."""
        self.build()
        metrics = self.train_metrics if split == "train" else self.eval_metrics
        return list(metrics.result())

    # Where training is. A pass over the data takes every example once. An epoch is what validation
    # and the history go by: a pass too, unless `--steps-per-epoch` says otherwise.

    @property
    def passes(self) -> int:
        """How many passes over the data are complete."""
        return self.step // self.batches["train"].steps

    @property
    def epoch(self) -> int:
        """How many epochs are complete."""
        return self.step // self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Steps from one validation to the next."""
        return self.config.steps_per_epoch or self.batches["train"].steps

    @property
    def total_steps(self) -> int:
        """The step at which training ends, if nothing stops it before."""
        return self.config.epochs * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        """Whether training is over: by its last step, or because it was stopped."""
        return self.stopped is not None or self.step >= self.total_steps

    @property
    def has_unlogged_epoch(self) -> bool:
        """Whether an epoch is over, but has no record: a run was interrupted in between."""
        recorded = self.history[-1].step if self.history else 0
        closed = self.finished or self.step % self.steps_per_epoch == 0
        return self.step > recorded and closed

    @property
    def learning_rate(self) -> float:
        """The optimizer's present step size."""
        return float(self.optimizer.learning_rate)
