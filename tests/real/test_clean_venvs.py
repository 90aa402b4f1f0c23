"""An exported model of flowers in venvs that have its runtime and nothing else."""

import subprocess
import sys

import numpy as np
import pytest

import trainer
from trainer import Config
from trainer.exporting import reload
from trainer.exporting.check import example_files
from trainer.setup.plugins import find_task

pytestmark = pytest.mark.slow

RUNTIMES = {
    "savedmodel": ["tensorflow"],
    "litert": ["ai-edge-litert", "numpy"],
    "onnx": ["onnxruntime", "numpy"],
}


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    places = {"log_dir": folder / "logs", "cache_dir": folder / "cache", "data": "sample"}
    return trainer.train(find_task("flowers"), Config(**places, epochs=2, sample_examples=150))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """JPEG, PNG, rotated by Exif, grey, with alpha … each as a file."""
    folder = tmp_path_factory.mktemp("files")
    for number, content in enumerate(example_files(224)):
        (folder / f"{number:02}.image").write_bytes(content)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("model_format", RUNTIMES)
def test_it_gives_the_scores_of_the_run(model_format, flowers, files, tmp_path):
    flowers.export(tmp_path / "model", model_format)
    expected = flowers.predict(list(map(str, files))).scores
    given = {f"file/{n}": np.frombuffer(f.read_bytes(), np.uint8) for n, f in enumerate(files)}
    if model_format != "savedmodel":  # which alone takes files; the others take what they hold
        given = {}
    np.savez(tmp_path / "in.npz", **{"input/images": pixels(files)}, **given)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", *RUNTIMES[model_format]], check=True)
    places = (tmp_path / "model", tmp_path / "in.npz", tmp_path / "out.npz")
    subprocess.run([python, "-I", reload.__file__, model_format, *places], check=True)
    answers = np.load(tmp_path / "out.npz")
    for name in ("scores", "file/scores")[: 2 if given else 1]:
        np.testing.assert_allclose(answers[name], expected, atol=1e-5)


def pixels(files):
    import tensorflow as tf

    from trainer.data.pipeline.batches import decode_and_resize

    encoded = tf.data.Dataset.from_tensor_slices([file.read_bytes() for file in files])
    decoded = encoded.map(lambda one: decode_and_resize(one, 224))
    return next(iter(decoded.batch(len(files)))).numpy()
