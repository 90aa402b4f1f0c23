"""One process on one core that takes part in the extraction of some photos' features.

It prints "ready" when TensorFlow and the extractor are loaded, and waits for a line. When it has
the features of all photos, it prints the time, the seconds of its core, and how many it extracted.
"""

import os
import sys
import time
from pathlib import Path

data_dir, folder, photos, core = sys.argv[1:]
os.sched_setaffinity(0, {int(core)})
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

from tasks.flowers import Flowers  # noqa: E402
from trainer import Config  # noqa: E402
from trainer.core.tensorflow_import import import_tensorflow  # noqa: E402

import_tensorflow()

from trainer.data.pipeline.batches import image_batches  # noqa: E402
from trainer.data.readers.tfds import tfds_source  # noqa: E402
from trainer.extractors.loading import Extractor, load_network  # noqa: E402
from trainer.features.features import EXTRACTION_BATCH  # noqa: E402
from trainer.features.store import FeatureSpec, FeatureStore  # noqa: E402

source = tfds_source(Flowers.dataset, {"train": f"train[:{photos}]"}, Path(data_dir))
split = source.splits["train"]
extractor = Extractor.from_network(load_network(Config()))
for images, _ in image_batches(split, extractor.image_size, EXTRACTION_BATCH).take(2):
    extractor(images).numpy()
store = FeatureStore(Path(folder))
print("ready", flush=True)
sys.stdin.readline()
began = time.process_time()
store.features(FeatureSpec("photos", {"photos": photos}, split, lambda: extractor))
print("done", time.time(), time.process_time() - began, store.extracted, flush=True)
