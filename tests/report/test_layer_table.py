import keras
import pytest
import tensorflow as tf

from trainer.extractors.loading import Network
from trainer.report.layer_table import layer_table

layers = keras.layers


@pytest.fixture
def head():
    """6 features to 4 units, of which statistics are kept, to 3 logits."""
    model = keras.Sequential(
        [
            layers.Dense(4, name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="logits"),
        ],
        name="head",
    )
    model(tf.zeros([8, 6]))
    return model


def test_every_layer_has_a_row_with_what_it_gives_and_how_much_of_it_learns(head):
    assert layer_table(head) == {
        "hidden (Dense)": {"output": "4", "trainable": "28", "frozen": "0"},
        "norm (BatchNormalization)": {"output": "4", "trainable": "8", "frozen": "8"},
        "logits (Dense)": {"output": "3", "trainable": "15", "frozen": "0"},
        "in all": {"output": "", "trainable": "51", "frozen": "8"},
    }


def test_a_layer_that_does_not_learn_is_frozen(head):
    head.layers[0].trainable = False
    assert layer_table(head)["hidden (Dense)"] == {"output": "4", "trainable": "0", "frozen": "28"}
    assert layer_table(head)["in all"]["frozen"] == "36"


def test_the_extractor_below_features_counts_as_frozen(head):
    extractor = layers.Dense(6)
    traced = tf.function(extractor).get_concrete_function(tf.TensorSpec([None, 2]))
    table = layer_table(head, Network("lite", 224, extractor, traced))
    assert table["lite"] == {"output": "6", "trainable": "0", "frozen": "18"}
    assert table["in all"] == {"output": "", "trainable": "51", "frozen": "26"}


def test_layers_of_a_sequential_in_the_model_have_rows_of_their_own(head):
    model = keras.Sequential([layers.Flatten(name="flat"), head])
    model(tf.zeros([8, 2, 3]))
    assert list(layer_table(model)) == [
        "flat (Flatten)",
        "head/hidden (Dense)",
        "head/norm (BatchNormalization)",
        "head/logits (Dense)",
        "in all",
    ]


def test_a_whole_application_is_one_row():
    images = keras.Input([8, 8, 3])
    maps = layers.Conv2D(5, 3, padding="same")(layers.Conv2D(4, 3, padding="same")(images))
    application = keras.Model(images, maps, name="inception")
    model = keras.Sequential([application, layers.GlobalAveragePooling2D(name="pool")])
    model(tf.zeros([2, 8, 8, 3]))
    table = layer_table(model)
    assert list(table) == ["inception (Functional)", "pool (GlobalAveragePooling2D)", "in all"]
    assert table["inception (Functional)"]["output"] == "8 x 8 x 5"


def test_a_model_that_is_no_graph_of_layers_shows_no_shapes():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.logits = layers.Dense(3, name="logits")

        def call(self, inputs):
            return self.logits(inputs)

    model = Own()
    model(tf.zeros([8, 6]))
    assert layer_table(model) == {
        "logits (Dense)": {"output": "", "trainable": "21", "frozen": "0"},
        "in all": {"output": "", "trainable": "21", "frozen": "0"},
    }
