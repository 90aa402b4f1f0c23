import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.loop.test_batches import feature_batches, image_batches
from trainer import UserError
from trainer.loop.batches import Batches
from trainer.loop.inner_loop import InnerLoop
from trainer.loop.metrics import Metrics
from trainer.loop.xla import Jit, philox_dropout


def only_xla_runs_it(batch, number, indices):
    """TensorFlow's own kernels have no threefry."""
    return {"loss": tf.reduce_sum(tf.random.stateless_uniform([2], [1, 2], alg="threefry"))}


def is_compiled(jit: Jit, batches: Batches) -> bool:
    try:
        InnerLoop(only_xla_runs_it, batches, Metrics({}), jit)(batches.make_iterator(None), 0, 2)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def calls_python(batch, number, indices):
    return {"loss": tf.ensure_shape(tf.py_function(tf.reduce_sum, [batch[0]], tf.float32), [])}


def prints(batch, number, indices):
    tf.print(batch[1])
    return {"loss": tf.reduce_sum(batch[0])}


def writes_text(batch, number, indices):
    text = tf.strings.as_string(batch[1][0])
    return {"loss": tf.cast(tf.strings.length(text), tf.float32)}


def shapes_by_value(batch, number, indices):
    return {"loss": tf.reduce_sum(tf.fill([tf.reduce_max(batch[1])], 1.0))}


def writes_unused_text(batch, number, indices):
    tf.strings.as_string(batch[1])
    return {"loss": tf.reduce_sum(batch[0])}


IMPOSSIBLE = pytest.mark.parametrize(
    ("step", "reason"),
    [
        (calls_python, "XLA cannot compile tf.py_function"),
        (prints, "XLA cannot compile tf.print"),
        (writes_text, "XLA cannot compile AsString"),
        (writes_unused_text, "XLA cannot compile AsString"),
        (shapes_by_value, "XLA cannot compile Fill of a shape that depends on the batch's values"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@pytest.fixture
def gpu(monkeypatch):
    """TensorFlow says that there is a GPU."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])


def test_auto_compiles_the_loop_over_features():
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
def test_what_xla_cannot_compile_runs_uncompiled_and_one_line_says_why(step, reason, caplog):
    with caplog.at_level("INFO", "trainer"):
        _, compiled = Jit("auto").graph(step, feature_batches())
    assert not compiled
    assert [record.getMessage() for record in caplog.records] == [
        f"the training step runs uncompiled, more slowly: {reason}"
    ]


@IMPOSSIBLE
def test_what_must_be_compiled_and_cannot_be_is_a_users_error(step, reason):
    with pytest.raises(UserError) as error:
        Jit("on").graph(step, feature_batches())
    assert str(error.value) == (f"--jit on: {reason}; --jit auto runs the training step uncompiled")


def test_trying_xla_takes_no_step():
    steps = tf.Variable(0)

    def counting(batch, number, indices):
        steps.assign_add(1)
        return {"loss": tf.reduce_sum(batch[0])}

    Jit("on").graph(counting, feature_batches())
    assert steps.numpy() == 0


def test_trying_xla_takes_no_image_from_the_epoch(gpu):
    batches = image_batches()
    loop = InnerLoop(calls_python, batches, Metrics({}), Jit("auto"))
    assert len(loop(batches.make_iterator(None), 0, batches.steps).values["loss"]) == batches.steps


# Dropout.


ONES = tf.ones([32, 64])
SEED = 3


def dropped(**options: bool) -> np.ndarray:
    layer = keras.layers.Dropout(0.5, seed=SEED)
    with philox_dropout():
        return tf.function(lambda: layer(ONES, training=True), **options)().numpy()


def test_in_xla_keras_drops_by_philox():
    @tf.function(jit_compile=True)
    def philox(seed):
        return tf.nn.experimental.stateless_dropout(ONES, 0.5, seed, rng_alg="philox")

    # A layer's first seed is its own number and a count from 0.
    np.testing.assert_array_equal(dropped(jit_compile=True), philox(tf.constant([SEED, 0])))


def test_uncompiled_keras_drops_as_it_does_by_itself():
    layer = keras.layers.Dropout(0.5, seed=SEED)
    np.testing.assert_array_equal(dropped(), layer(ONES, training=True))


def test_afterwards_tensorflow_has_its_own_default_again():
    before = tf.nn.experimental.stateless_dropout
    dropped()
    assert tf.nn.experimental.stateless_dropout is before
