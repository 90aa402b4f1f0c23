"""Images a second through EfficientNet-Lite0, from JPEG to features, in one process."""

from __future__ import annotations

import functools
import importlib.util
import logging
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

from benchmarks.measuring import Claim, Contestant, Folders, Medians, images_per_second, warmed_up
from tasks.flowers import Flowers
from trainer import Config
from trainer.core.concurrency import side_by_side
from trainer.data.pipeline.batches import image_batches
from trainer.data.readers.tfds import tfds_source
from trainer.data.splits import Split
from trainer.exporting.onnx import OPSET
from trainer.extractors.loading import Extractor, load_network
from trainer.extractors.names import EMBEDDED
from trainer.features.features import EXTRACTION_BATCH, extract
from trainer.machine.hardware import processor

MODULE = "efficientnet_lite0"
PHOTOS, ROUNDS = 256, 7

LOADED, OURS, FORWARD = "the module as loaded", "ours", "ours, the forward alone"
LARGE_BATCH = 32
LARGE = f"{FORWARD}, batches of {LARGE_BATCH}"
ONNX_RUNTIME, OPENVINO = "ONNX Runtime, the forward alone", "OpenVINO, the forward alone"
OTHERS = {ONNX_RUNTIME: "onnxruntime", OPENVINO: "openvino"}
"""Engines that run the same graph where they are installed, by the names of their modules."""


def contestants(folders: Folders) -> Sequence[Contestant]:
    """The hub's module and ours from JPEG; ours and others without decoding: 256 photos a run."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{PHOTOS}]"}, folders.data_dir)
    photos = source.splits["train"]
    extractor = Extractor.from_network(load_network(Config(extractor=MODULE)))
    runs = {
        LOADED: _as_loaded(photos, extractor),
        OURS: lambda: deque(extract(photos, extractor), maxlen=0),
        FORWARD: _forward(photos, extractor, EXTRACTION_BATCH),
        LARGE: _forward(photos, extractor, LARGE_BATCH),
        **_others(photos, extractor, folders.scratch / "extractor.onnx"),
        "decoding alone": lambda: deque(_batches(photos, extractor), maxlen=0),
    }
    return warmed_up(
        [Contestant(name, images_per_second(run, PHOTOS), ROUNDS) for name, run in runs.items()]
    )


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast as the module is, and what reading and decoding cost."""
    speed = {name: measures["images/s"] for name, measures in medians.items()}
    return [
        Claim(f"times as fast as {LOADED}", speed[OURS] / speed[LOADED], at_least=1.25),
        Claim(f"share of the speed of {FORWARD}", speed[OURS] / speed[FORWARD], at_least=0.9),
        Claim(f"{FORWARD}: times as fast as {LARGE}", speed[FORWARD] / speed[LARGE]),
        *(
            Claim(
                f"{FORWARD}: times as fast as {other}", speed[FORWARD] / speed[other], at_least=0.95
            )
            for other in OTHERS
            if other in speed
        ),
    ]


def _batches(photos: Split, extractor: Extractor) -> tf.data.Dataset:
    return image_batches(photos, extractor.image_size, EXTRACTION_BATCH)


def _as_loaded(photos: Split, extractor: Extractor) -> Callable[[], object]:
    module = hub.KerasLayer(EMBEDDED)

    def run() -> None:
        for images, _ in _batches(photos, extractor):
            module(images).numpy()

    return run


def _forward(photos: Split, extractor: Extractor, batch_size: int) -> Callable[[], object]:
    images = _decoded(photos, extractor, batch_size)
    calls = [lambda: extractor(images).numpy()] * (PHOTOS // batch_size)
    return lambda: deque(side_by_side(calls), maxlen=0)


def _others(photos: Split, extractor: Extractor, file: Path) -> dict[str, Callable[[], object]]:
    """The same graph in other engines, of equal results, in batches of 8, which suit them too."""
    missing = [m for m in ("tf2onnx", *OTHERS.values()) if importlib.util.find_spec(m) is None]
    if missing:
        print(f"extraction: others are left out; install {' '.join(missing)}", flush=True)
        return {}
    _write_onnx(extractor, file)
    images = _decoded(photos, extractor, EXTRACTION_BATCH)
    runs = {}
    for name, forward in {ONNX_RUNTIME: _onnx_runtime(file), OPENVINO: _openvino(file)}.items():
        features = forward(images.numpy())
        np.testing.assert_allclose(features, extractor(images).numpy(), atol=1e-4)
        runs[name] = _repeated(functools.partial(forward, images.numpy()))
    return runs


def _decoded(photos: Split, extractor: Extractor, batch_size: int) -> tf.Tensor:
    images, _ = next(iter(image_batches(photos, extractor.image_size, batch_size)))
    return images


def _repeated(forward: Callable[[], object]) -> Callable[[], object]:
    return lambda: [forward() for _ in range(PHOTOS // EXTRACTION_BATCH)]


def _write_onnx(extractor: Extractor, file: Path) -> None:
    import tf2onnx

    size = extractor.image_size

    @tf.function
    def features(images: tf.Tensor) -> tf.Tensor:
        return extractor(images)

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    spec = tf.TensorSpec([None, size, size, 3], tf.float32)
    tf2onnx.convert.from_function(features, [spec], opset=OPSET, output_path=str(file))


def _onnx_runtime(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = processor().cores  # as TensorFlow has
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    [images] = session.get_inputs()
    return lambda batch: session.run(None, {images.name: batch})[0]


def _openvino(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    import openvino

    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": processor().cores}
    compiled = openvino.Core().compile_model(str(file), "CPU", exact)
    return lambda batch: compiled(batch)[0]
