"""The training loop. Read it from top to bottom; subclass it to change how a step goes.

```python
class NoisyTrainer(Trainer):  # learns from inputs with noise (Bishop, 1995)
    def train_step(self, batch):
        inputs, labels, sample_weight = batch
        noise = tf.random.stateless_normal(inputs.shape, self.seed_of(self.step), stddev=0.1)
        return super().train_step((inputs + noise, labels, sample_weight))
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import tensorflow as tf

from trainer.config.config import Config
from trainer.data.labels import output_sizes
from trainer.distribution.replicas import batch_mean, mean_over_replicas
from trainer.distribution.variables import keep_equal
from trainer.distribution.workers import Workers
from trainer.extractors.blocks import trained_blocks
from trainer.extractors.loading import MAP_LAYERS
from trainer.loop import checks
from trainer.loop.batches import Batch, Batches
from trainer.loop.current_step import CurrentStep
from trainer.loop.history import EpochRecord, parse_best
from trainer.loop.inner_loop import MAX_STEPS_PER_EXECUTION, InnerLoop, LoopOutput
from trainer.loop.metrics import Metrics
from trainer.loop.triggers import Always, Checkpointer, EverySeconds, Trigger
from trainer.loop.xla import Jit
from trainer.optimization.block_rates import scale_by_block
from trainer.optimization.ema import ema_weights
from trainer.optimization.losses import task_example_loss, training_example_loss
from trainer.optimization.optimizers import dense, make_optimizer
from trainer.optimization.precision import (
    build_with_dtype_policy,
    unscaled_global_norm,
    with_loss_scaling,
)
from trainer.report.summaries import Summaries
from trainer.task import Task

SECONDS_PER_EVALUATION_CALL = 0.5
"""How long a signal may have to wait in an evaluation."""


class Trainer:
    """Trains a task's model on batches; hooks do everything else.

    Training is a function of (config, step): initial weights, data order and dropout all follow
    from the seed and the step number.
    """

    history: list[EpochRecord]
    """The record of every epoch."""

    stopped: str | None
    """Why training ended before its last step."""

    # What a subclass changes.

    def build_model(self) -> keras.Model:
        """The network from inputs, images or features, to logits."""
        head = self.task.head(output_sizes(self.classes))
        below = [] if self.extractor is None else [self.extractor]
        between = [] if self.config.head is None else [MAP_LAYERS[self.config.head]()]
        return keras.Sequential([*below, *between, head]) if below or between else head

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """Any optimizer of Keras: how gradients change the weights."""
        return make_optimizer(self.config, self.steps_per_epoch)

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Learn from one batch.

        Returns scalars by name, "loss" among them: reports show each and its mean of an epoch.
        """
        inputs, labels, sample_weight = batch
        with tf.GradientTape() as tape:
            logits = self.model(inputs, training=True)
            loss = self.compute_loss(labels, logits, sample_weight)
            scaled_loss = self.optimizer.scale_loss(loss)  # the loss itself, other than in float16
        gradients = tape.gradient(scaled_loss, self.model.trainable_variables)
        gradient_norm = self.apply_gradients(gradients)
        self.update_metrics(labels, logits, sample_weight)
        return {"loss": loss, "gradient_norm": gradient_norm}

    def eval_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Measure one batch: what `train_step` does, without learning."""
        inputs, labels, sample_weight = batch
        logits = self.model(inputs, training=False)
        self.update_metrics(labels, logits, sample_weight, training=False)
        return {"loss": self.compute_loss(labels, logits, sample_weight, training=False)}

    # What steps are made of.

    def compute_loss(
        self, labels: Any, logits: Any, sample_weight: tf.Tensor, training: bool = True
    ) -> tf.Tensor:
        """The loss of a batch, scalar: the weighted mean of its examples', and regularization.

        In training with the loss, the smoothed labels and the weighted classes of the options.
        """
        example_loss = self.training_example_loss if training else self.example_loss
        mean = batch_mean(example_loss(labels, logits), sample_weight)
        return tf.add_n([mean, *(tf.cast(loss, tf.float32) for loss in self.model.losses)])

    def apply_gradients(self, gradients: Sequence[tf.Tensor | None]) -> tf.Tensor:
        """Let the optimizer change the model's weights; returns `when_logged` the gradients' norm.

        Args:
            gradients: One for each of the model's trainable variables, of the scaled loss.
        """
        gradients = mean_over_replicas(dense(gradients))
        gradient_norm = self.when_logged(lambda: unscaled_global_norm(self.optimizer, gradients))
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return gradient_norm

    def update_metrics(
        self, labels: Any, logits: Any, sample_weight: tf.Tensor, training: bool = True
    ) -> None:
        """Count a batch in the task's metrics, of training or of evaluation."""
        metrics = self.train_metrics if training else self.eval_metrics
        self._current.measured = labels, logits  # which reports are made of
        predictions = self.task.predictions(logits)
        metrics.update_state(self.task.hard_labels(labels), predictions, sample_weight)

    def when_logged(self, value: Callable[[], tf.Tensor]) -> tf.Tensor:
        """A scalar for reports, computed at logged steps alone and NaN at the others."""
        return self._current.when(self.is_logged, value)

    def is_logged(self, step: Any) -> Any:
        """Whether the step of a number, or of each, is a `--log-every`-th or the last of an epoch.

        Numbers are from 0: an int, a tensor or an array.
        """
        done = step + 1
        return (done % self.config.log_every == 0) | (done % self.steps_per_epoch == 0)

    def seed_of(self, step: Any) -> tf.Tensor:
        """The seed for the random numbers of a step, int32 [2], as `tf.random.stateless_…` take it.

        A step that draws several takes `tf.random.split(self.seed_of(self.step), num=…)`.
        """
        return tf.stack([self.config.seed, step])

    # The loop.

    def fit(self, hooks: Sequence[Hook] = (), checkpointer: Checkpointer | None = None) -> None:
        """Train up to the last step: calls into the graph, with hooks between them.

        A call takes as many steps as it can: up to the end of the epoch or of the data, or to the
        next step at which a hook or a checkpoint is due.
        """
        self.build()
        if self.has_unlogged_epoch:  # it was interrupted in its validation
            self._end_epoch(hooks)
        train = self.batches["train"]
        triggers = [hook.when for hook in hooks] + ([checkpointer.when] if checkpointer else [])
        iterators = train.make_iterators(self.data_epoch, first=self.step % train.steps)
        while not self.finished:
            data_epoch, iterator = self.data_epoch, next(iterators)
            while self.data_epoch == data_epoch and not self.finished:
                last = self.workers.as_chief(self._next_stop(triggers))
                output = self._train_loop(iterator, self.step, last)
                self.step = output.last
                for trigger in triggers:
                    trigger.observe(output.steps, output.seconds)
                for hook in hooks:
                    if hook.when.due(self.step, self.finished):
                        hook.on_steps_end(self, output)
                if self.workers.any(self.stopped is not None):
                    self.stop("another worker")
                if self.has_unlogged_epoch:
                    self._end_epoch(hooks)
                if checkpointer and self.workers.as_chief(
                    checkpointer.when.due(self.step, self.finished)
                ):
                    checkpointer.save()
                self.workers.check_interrupt()

    def evaluate(self, split: str, use_ema: bool = True) -> dict[str, float]:
        """The loss and the metrics of the model on a whole split, by name.

        Args:
            split: train, validation or test.
            use_ema: Evaluate the averaged weights, where the optimizer keeps them (`--ema`).

        Raises:
            Interrupted: a signal asks the run to end; the model has its present weights then.
        """
        batches, run_steps = self.batches[split], self._eval_loops[split]
        steps = self.evaluated_steps(split)
        self.eval_metrics.reset_state()
        iterator, done = batches.make_iterator(epoch=None), 0
        pace = EverySeconds(SECONDS_PER_EVALUATION_CALL)
        weights = ema_weights(self.model, self.optimizer) if use_ema else nullcontext()
        with weights, self.workers.allow_signals():
            while done < steps:
                last = min(pace.next(done), done + MAX_STEPS_PER_EXECUTION, steps)
                output = run_steps(iterator, done, self.workers.as_chief(last))
                pace.observe(output.steps, output.seconds)
                done = output.last
        return self.eval_metrics.result()

    def evaluated_steps(self, split: str) -> int:
        """The batches that an evaluation takes: of validation the first `--validation-steps`."""
        steps = self.batches[split].steps
        limit = self.config.validation_steps if split == "validation" else None
        return min(steps, limit or steps)

    def stop(self, reason: str) -> None:
        """End training after the present step; of several reasons the first is kept."""
        self.stopped = self.stopped or reason

    def write_scalars(
        self, values: Mapping[str, float], split: str = "train", step: int | None = None
    ) -> None:
        """Write values to TensorBoard by their names, at a step (the present one), in a run."""
        if self.summaries is not None:
            self.summaries.write(split, self.step if step is None else step, values)

    def _next_stop(self, triggers: Sequence[Trigger]) -> int:
        """The step at which the next call into the graph must end."""
        end_of_data = (self.data_epoch + 1) * self.batches["train"].steps
        end_of_epoch = (self.epoch + 1) * self.steps_per_epoch
        due = (trigger.next(self.step) for trigger in triggers)
        return int(min(end_of_data, end_of_epoch, self.step + MAX_STEPS_PER_EXECUTION, *due))

    def _end_epoch(self, hooks: Sequence[Hook]) -> None:
        """Validate, and hand the record of the epoch to the hooks."""
        validation = self.evaluate("validation")
        metrics = {"train": self.train_metrics.result(), "validation": validation}
        self.train_metrics.reset_state()
        epoch = -(-self.step // self.steps_per_epoch)  # one that was cut short has a number too
        record = EpochRecord(epoch, self.step, self.learning_rate, metrics)
        self.history.append(record)
        for hook in hooks:
            hook.on_epoch_end(self, record)

    # Where training is. A data epoch is a pass over the data, which takes every example once. An
    # epoch ends with validation: it is a data epoch, unless `--steps-per-epoch` says otherwise.

    @property
    def step(self) -> Any:
        """How many steps are done: an int, and within a step its number, an int32 tensor.

        Within `eval_step` it is the number of the batch.
        """
        return self._current.number

    @step.setter
    def step(self, done: int) -> None:
        self._current.number = done

    @property
    def example_indices(self) -> tf.Tensor:
        """Within a step, where the batch's examples stand in their split, int32 [batch_size]."""
        return self._current.indices

    @property
    def data_epoch(self) -> int:
        """The number of complete passes over the data."""
        return self.step // self.batches["train"].steps

    @property
    def epoch(self) -> int:
        """The number of complete epochs."""
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
        """Whether an epoch is over whose record is not in the history yet."""
        recorded = self.history[-1].step if self.history else 0
        is_over = self.finished or self.step % self.steps_per_epoch == 0
        return self.step > recorded and is_over

    @property
    def learning_rate(self) -> float:
        """The optimizer's present learning rate."""
        return float(keras.ops.convert_to_numpy(self.optimizer.learning_rate))

    # Construction.

    def __init__(
        self,
        task: Task,
        config: Config,
        classes: Sequence[str] | Mapping[str, Sequence[str]],
        batches: Mapping[str, Batches],
        extractor: keras.layers.Layer | None = None,
        warm_start: Callable[[keras.Model], None] | None = None,
    ) -> None:
        """Build the model and its optimizer.

        Args:
            task: What is learned.
            config: How.
            classes: The names of the classes, by label; of several outputs by output.
            batches: The splits train, validation and test.
            extractor: The network below the head, where the batches are images.
            warm_start: Assigns other weights than the initial ones, and may freeze layers.
        """
        self.task, self.config, self.classes, self.batches = task, config, classes, batches
        self.extractor, self._current = extractor, CurrentStep(task)
        self.strategy = tf.distribute.get_strategy()
        self.workers = Workers(self.strategy)
        self.history, self.stopped = [], None
        self.summaries: Summaries | None = None
        train, (inputs, labels, _) = batches["train"], batches["train"].batch_spec
        keras.utils.set_random_seed(config.seed)
        self.model = build_with_dtype_policy(config.precision, self.build_model)
        logits = checks.outputs_of_zeros(self.model, inputs, task.name)
        if type(self).eval_step is Trainer.eval_step:  # else it may take them as it likes
            checks.check_outputs(task, logits, output_sizes(classes))
        if warm_start is not None:
            warm_start(self.model)
        optimizer = self.build_optimizer()
        if extractor is not None and config.has_block_rates:
            scale_by_block(optimizer, trained_blocks(extractor), config, self.total_steps)
        self.optimizer = with_loss_scaling(optimizer, config.precision)
        self.optimizer.build(self.model.trainable_variables)
        self.example_loss = task_example_loss(task)
        self.training_example_loss = training_example_loss(
            task, config, output_sizes(classes), lambda: train.labels
        )
        checks.check_soft_labels(task.name, config, self.training_example_loss, labels, logits)
        logged_names = self._current.logged_names
        self.train_metrics = Metrics(task.metrics(), classes, logged_names)
        self.eval_metrics = Metrics(task.metrics(), classes, logged_names)
        of_both = self.train_metrics, self.eval_metrics
        checks.make_metric_variables(task, of_both, inputs, labels, logits)
        # Only training is compiled: an evaluation is shorter than its compilation.
        train_step, eval_step = map(self._current.in_graph, (self.train_step, self.eval_step))
        self.eval_step_with_outputs = self._current.in_graph_with_outputs(self.eval_step)
        self._train_loop = InnerLoop(train_step, train, self.train_metrics, Jit(config.jit))
        self._eval_loops = {
            split: InnerLoop(eval_step, batches[split], self.eval_metrics) for split in batches
        }

    def build(self) -> None:
        """Trace the steps, so that every variable of training and every metric exists."""
        keep_equal(self.strategy, vars(self))
        self._train_loop.build()
        checks.check_loss_scaled(self.train_step, self.optimizer)
        self._eval_loops["validation"].build()
        parse_best(self.task.best, self.eval_metrics.result())

    @property
    def traced_train_step(self) -> tf.types.experimental.ConcreteFunction:
        """The graph of `train_step`, of a batch, the step's number and the indices."""
        return self._train_loop.traced_step


class Hook:
    """Acts between the steps of training. Subclass it, and pass it to `fit`, `train` or `--hook`.

    ```python
    class HalveLearningRate(Hook):
        when = EverySteps(1000)

        def on_steps_end(self, trainer, output):
            trainer.optimizer.learning_rate.assign(trainer.learning_rate / 2)
            trainer.write_scalars({"halved_to": trainer.learning_rate})
    ```
    """

    when: Trigger = Always()
    """When `on_steps_end` is called: a call into the graph ends at each such step."""

    def on_steps_end(self, trainer: Trainer, output: LoopOutput) -> None:
        """Act on the trainer, which has just run the steps of a call: those of `output`.

        A call ends wherever any hook is due: only with `Always` does a hook see every step.
        """

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Act on the trainer, which has just validated; the record is the last of its history."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold of the hook, as JSON takes it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned when the checkpoint was written."""
