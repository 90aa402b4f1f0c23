"""What many specifications share: pictures, folders of them, tiny modules, and the command."""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import runpy
import socket
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

# Tests run in a process for each core: more threads would wait for each other.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# TensorFlow reads it once, when it is imported; and only then: a later import is too late.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As trainer sets it, which tests import after TensorFlow: else they compute other last bits.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

pytest_plugins = ["tests.training", "tests.sweep_tasks"]

if TYPE_CHECKING:
    from trainer.data.splits import Split

CHECKOUT = Path(__file__).parents[1]
TINY_SIDE = 8
"""Side of the images that the tiny modules take, in pixels."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--slow` runs the tests that take minutes too; `--kills 25` kills more often in chaos."""
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes too")
    parser.addoption("--kills", type=int, default=1, help="how often a test of chaos kills")
    parser.addoption("--chaos-seed", default="0", help="at which moments they do")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without it they are skipped, and say so."""
    if not config.getoption("--slow"):
        skip = pytest.mark.skip(reason="takes minutes; --slow runs it")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Names that are not UTF-8 are logged in some tests: reports go from process to process."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


class Outcome(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


# Where things lie.


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder of the project."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real data and modules beside the checkout; without them the test is skipped."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the real data of ../shared, which is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def embedded_module() -> Path:
    """The EfficientNet-Lite0 that ships with the project."""
    return CHECKOUT / "trainer" / "modules" / "efficientnet_lite0"


# Pictures.


@pytest.fixture(scope="session")
def picture() -> Callable[[int], Image.Image]:
    """A small picture of one colour, another one for each number, and none of them black."""

    def paint(number: int) -> Image.Image:
        colour = (number % 256, 255 - number % 256, 40 + number // 256)
        return Image.new("RGB", (TINY_SIDE, TINY_SIDE), colour)

    return paint


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """A picture as the bytes of a file: `encoded(picture, "JPEG", quality=95)`."""

    def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
        file = io.BytesIO()
        image.save(file, image_format, **options)
        return file.getvalue()

    return encode


@pytest.fixture
def class_folders(
    tmp_path: Path, picture: Callable[[int], Image.Image]
) -> Callable[[Mapping[str, int]], Path]:
    """Makes a folder of so many pictures, all different, in each of the folders named.

    `class_folders({"cat": 10, "dog": 10})` or `class_folders({"train/cat": 3, …})`.
    """
    number = itertools.count()

    def make(counts: Mapping[str, int]) -> Path:
        folder = tmp_path / "pictures"
        for class_folder, count in counts.items():
            (folder / class_folder).mkdir(parents=True)
            for _ in range(count):
                position = next(number)
                picture(position).save(folder / class_folder / f"{position:03}.png")
        return folder

    return make


@pytest.fixture
def cats_and_dogs(class_folders: Callable[[Mapping[str, int]], Path]) -> Path:
    """A folder that one can learn from: two classes of ten pictures."""
    return class_folders({"cat": 10, "dog": 10})


@pytest.fixture(scope="session")
def write_photos() -> Callable[[Path, int], None]:
    """Writes the first so many pictures of the flowers sample into class folders below a folder."""

    def write(folder: Path, count: int) -> None:
        from trainer.data.json_cache import JsonCache
        from trainer.data.readers.sample import sample_source

        source = sample_source("flowers", count, JsonCache())
        for split in source.splits.values():
            for number, (encoded, label) in enumerate(split.references().as_numpy_iterator()):
                class_folder = folder / source.classes[label]
                class_folder.mkdir(parents=True, exist_ok=True)
                name = f"{split.name.replace(' ', '-')}-{number:03}.jpg"
                (class_folder / name).write_bytes(encoded)

    return write


@pytest.fixture
def split_of() -> Callable[[Sequence[bytes]], Split]:
    """A split of encoded images, labelled by their positions."""
    import tensorflow as tf

    from trainer.core.hashing import fingerprint
    from trainer.data.splits import Split

    def make(images: Sequence[bytes]) -> Split:
        references = tf.data.Dataset.from_tensor_slices(
            (tf.constant(images), tf.range(len(images)))
        )
        return Split(
            name="train",
            examples=len(images),
            fingerprint=fingerprint([image.hex() for image in images]),
            references=lambda: references,
            read=tf.identity,
            shuffle_buffer_size=len(images),
            describe="example {}".format,
        )

    return make


# Modules.


@pytest.fixture(scope="session")
def tiny_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels of 8x8 images, named by what they give: vector, map, dict or text."""
    import tensorflow as tf

    images = tf.TensorSpec([None, TINY_SIDE, TINY_SIDE, 3])
    weights = tf.reshape(tf.range(12.0), [3, 4]) / 12

    class Module(tf.Module):
        def __init__(self, call: Callable[[Any], Any], spec: tf.TensorSpec) -> None:
            self.weights = tf.Variable(weights)
            self.__call__ = tf.function(lambda inputs: call(self, inputs), input_signature=[spec])

    def vector(module: Module, inputs: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(inputs, [1, 2]) @ module.weights

    calls = {
        "vector": (vector, images),
        "map": (lambda module, inputs: tf.tensordot(inputs, module.weights, 1), images),
        "dict": (lambda module, inputs: {"default": vector(module, inputs)}, images),
        "text": (lambda _, lines: tf.zeros([tf.size(lines), 4]), tf.TensorSpec([None], tf.string)),
    }
    folder = tmp_path_factory.mktemp("modules")
    for name, (call, spec) in calls.items():
        tf.saved_model.save(Module(call, spec), str(folder / name))
    return folder


@pytest.fixture(scope="session")
def module_in_parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module of two blocks of a convolution and a batch norm, with endpoints and stages."""
    import tensorflow as tf

    class Block(tf.Module):
        def __init__(self, channels: int, seed: int) -> None:
            shape = [3, 3, channels, 4]
            self.kernel = tf.Variable(tf.random.stateless_normal(shape, [0, seed]) / 4)
            self.scale, self.offset = tf.Variable(tf.ones([4])), tf.Variable(tf.zeros([4]))
            self.mean = tf.Variable(tf.zeros([4]), trainable=False)
            self.variance = tf.Variable(tf.ones([4]), trainable=False)

        def __call__(self, maps: tf.Tensor, training: bool) -> tf.Tensor:
            maps = tf.nn.conv2d(maps, self.kernel, 1, "SAME")
            mean, variance = self.mean, self.variance
            if training:
                mean, variance = tf.nn.moments(maps, [0, 1, 2])
                self.mean.assign(0.9 * self.mean + 0.1 * mean)
                self.variance.assign(0.9 * self.variance + 0.1 * variance)
            normed = tf.nn.batch_normalization(maps, mean, variance, self.offset, self.scale, 1e-3)
            return tf.nn.relu(normed)

    low_block, high_block = Block(3, 1), Block(4, 2)

    def average(maps: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.reduce_mean(maps, [1, 2])

    def above(low: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        return {"high": high_block(low, training)}

    def last(high: tf.Tensor, training: bool) -> dict[str, tf.Tensor]:
        return {"default": average(high, training)}

    @tf.function
    def whole(images: tf.Tensor, training: bool = False, return_endpoints: bool = False) -> Any:
        low = low_block(images, training)
        high = high_block(low, training)
        default = average(high, training)
        return {"low": low, "high": high, "default": default} if return_endpoints else default

    def stage(call: Callable[..., dict[str, tf.Tensor]]) -> Any:
        function = tf.function(lambda maps, training=False: call(maps, training))
        for training in (False, True):
            function.get_concrete_function(tf.TensorSpec([None, None, None, 4]), training)
        return function

    for training, endpoints in itertools.product((False, True), repeat=2):
        spec = tf.TensorSpec([None, None, None, 3])
        whole.get_concrete_function(spec, training, endpoints)
    module = tf.train.Checkpoint(low=low_block, high=high_block)
    module.variables = [*low_block.variables, *high_block.variables]
    module.trainable_variables = [v for v in module.variables if v.trainable]
    module.regularization_losses = []
    module.__call__ = whole
    module.from_endpoint = {"low": stage(above), "high": stage(last)}
    folder = tmp_path_factory.mktemp("in_parts") / "module"
    tf.saved_model.save(module, str(folder))
    return folder


@pytest.fixture(scope="session")
def vector_module(tiny_modules: Path) -> Path:
    """A module that gives each 8x8 image four numbers."""
    return tiny_modules / "vector"


# TFDS.


@pytest.fixture(scope="session")
def tiny_dataset() -> str:
    """The name of a dataset that TFDS knows for this session: 12 pictures of cats and dogs."""
    import tensorflow_datasets as tfds

    class TinyPictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self) -> tfds.core.DatasetInfo:
            features = {
                "image": tfds.features.Image(shape=(None, None, 3)),
                "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager: object) -> dict[str, Iterator]:
            return {"train": self._generate_examples()}

        def _generate_examples(self) -> Iterator[tuple[int, dict[str, Any]]]:
            for number in range(12):
                pixels = np.full([TINY_SIDE, TINY_SIDE, 3], 20 * number, np.uint8)
                yield number, {"image": pixels, "label": number % 2}

    return TinyPictures.name


@pytest.fixture(scope="session")
def prepared(tiny_dataset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir of TFDS in which the tiny dataset is prepared, in three files."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    three = tfds.download.DownloadConfig(num_shards=3)
    tfds.builder(tiny_dataset, data_dir=folder).download_and_prepare(download_config=three)
    return folder


@pytest.fixture(scope="session")
def label_datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir of TFDS with "tagged", "sized", "posed" and "mixed", by their labels."""
    from tests.label_datasets import store_label_datasets

    folder = tmp_path_factory.mktemp("label_datasets")
    store_label_datasets(folder)
    return folder


# The network.


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def through_proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sends every request of this process to a port of 127.0.0.1."""

    def send(port: int) -> None:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        # urllib remembers the proxies of its first request for good.
        monkeypatch.setattr(urllib.request, "_opener", None)

    return send


@pytest.fixture
def offline(closed_port: int, through_proxy: Callable[[int], None]) -> None:
    """No server in the world can be reached."""
    through_proxy(closed_port)


# Messages.


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """pytest's own, with our messages only: TensorFlow logs when it frees old objects."""

    def is_ours(record: logging.LogRecord) -> bool:
        return record.name.startswith("trainer")

    caplog.handler.addFilter(is_ours)
    yield caplog
    caplog.handler.removeFilter(is_ours)


# The command.


@pytest.fixture(scope="session")
def noisy_imports() -> None:
    """What TensorFlow writes while it is imported is written before a test looks at stderr."""
    import tensorflow_datasets
    import tensorflow_hub  # noqa: F401

    from trainer.runs import run  # noqa: F401

    assert tensorflow_datasets.__version__


@pytest.fixture
def run_command(
    tmp_path: Path, noisy_imports: None, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs `trainer run` in this process; its logs and cache are in tmp_path unless it is told.

    It writes no report, which takes a second, unless it is told to.
    """
    from trainer import command_line, run

    folders = ["--log-dir", str(tmp_path / "logs"), "--cache-dir", str(tmp_path / "cache")]
    folders.append("--no-report")

    def command(*options: object) -> Outcome:
        capfd.readouterr()
        code = command_line.exit_code(run.main, [*folders, *map(str, options)])
        return Outcome(code, *capfd.readouterr())

    return command


@pytest.fixture
def script(
    tmp_path: Path,
    noisy_imports: None,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[[str], Outcome]:
    """Runs a script of the user's in this process, in tmp_path."""

    def run(code: str) -> Outcome:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        (tmp_path / "my_script.py").write_text(code)
        capfd.readouterr()
        runpy.run_path(str(tmp_path / "my_script.py"), run_name="__main__")
        return Outcome(0, *capfd.readouterr())

    return run


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs Python on our checkout, in tmp_path, in a process of its own; quiet only if we are."""

    def run(*arguments: str, **environment: str) -> Outcome:
        kept = {name: v for name, v in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(CHECKOUT), **environment},
            capture_output=True,
            text=True,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def noise_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of noise, each with another tint; 90 to train with, 30 and 30."""
    folder, noise = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for split, count in {"train": 30, "valid": 10, "test": 10}.items():
        for channel, name in enumerate(["cyan", "magenta", "yellow"]):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = noise.integers(0, 256, [TINY_SIDE, TINY_SIDE, 3])
                pixels[..., channel] //= 2
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts the real command in tmp_path, in a process of its own; its errors are output too."""

    def start(*options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "trainer.run", *map(str, options)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture(scope="session")
def came_to() -> Callable[[Path], dict[str, object]]:
    """All that a finished run must come to again where it was interrupted."""

    def came_to(run: Path) -> dict[str, object]:
        result = json.loads((run / "result.json").read_text())
        kept = ("weights_digest", "metrics", "steps", "epochs", "best_step", "stopped")
        return {
            **{name: result[name] for name in kept},
            "history": (run / "history.csv").read_text(),
            "points": points_of(run),
        }

    return came_to


def points_of(run: Path) -> dict[tuple[str, str, int], object]:
    """Every point of TensorBoard's, each of which must stand there once; speeds have no value."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found = [
        ((_split_of(path, run), value.tag, event.step), _content(value))
        for path in sorted([*run.glob("*/events.*"), *run.glob("events.*")])
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    ]
    assert set(Counter(point for point, _ in found).values()) == {1}
    return {point: v if point[1] not in DIFFERING else "" for point, v in found}


DIFFERING = (
    "images_per_second",
    "config",
    "_hparams_/session_start_info",
    "_hparams_/experiment",
    "__run_graph__",
)
"""The tags that have another content wherever and whenever a run runs: times, folders, numbers
that TensorFlow gives to graphs."""


def _split_of(events: Path, run: Path) -> str:
    return "" if events.parent == run else events.parent.name


def _content(value: Any) -> object:
    """A number, or the bytes of anything else: a picture, a text."""
    from tensorboard.util import tensor_util

    if (
        value.tensor.ByteSize()
        and not value.tensor.string_val
        and not value.tensor.tensor_shape.dim
    ):
        return float(tensor_util.make_ndarray(value.tensor))
    return value.SerializeToString(deterministic=True)


# A user's own modules.


@pytest.fixture
def user_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a module of the user's into the current folder, a new one for each test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write
