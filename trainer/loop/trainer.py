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
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from trainer.config import Config
from trainer.errors import UserError
from trainer.loop.batches import Batch, Batches
from trainer.loop.compiling import Jit
from trainer.loop.history import EpochRecord
from trainer.loop.metrics import Metrics, example_weights
from trainer.loop.norms import global_norm
from trainer.loop.spans import LONGEST_SPAN, SpanRunner
from trainer.task import Task

if TYPE_CHECKING:
    from trainer.loop.hooks import Hook


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
    ) -> None:
        """Build the model and its optimizer.

        Args:
            task: What is learnt.
            config: How.
            classes: The names of the classes, by label.
            batches: The splits train, validation and test.
            say: Tells a person, in one line, what they would not expect.
        """
        self.task, self.config, self.classes, self.batches = task, config, classes, batches
        keras.utils.set_random_seed(config.seed)
        self.model = self.build_model()
        self.optimizer = self.build_optimizer()
        self.optimizer.build(self.model.trainable_variables)
        self.train_metrics = Metrics(task.metrics())
        self.eval_metrics = Metrics(task.metrics())
        self.step = 0
        self.history: list[EpochRecord] = []
        # Training alone is compiled: a pass of evaluation is shorter than its compilation.
        self._train_span = SpanRunner(
            self.train_step, batches["train"], self.train_metrics, Jit(config.jit, say)
        )
        self._eval_spans = {
            split: SpanRunner(self.eval_step, batches[split], self.eval_metrics)
            for split in batches
        }

    # What a subclass changes.

    def build_model(self) -> keras.Model:
        """The network from inputs, features or images, to logits, with its weights made.

        Raises:
            UserError: the head gives no vector of logits for what it is given.
        """
        model = self.task.head(len(self.classes))
        inputs, _ = self.batches["train"].batch_spec
        logits = model(tf.zeros(inputs.shape))
        if len(logits.shape) != 2:
            raise UserError(
                f"the head of {self.task.name} makes {logits.shape} of inputs {inputs.shape}, not"
                " logits [batch, classes]; it may want features: choose another --extractor"
            )
        return model

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """What turns gradients into steps."""
        return keras.optimizers.Adam(self.config.learning_rate)

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
        return {"loss": self.loss(labels, logits)}

    # What steps are made of.

    def loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The task's loss, mean over the examples of a batch, and the model's regularisation."""
        weights = example_weights(labels)
        losses = self.task.loss(tf.maximum(labels, 0), logits) * weights
        examples = tf.maximum(tf.reduce_sum(weights), 1.0)
        return tf.add_n([tf.reduce_sum(losses) / examples, *self.model.losses])

    def apply_gradients(self, tape: tf.GradientTape, loss: tf.Tensor) -> tf.Tensor:
        """Let the model learn what the tape has seen; returns the global norm of the gradients."""
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply(gradients, variables)
        return global_norm(gradients)

    # The loop.

    def fit(self, hooks: Sequence[Hook] = ()) -> None:
        """Train up to the last epoch, spans of steps in the graph and hooks between them.

        A span ends where any hook wants a word, and at the end of an epoch; then they speak, in
        their order.
        """
        train = self.batches["train"]
        for epoch in range(self.epoch, self.config.epochs):
            feed = train.open(epoch)
            end_of_epoch = (epoch + 1) * train.steps
            while self.step < end_of_epoch:
                wanted = [hook.when.next(self.step) for hook in hooks]
                stop = int(min(end_of_epoch, self.step + LONGEST_SPAN, *wanted))
                span = self._train_span(feed, self.step, stop)
                self.step = stop
                for hook in hooks:
                    if hook.when.due(stop):
                        hook(self, span)

    def build(self) -> None:
        """Trace the training step, so that every variable of training is there to be kept."""
        self._train_span.build()

    def evaluate(self, split: str) -> dict[str, float]:
        """The loss and the metrics of the model as it is on a whole split, by name."""
        batches, run_span = self.batches[split], self._eval_spans[split]
        self.eval_metrics.reset()
        feed = batches.open(epoch=None)
        for first in range(0, batches.steps, LONGEST_SPAN):
            run_span(feed, first, min(first + LONGEST_SPAN, batches.steps))
        return self.eval_metrics.result()

    @property
    def epoch(self) -> int:
        """How many epochs are complete."""
        return self.step // self.batches["train"].steps

    @property
    def learning_rate(self) -> float:
        """The optimizer's present step size."""
        return float(self.optimizer.learning_rate)

    @property
    def total_steps(self) -> int:
        """The step at which training ends."""
        return self.config.epochs * self.batches["train"].steps
