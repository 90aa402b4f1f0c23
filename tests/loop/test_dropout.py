import keras
import numpy as np
import tensorflow as tf

from trainer.loop.dropout import drawn_by_philox

ONES = tf.ones([32, 64])
SEED = 3


def dropped(**options: bool) -> np.ndarray:
    layer = keras.layers.Dropout(0.5, seed=SEED)
    with drawn_by_philox():
        return tf.function(lambda: layer(ONES, training=True), **options)().numpy()


def test_in_xla_keras_drops_what_philox_draws():
    @tf.function(jit_compile=True)
    def philox(seed):
        return tf.nn.experimental.stateless_dropout(ONES, 0.5, seed, rng_alg="philox")

    # A layer's first seed is its own number and a count from 0.
    np.testing.assert_array_equal(dropped(jit_compile=True), philox(tf.constant([SEED, 0])))


def test_uncompiled_keras_drops_what_it_drops_by_itself():
    layer = keras.layers.Dropout(0.5, seed=SEED)
    np.testing.assert_array_equal(dropped(), layer(ONES, training=True))


def test_tensorflow_is_itself_again_after():
    before = tf.nn.experimental.stateless_dropout
    dropped()
    assert tf.nn.experimental.stateless_dropout is before
