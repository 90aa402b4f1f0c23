"""The best weights of a run, while training continues from others."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainer.checkpoints.layer_names import variables_by_name


class BestWeights:
    """A copy of a model's variables, which every checkpoint holds beside them."""

    def __init__(self, model: keras.Model) -> None:
        """Copy the present values; the model's weights must exist."""
        self.model = model
        self.variables = {
            name: tf.Variable(variable.numpy(), trainable=False)
            for name, variable in variables_by_name(model).items()
        }
        """The copies, by the names of the model's own."""

    def copy(self) -> None:
        """Copy the model's present values."""
        for name, variable in variables_by_name(self.model).items():
            self.variables[name].assign(variable.value)

    def restore(self) -> None:
        """Assign the copies to the model."""
        for name, variable in variables_by_name(self.model).items():
            variable.assign(self.variables[name])
