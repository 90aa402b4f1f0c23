"""What a replica draws for its rows is what one device draws for them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.distribution.draws import draws_of_whole_batch
from trainer.distribution.rows import Rows

ROWS = Rows(2, 5, 8)
SEED = (3, 4)


def drawn(draw, rows, by_xla=False):
    """What a graph draws within a replica that has some rows of the batch."""

    @tf.function
    def graph():
        with draws_of_whole_batch(rows, by_xla):
            return draw(rows.count)

    return graph().numpy()


DRAWS = {
    "normal": lambda rows: tf.random.stateless_normal([rows, 4], SEED),
    "uniform": lambda rows: tf.random.stateless_uniform(tf.TensorShape([rows]), seed=SEED),
    "a shape in a tensor": lambda rows: tf.random.stateless_normal(
        tf.shape(tf.zeros([rows, 3])), SEED
    ),
    "gamma": lambda rows: tf.random.stateless_gamma([rows, 2], SEED, alpha=2.0),
    "noise of a layer": lambda rows: keras.random.normal([rows, 4], seed=5),
    "dropout": lambda rows: tf.nn.experimental.stateless_dropout(
        tf.ones([rows, 6]), 0.5, SEED, rng_alg="philox"
    ),
    "dropout of whole channels": lambda rows: tf.nn.experimental.stateless_dropout(
        tf.ones([rows, 6, 4]), 0.5, SEED, rng_alg="philox", noise_shape=[rows, 1, 4]
    ),
    "dropout of the steps of sequences": lambda rows: tf.nn.experimental.stateless_dropout(
        tf.ones([rows * 5, 6]), 0.5, SEED, rng_alg="philox"
    ),
}


@pytest.mark.parametrize("by_xla", [False, True])
@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_it_is_that_of_its_rows_in_the_whole_batch(draw, by_xla):
    whole = drawn(draw, Rows(0, 8, 8), by_xla)
    of_each = len(whole) // ROWS.batch_size
    own = whole[ROWS.first * of_each : ROWS.last * of_each]
    np.testing.assert_allclose(drawn(draw, ROWS, by_xla), own, rtol=1e-6)


@pytest.mark.parametrize("shape", [[], [4], [8, 2]])
def test_what_is_not_drawn_for_each_row_is_equal_on_all_replicas(shape):
    found = drawn(lambda _: tf.random.stateless_normal(shape, SEED), ROWS)
    np.testing.assert_array_equal(found, tf.random.stateless_normal(shape, SEED))


def test_outside_of_it_nothing_is_changed():
    before = tf.random.stateless_normal, tf.nn.experimental.stateless_dropout
    drawn(DRAWS["normal"], ROWS)
    assert (tf.random.stateless_normal, tf.nn.experimental.stateless_dropout) == before
