"""Names of layers and variables that do not hang on what else a process has made."""

import keras
import numpy as np
import pytest

from trainer.checkpoints.layer_names import layers_by_name, variables_by_name, weights_by_layer

layers = keras.layers


def head(*between):
    return keras.Sequential(
        [
            layers.Dense(4),
            layers.ReLU(),
            *between,
            layers.Dense(4, name="hidden_2"),
            layers.Dense(2),
        ]
    )


def built(model, *shape):
    model(np.zeros([1, *shape], np.float32))
    return model


def test_layers_that_keras_names_are_counted_in_their_model_alone():
    for _ in range(3):
        assert list(layers_by_name(built(head(), 3))) == ["dense", "hidden_2", "dense_1"]


def test_layers_without_variables_are_left_out():
    assert "re_lu" not in layers_by_name(built(head(), 3))


def test_variables_are_named_by_their_layer():
    names = list(variables_by_name(built(keras.Sequential([layers.Dense(2, name="logits")]), 3)))
    assert names == ["logits/kernel", "logits/bias"]


@pytest.mark.parametrize(
    "around",
    [
        lambda model: keras.Sequential([model]),
        lambda model: keras.Sequential([keras.Sequential([model])]),
    ],
)
def test_a_model_within_a_model_adds_nothing_where_keras_names_it(around):
    assert list(layers_by_name(built(around(head()), 3))) == list(layers_by_name(built(head(), 3)))


def test_a_model_within_a_model_adds_the_name_that_it_was_given():
    inner = keras.Sequential([layers.Dense(2)], name="tower_1")
    assert list(layers_by_name(built(keras.Sequential([inner]), 3))) == ["tower_1/dense"]


def test_every_variable_has_a_name_of_its_own():
    model = built(head(layers.Dropout(0.5), layers.BatchNormalization(), layers.Dropout(0.1)), 3)
    named = variables_by_name(model)
    assert {id(v) for v in named.values()} == {id(v) for v in model.variables}
    assert len(named) == len(model.variables)


def test_variables_of_the_model_itself_have_names_too():
    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.scale = self.add_weight(shape=[], name="scale")

        def call(self, inputs):
            return self.dense(inputs) * self.scale

    assert set(variables_by_name(built(Scaled(), 3))) == {"dense/kernel", "dense/bias", "scale"}


def test_a_layer_in_two_places_is_named_once():
    shared = layers.Dense(3)
    assert list(
        layers_by_name(
            built(keras.Sequential([shared, layers.ReLU(), keras.Sequential([shared])]), 3)
        )
    ) == ["dense"]


def test_weights_leave_the_seeds_of_dropout_out():
    assert list(weights_by_layer(built(head(layers.Dropout(0.5)), 3))) == [
        "dense",
        "hidden_2",
        "dense_1",
    ]
