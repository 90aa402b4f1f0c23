import pytest
import tensorflow as tf

from tests.loop.test_batches import feature_batches, image_batches
from trainer import UserError
from trainer.loop.batches import Batches
from trainer.loop.inner_loop import InnerLoop
from trainer.loop.metrics import Metrics
from trainer.loop.xla import Jit


def only_xla_runs_it(batch):
    """TensorFlow's own kernels know no threefry."""
    return {"loss": tf.reduce_sum(tf.random.stateless_uniform([2], [1, 2], alg="threefry"))}


def is_compiled(jit: Jit, batches: Batches) -> bool:
    try:
        InnerLoop(only_xla_runs_it, batches, Metrics({}), jit)(batches.open(None), 0, 2)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def calls_python(batch):
    return {"loss": tf.ensure_shape(tf.py_function(tf.reduce_sum, [batch[0]], tf.float32), [])}


def prints(batch):
    tf.print(batch[1])
    return {"loss": tf.reduce_sum(batch[0])}


def writes_text(batch):
    text = tf.strings.as_string(batch[1][0])
    return {"loss": tf.cast(tf.strings.length(text), tf.float32)}


def shapes_by_value(batch):
    return {"loss": tf.reduce_sum(tf.fill([tf.reduce_max(batch[1])], 1.0))}


def writes_text_for_nobody(batch):
    tf.strings.as_string(batch[1])
    return {"loss": tf.reduce_sum(batch[0])}


IMPOSSIBLE = pytest.mark.parametrize(
    ("step", "reason"),
    [
        (calls_python, "XLA cannot compile tf.py_function"),
        (prints, "XLA cannot compile tf.print"),
        (writes_text, "XLA cannot compile AsString"),
        (writes_text_for_nobody, "XLA cannot compile AsString"),
        (shapes_by_value, "XLA cannot compile Fill of a shape that only the batch's values tell"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@pytest.fixture
def gpu(monkeypatch):
    """TensorFlow says that there is a GPU."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])


def test_auto_compiles_spans_over_features():
    assert is_compiled(Jit("auto"), feature_batches())


def test_auto_leaves_images_uncompiled_on_a_cpu():
    assert not is_compiled(Jit("auto"), image_batches())


def test_auto_compiles_steps_over_images_where_there_is_a_gpu(gpu):
    assert is_compiled(Jit("auto"), image_batches())


def test_on_compiles_steps_over_images_anywhere():
    assert is_compiled(Jit("on"), image_batches())


def test_off_compiles_nothing():
    assert not is_compiled(Jit("off"), feature_batches())


@IMPOSSIBLE
def test_what_xla_cannot_compile_runs_uncompiled_and_one_line_says_why(step, reason):
    said = []
    _, compiled = Jit("auto", said.append).graph(step, feature_batches())
    assert not compiled
    assert said == [f"the training step runs uncompiled, more slowly: {reason}"]


@IMPOSSIBLE
def test_what_must_be_compiled_and_cannot_be_is_the_users_to_mend(step, reason):
    with pytest.raises(UserError) as error:
        Jit("on").graph(step, feature_batches())
    assert str(error.value) == (f"--jit on: {reason}; --jit auto runs the training step uncompiled")


def test_asking_xla_takes_no_step():
    steps = tf.Variable(0)

    def counting(batch):
        steps.assign_add(1)
        return {"loss": tf.reduce_sum(batch[0])}

    Jit("on").graph(counting, feature_batches())
    assert steps.numpy() == 0


def test_asking_xla_takes_no_image_from_the_epoch(gpu):
    batches = image_batches()
    runner = InnerLoop(calls_python, batches, Metrics({}), Jit("auto", lambda line: None))
    assert len(runner(batches.open(None), 0, batches.steps).values["loss"]) == batches.steps
