"""The best weights of a run, wherever training has gone since."""

from __future__ import annotations

import keras
import tensorflow as tf

from trainer.checkpoints.layer_names import variables_by_name


class BestWeights:
    """A copy of a model's variables as they were best, which every checkpoint keeps too."""

    def __init__(self, model: keras.Model) -> None:
        """As they are now; the model's weights must be made."""
        self._own = variables_by_name(model)
        self.variables = {
            name: tf.Variable(variable.value, trainable=False)
            for name, variable in self._own.items()
        }
        """By the names of the model's own."""

    def keep(self) -> None:
        """The model is at its best now."""
        for name, variable in self._own.items():
            self.variables[name].assign(variable.value)

    def restore(self) -> None:
        """Bring the model back to its best."""
        for name, variable in self._own.items():
            variable.assign(self.variables[name])
