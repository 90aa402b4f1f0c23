"""The inference graphs of frozen networks, kept in the cache: loading a network takes seconds.

A file is a line of JSON, with a checksum, and behind it the graph as TensorFlow serializes it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from trainer.core import atomic
from trainer.core.hashing import fingerprint, sha256
from trainer.extractors.inference_graph import function_of_graph
from trainer.extractors.loading import Extractor, Network


def kept_extractor(
    folder: Path, identity: Mapping[str, Any], load: Callable[[], Network]
) -> Extractor:
    """The extractor of an identity from the cache; else of the network, and then it is kept.

    A file that is damaged is as if it did not exist.

    Args:
        folder: Of the graphs.
        identity: Everything that determines features.
        load: Loads the network.
    """
    path = folder / f"{fingerprint(identity)}.graph"
    kept = _read(path)
    if kept is not None:
        return kept
    extractor = Extractor.from_network(load())
    with contextlib.suppress(OSError):  # it is only a matter of time
        _write(path, extractor)
    return extractor


def _write(path: Path, extractor: Extractor) -> None:
    function: Any = extractor.network
    if function.captured_inputs:  # it needs more than its graph, a lookup table say
        return
    content = function.graph.as_graph_def().SerializeToString()
    about = {
        "about": f"the network {extractor.name}",
        "name": extractor.name,
        "image_size": extractor.image_size,
        "shape": extractor.shape,
        "input": function.inputs[0].name,
        "outputs": [tensor.name for tensor in function.outputs],
        "sha256": sha256(content),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, json.dumps(about).encode() + b"\n" + content)


def _read(path: Path) -> Extractor | None:
    try:
        header, _, content = path.read_bytes().partition(b"\n")
        about = json.loads(header)
        if about["sha256"] != sha256(content):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    graph = tf.compat.v1.GraphDef.FromString(content)
    size, shape = about["image_size"], tuple(about["shape"])
    images = tf.TensorSpec([None, size, size, 3], tf.float32)
    function = function_of_graph(graph, images, about["input"], about["outputs"])
    return Extractor(about["name"], size, shape, function)
