"""Prints how fast this process extracts features, and how long it takes for a step of images.

`python -m benchmarks.scripts.onednn DATA_DIR`; TF_ENABLE_ONEDNN_OPTS says with or without oneDNN.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from trainer import Config
from trainer.core.concurrency import side_by_side
from trainer.core.tensorflow_import import import_tensorflow

BATCHES = 32


def _seconds(run: Callable[[], object]) -> float:
    run()  # traced and compiled then
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main(data_dir: Path) -> None:
    """Measure both."""
    import_tensorflow()
    import tensorflow as tf

    from benchmarks.images import EPOCHS, ours, workloads
    from trainer.extractors.loading import Extractor, load_network
    from trainer.features.features import EXTRACTION_BATCH

    extractor = Extractor.from_network(load_network(Config(extractor="efficientnet_lite0")))
    images = tf.random.uniform([EXTRACTION_BATCH, extractor.image_size, extractor.image_size, 3])

    def extract() -> None:
        deque(side_by_side([lambda: extractor(images).numpy()] * BATCHES), maxlen=0)

    horses, _ = workloads(data_dir)
    measures = {
        "images/s extracted": BATCHES * EXTRACTION_BATCH / _seconds(extract),
        "ms a step, horses-cnn": _seconds(ours(horses)) / (EPOCHS * horses.steps) * 1e3,
    }
    print(json.dumps(measures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
