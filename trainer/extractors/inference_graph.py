"""Inference graphs: weights as constants, batch norms folded into convolutions.

A batch norm after a convolution scales and shifts each channel by a constant, so the kernel can do
the scaling and a bias the shift (arXiv 1712.05877, section 3.2). TensorFlow itself does not fold
batch norms after depthwise convolutions, and each of those is one more pass over the memory.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

GRAPH_OPTIMIZATIONS = "batch norms folded into convolutions"
"""What is optimized, part of the key of cached features: change it when the outputs change."""

_MOMENT_OUTPUTS = "12345"
"""The outputs of FusedBatchNormV3 after the first, which only training uses."""


def optimize_for_inference(traced: Any) -> Callable[[tf.Tensor], Any]:
    """A faster graph of a network, with its weights as constants; equal up to rounding.

    A network that needs more than its input and constants, a lookup table for example, is returned
    as it is.

    Args:
        traced: A concrete function of one tensor of images.
    """
    try:
        constant = convert_variables_to_constants_v2(traced)
    except (ValueError, KeyError, NotImplementedError, tf.errors.OpError):
        return traced
    if len(constant.inputs) > 1:
        return traced
    graph = constant.graph.as_graph_def()
    [images], outputs = constant.inputs, [tensor.name for tensor in constant.outputs]
    fold_batch_norms(graph, outputs)
    graph = _without_unused(graph, outputs)
    specification = tf.TensorSpec(images.shape, images.dtype)
    return function_of_graph(graph, specification, images.name, outputs)


def function_of_graph(
    graph: Any, images: tf.TensorSpec, input_name: str, outputs: Sequence[str]
) -> Callable[[tf.Tensor], Any]:
    """The concrete function of a GraphDef, from images to a list of the outputs."""

    def network(tensor: tf.Tensor) -> list[tf.Tensor]:
        return tf.graph_util.import_graph_def(graph, {input_name: tensor}, outputs, name="")

    return tf.function(network, [images]).get_concrete_function()


def fold_batch_norms(graph: Any, outputs: Sequence[str]) -> None:
    """Replace each batch norm by a bias, where it is the only consumer of a convolution.

    Args:
        graph: A GraphDef of constant weights, changed in place.
        outputs: The names of the tensors that the graph computes.
    """
    wiring = _Wiring(graph, outputs)
    for norm in [node for node in graph.node if node.op == "FusedBatchNormV3"]:
        convolution = wiring.node(norm.input[0])
        if _is_convolution(convolution) and wiring.is_only_consumer(norm, convolution):
            weights = wiring.constants([convolution.input[1], *norm.input[1:5]])
            if weights and _is_for_inference(norm):
                _fold(graph, convolution, norm, *weights)


def _without_unused(graph: Any, outputs: Sequence[str]) -> Any:
    """The nodes that outputs need: an export would otherwise have the folded kernels twice."""
    ops = {node.name: node.op for node in graph.node}
    for node in graph.node:
        # What once read a variable is still waited for, though now a constant stands there.
        kept = [name for name in node.input if not _waits_for_identity(name, ops)]
        node.ClearField("input")
        node.input.extend(kept)
    needed = _ancestors({node.name: node for node in graph.node}, outputs)
    kept_graph = tf.compat.v1.GraphDef()
    kept_graph.CopyFrom(graph)
    kept_graph.ClearField("node")
    kept_graph.node.extend(node for node in graph.node if node.name in needed)
    return kept_graph


def _waits_for_identity(name: str, ops: Mapping[str, str]) -> bool:
    return name.startswith("^") and ops[name[1:]] == "Identity"


def _ancestors(nodes: Mapping[str, Any], outputs: Iterable[str]) -> set[str]:
    """The names of the nodes that tensors are computed from, placeholders among them."""
    found = {name for name, node in nodes.items() if node.op == "Placeholder"}
    to_visit = [_node_name(tensor) for tensor in outputs]
    while to_visit:
        name = to_visit.pop()
        if name not in found:
            found.add(name)
            to_visit += map(_node_name, nodes[name].input)
    return found


def _node_name(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]


class _Wiring:
    """The producers and consumers of tensors in a GraphDef, looking through Identity ops."""

    def __init__(self, graph: Any, outputs: Sequence[str]) -> None:
        self._nodes = {node.name: node for node in graph.node}
        inputs = (name for node in graph.node if node.op != "Identity" for name in node.input)
        used = (name for name in (*inputs, *outputs) if not name.startswith("^"))
        self._uses = collections.Counter(self._origin(tensor) for tensor in used)

    def node(self, tensor: str) -> Any:
        """The node that computes a tensor."""
        return self._nodes[self._origin(tensor)[0]]

    def constants(self, tensors: Iterable[str]) -> list[np.ndarray] | None:
        """The values of constant tensors; None if any of them is computed."""
        nodes = [self.node(tensor) for tensor in tensors]
        if any(node.op != "Const" for node in nodes):
            return None
        return [tf.make_ndarray(node.attr["value"].tensor) for node in nodes]

    def is_only_consumer(self, norm: Any, convolution: Any) -> bool:
        """Whether only the norm uses the convolution, and only the norm's first output is used."""
        others = [(norm.name, output) for output in _MOMENT_OUTPUTS]
        return self._uses[convolution.name, "0"] == 1 and not any(self._uses[o] for o in others)

    def _origin(self, tensor: str) -> tuple[str, str]:
        """The name of the node that computes a tensor, and the number of its output."""
        name, _, output = tensor.partition(":")
        node = self._nodes[name]
        return self._origin(node.input[0]) if node.op == "Identity" else (name, output or "0")


def _is_convolution(node: Any) -> bool:
    return (
        node.op in ("Conv2D", "DepthwiseConv2dNative")
        and node.attr["T"].type == tf.float32.as_datatype_enum
    )


def _is_for_inference(norm: Any) -> bool:
    return "is_training" in norm.attr and not norm.attr["is_training"].b


def _fold(
    graph: Any, convolution: Any, norm: Any, kernel: np.ndarray, *moments: np.ndarray
) -> None:
    """Fold (x - mean) · gamma / √(variance + epsilon) + beta into kernel and bias, by channel."""
    gamma, beta, mean, variance = (moment.astype(np.float64) for moment in moments)
    scale = gamma / np.sqrt(variance + norm.attr["epsilon"].f)
    channels = kernel.shape[2:] if convolution.op == "DepthwiseConv2dNative" else [-1]
    convolution.input[1] = _add_constant(
        graph, f"{norm.name}/kernel", kernel * scale.reshape(channels)
    )
    bias = _add_constant(graph, f"{norm.name}/bias", beta - mean * scale)
    folded = tf.compat.v1.NodeDef(name=norm.name, op="BiasAdd", input=[norm.input[0], bias])
    folded.attr["T"].CopyFrom(norm.attr["T"])
    folded.attr["data_format"].CopyFrom(norm.attr["data_format"])
    norm.CopyFrom(folded)


def _add_constant(graph: Any, name: str, value: np.ndarray) -> str:
    node = graph.node.add(name=name, op="Const")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.astype(np.float32)))
    return name
