"""Hub modules as extractors: found by name, folder or URL; refused where they give no features."""

import hashlib
import http.server
import io
import shutil
import tarfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import tensorflow as tf

from trainer import Config, UserError
from trainer.extractors.loading import Extractor, load_network
from trainer.extractors.names import KNOWN_MODULES, NO_EXTRACTOR, module_handle

URL = "https://example.invalid/a/feature_vector/1"
QUERY = "tf-hub-format=compressed"
"""What tensorflow_hub adds to the URL of a module that it downloads."""


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """The cache folder of tensorflow_hub, empty."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def cache_module(hub_cache, vector_module):
    """Puts a module where tensorflow_hub would have cached it for a URL."""

    def put(url, module=vector_module):
        shutil.copytree(module, hub_cache / hashlib.sha1(url.encode()).hexdigest())

    return put


@pytest.fixture
def served(hub_cache, monkeypatch):
    """The URL of a server, and its answers by path; a path without an answer is not found."""
    answers = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = urlsplit(self.path)
            if asked.query != QUERY or asked.path not in answers:
                self.send_error(404)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers[asked.path])

        def log_message(self, *_):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", answers
        server.shutdown()


def archive(folder):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.add(folder, arcname=".")
    return file.getvalue()


def extractor_of(name: str, image_size: int | None = None) -> Extractor:
    return Extractor.from_network(load_network(Config(extractor=name, image_size=image_size)))


def images(side=8):
    return tf.random.stateless_uniform([3, side, side, 3], seed=[1, 2])


# Names.


@pytest.mark.parametrize("name", KNOWN_MODULES)
def test_a_known_name_is_a_module_of_the_hub_or_an_embedded_one(name):
    handle = module_handle(name)
    embedded = (Path(handle) / "saved_model.pb").is_file()
    assert embedded or handle.startswith("https://tfhub.dev/google/imagenet/")


def test_the_embedded_module_has_a_name(embedded_module):
    assert Path(module_handle("efficientnet_lite0")) == embedded_module


@pytest.mark.parametrize("name", [URL, "gs://bucket/module"])
def test_a_url_is_its_own_handle(name):
    assert module_handle(name) == name


def test_a_folder_is_its_own_handle(vector_module):
    assert module_handle(str(vector_module)) == str(vector_module)


@pytest.mark.parametrize(
    ("wrong", "right"), [("mobilenet_v3", "mobilenet_v2"), ("inceptionv3", "inception_v3")]
)
def test_a_mistyped_name_is_answered_with_the_nearest(wrong, right):
    with pytest.raises(UserError, match=rf"^--extractor {wrong}: did you mean {right}\?"):
        extractor_of(wrong)


@pytest.mark.parametrize("known", [*KNOWN_MODULES, NO_EXTRACTOR])
def test_an_unknown_name_is_answered_with_all_names(known):
    with pytest.raises(UserError, match=rf"\b{known}\b"):
        extractor_of("./zzz")


# Features.


def test_the_features_are_the_outputs_of_the_module(vector_module):
    expected = tf.saved_model.load(str(vector_module))(images())
    np.testing.assert_array_equal(extractor_of(str(vector_module))(images()), expected)


def test_the_shape_of_the_features_is_known(vector_module):
    assert extractor_of(str(vector_module)).shape == (4,)


def test_the_image_size_is_that_of_the_signature(vector_module):
    assert extractor_of(str(vector_module)).image_size == 8


def test_the_embedded_module_takes_224_pixels_and_gives_1280_features():
    network = load_network(Config(extractor="efficientnet_lite0"))
    assert (network.image_size, network.shape) == (224, (1280,))


def test_a_module_of_any_image_size_takes_the_one_given():
    extractor = extractor_of("efficientnet_lite0", image_size=64)
    assert extractor(images(side=64)).shape == (3, 1280)


def test_a_batch_may_have_any_size(vector_module):
    extractor = extractor_of(str(vector_module))
    assert extractor(images()[:1]).shape == (1, 4)


def test_a_known_module_takes_the_image_size_it_was_trained_on(
    cache_module, offline, embedded_module
):
    cache_module(module_handle("inception_v3"), embedded_module)
    assert load_network(Config(extractor="inception_v3")).image_size == 299


# URLs.


@pytest.mark.parametrize("name", [URL, "mobilenet_v2"])
def test_a_cached_module_needs_no_network(cache_module, offline, name):
    cache_module(module_handle(name))
    assert extractor_of(name, image_size=8).shape == (4,)


def test_a_module_is_downloaded_from_its_url(served, vector_module):
    url, answers = served
    answers["/module/1"] = archive(vector_module)
    assert extractor_of(f"{url}/module/1").shape == (4,)


def test_a_module_is_downloaded_once(served, vector_module):
    url, answers = served
    answers["/module/1"] = archive(vector_module)
    extractor_of(f"{url}/module/1")
    answers.clear()
    assert extractor_of(f"{url}/module/1").shape == (4,)


@pytest.mark.parametrize(
    ("name", "kind"), [("../outside", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)]
)
def test_an_archive_that_writes_outside_its_folder_is_refused(served, hub_cache, name, kind):
    url, answers = served
    member, file = tarfile.TarInfo(name), io.BytesIO()
    member.type, member.linkname = kind, str(hub_cache.parent)
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.addfile(member)
    answers["/module/1"] = file.getvalue()
    with pytest.raises(UserError, match="cannot be loaded"):
        extractor_of(f"{url}/module/1")
    assert not list(hub_cache.parent.rglob("outside")) + list(hub_cache.parent.rglob("link"))


@pytest.mark.parametrize(
    "answer", [None, b"", b"<html>sign in</html>", b"\x1f\x8b half an archive"]
)
def test_a_url_without_a_module_is_refused_with_what_to_do(served, answer):
    url, answers = served
    if answer is not None:
        answers["/module/1"] = answer
    with pytest.raises(UserError, match=rf"^--extractor {url}.* cannot be loaded \(.*TFHUB_CACHE"):
        extractor_of(f"{url}/module/1")


def test_a_url_that_cannot_be_reached_is_refused_on_one_line(hub_cache, offline):
    with pytest.raises(UserError) as error:
        extractor_of(URL)
    assert str(error.value).startswith(f"--extractor {URL} cannot be loaded (")
    assert "\n" not in str(error.value)


# Unusable modules.


@pytest.fixture
def damaged(vector_module, tmp_path):
    """A copy of the tiny module in which one file is cut to its first bytes."""

    def cut(name):
        folder = shutil.copytree(vector_module, tmp_path / "damaged")
        (folder / name).write_bytes((folder / name).read_bytes()[:10])
        return str(folder)

    return cut


def test_a_folder_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=rf"^--extractor {tmp_path} cannot be loaded .*saved_model"):
        extractor_of(str(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00001",
    ],
)
def test_a_damaged_saved_model_is_refused(damaged, name):
    folder = damaged(name)
    with pytest.raises(UserError, match=rf"^--extractor {folder} cannot be loaded "):
        extractor_of(folder)


def test_a_module_without_features_is_refused_with_its_output(tiny_modules):
    with pytest.raises(UserError, match=r"dict gives a dict, neither a vector nor a feature map "):
        extractor_of(str(tiny_modules / "dict"))


@pytest.mark.parametrize(("kind", "size"), [("text", None), ("vector", 9)])
def test_a_module_that_does_not_take_images_of_the_size_is_refused(tiny_modules, kind, size):
    with pytest.raises(UserError, match=rf"{kind} takes no float images .*--image-size"):
        extractor_of(str(tiny_modules / kind), size)
