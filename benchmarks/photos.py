"""Photos of 12 megapixels: decoded and resized as before and now, and what a head learns of them.

Before, every pixel was decoded, and resized without antialiasing. Photos of tf_flowers are enlarged
to 4000 x 3000 pixels, as they are and with noise; with Exif, as cameras write it, and without.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageChops
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measuring import Claim, Contestant, Folders, Measures, Medians, warmed_up
from tasks.flowers import Flowers
from trainer import Config
from trainer.data.images.decoding import decode
from trainer.data.images.orientation import ORIENTATION_TAG, UPRIGHT
from trainer.data.pipeline.batches import PREFETCH, decode_and_resize, without_autotune
from trainer.data.readers.tfds import tfds_source
from trainer.extractors.loading import Extractor, load_network
from trainer.features.features import EXTRACTION_BATCH

SIDES, SIGMA, QUALITY = (4000, 3000), 6, 85
"""Width and height in pixels, the standard deviation of the noise, and the quality of the JPEG."""

PHOTOS, DECODED, ROUNDS = 720, 32, 5
NO_NOISE = 128
"""The shade of the image of noise that changes nothing."""

FOLDS, INVERSE_PENALTY = 8, 1e-2
SIZE = 224

BEFORE, NOW = "as before", "now"
NOISY, PLAIN, SMOOTH = "noise", "noise, without Exif", "no noise"
EXTRACTED = "to features"
CORE = "images/s of a core's time"

Prepare = Callable[[tf.Tensor], tf.Tensor]


def contestants(folders: Folders) -> Sequence[Contestant]:
    """Both ways on 32 photos of each kind; and to features on all, with a head for each."""
    files, labels = _written(folders)
    extractor = Extractor.from_network(load_network(Config(extractor="efficientnet_lite0")))
    decoding = [
        Contestant(f"{way}: {kind}", _decoding(prepare, files[kind]), ROUNDS)
        for kind in files
        for way, prepare in WAYS.items()
    ]
    learning = [
        Contestant(
            *(f"{way}: {NOISY}, {EXTRACTED}", _learning(prepare, files[NOISY], labels, extractor)),
            ROUNDS,
        )
        for way, prepare in WAYS.items()
    ]
    return warmed_up([*decoding, *learning])


def claims(medians: Medians) -> Sequence[Claim]:
    """How many times as fast each kind of photo is, how near to the reference, and accuracy."""

    def times(what: str) -> float:
        now, before = (medians[f"{way}: {what}"]["images/s"] for way in (NOW, BEFORE))
        return now / before

    accuracy = {way: medians[f"{way}: {NOISY}, {EXTRACTED}"]["test accuracy"] for way in WAYS}
    gained = accuracy[NOW] - accuracy[BEFORE]
    timed = (NOISY, PLAIN, SMOOTH, f"{NOISY}, {EXTRACTED}")
    return [
        *(Claim(f"{what}: times as fast as before", times(what), at_least=1.9) for what in timed),
        Claim(f"{NOISY}: test accuracy less that of before", gained, at_least=0),
        *(
            Claim(f"{kind}: mean error", medians[f"{NOW}: {kind}"]["mean error"], at_most=0.004)
            for kind in (NOISY, SMOOTH)
        ),
    ]


def _before(encoded: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.image.resize(decode(encoded), [SIZE, SIZE]), [SIZE, SIZE, 3]) / 255.0


def _now(encoded: tf.Tensor) -> tf.Tensor:
    return decode_and_resize(encoded, SIZE)


WAYS: dict[str, Prepare] = {BEFORE: _before, NOW: _now}


def _reference(encoded: tf.Tensor) -> tf.Tensor:
    """Every pixel decoded, and resized with the same filter."""
    resized = tf.image.resize(decode(encoded), [SIZE, SIZE], "lanczos3", antialias=True)
    return tf.clip_by_value(resized / 255.0, 0.0, 1.0)


def _decoding(prepare: Prepare, files: Sequence[str]) -> Callable[[], Measures]:
    batches = _batches(prepare, files[:DECODED])
    reference = _batches(_reference, files[:DECODED])
    errors = [np.abs(a - b).mean() for a, b in zip(batches, reference, strict=True)]
    error = float(np.mean(errors))
    return _timed(lambda: deque(batches, maxlen=0), {"mean error": error})


def _learning(
    prepare: Prepare, files: Sequence[str], labels: np.ndarray, extractor: Extractor
) -> Callable[[], Measures]:
    """The accuracy is that of photos that a head was not trained on, of all in turn."""

    def features(of: Sequence[str]) -> np.ndarray:
        return np.concatenate([extractor(images).numpy() for images in _batches(prepare, of)])

    head = make_pipeline(StandardScaler(), LogisticRegression(C=INVERSE_PENALTY, max_iter=500))
    accuracy = float(cross_val_score(head, features(files), labels, cv=FOLDS).mean())
    return _timed(lambda: features(files[:DECODED]), {"test accuracy": accuracy})


def _timed(run: Callable[[], object], others: Measures) -> Callable[[], Measures]:
    """A run over 32 photos, by the clock and by the time of the cores, which others do not slow."""

    def timed() -> Measures:
        began, used = time.perf_counter(), time.process_time()
        run()
        seconds, core_seconds = time.perf_counter() - began, time.process_time() - used
        speeds = {"images/s": DECODED / seconds, CORE: DECODED / core_seconds}
        return {**speeds, **others}

    return timed


def _batches(prepare: Prepare, files: Sequence[str]) -> tf.data.Dataset:
    images = tf.data.Dataset.from_tensor_slices(list(files)).map(
        lambda path: prepare(tf.io.read_file(path)),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return without_autotune(images.batch(EXTRACTION_BATCH).prefetch(PREFETCH))


def _written(folders: Folders) -> tuple[dict[str, list[str]], np.ndarray]:
    """The files of the photos by their kind, and their labels."""
    source = tfds_source(Flowers.dataset, {"train": f"train[:{PHOTOS}]"}, folders.data_dir)
    photos = list(source.splits["train"].references().as_numpy_iterator())
    shades = np.random.default_rng(0).normal(NO_NOISE, SIGMA, [SIDES[1], SIDES[0], 3])
    noise = Image.fromarray(np.uint8(np.clip(np.round(shades), 0, 255)))

    def write(number: int) -> dict[str, str]:
        return _write_kinds(photos[number][0], noise, number, folders.scratch)

    with ThreadPoolExecutor() as pool:
        written = list(pool.map(write, range(len(photos))))
    files = {
        kind: [paths[kind] for paths in written if kind in paths] for kind in (NOISY, PLAIN, SMOOTH)
    }
    return files, np.array([label for _, label in photos])


def _write_kinds(encoded: bytes, noise: Image.Image, number: int, folder: Path) -> dict[str, str]:
    """The files of one photo; after the first 32 only that with noise."""
    small = Image.fromarray(tf.io.decode_jpeg(encoded, 3).numpy())
    smooth = small.resize(SIDES, Image.Resampling.BILINEAR)
    moved = ImageChops.offset(noise, number * 97, 0)
    noisy = ImageChops.add(smooth, moved, offset=-NO_NOISE)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = UPRIGHT
    images = {NOISY: (noisy, exif.tobytes())}
    if number < DECODED:
        images |= {PLAIN: (noisy, b""), SMOOTH: (smooth, exif.tobytes())}
    paths = {kind: str(folder / f"{number}-{place}.jpg") for place, kind in enumerate(images)}
    for kind, (image, segment) in images.items():
        image.save(paths[kind], quality=QUALITY, exif=segment)
    return paths
