"""Where hub modules come from: names, folders, URLs, Kaggle, weights of an extra."""

import hashlib
import http.server
import io
import json
import shutil
import sys
import tarfile
import threading
from urllib.parse import urlsplit

import pytest

from trainer import Config, UserError
from trainer.extractors.loading import Extractor, load_network
from trainer.extractors.module_sources import module_fingerprint
from trainer.extractors.names import KNOWN_MODULES, NO_EXTRACTOR, KnownModule, module_handles

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


# Names.


ON_THE_HUB = [name for name, known in KNOWN_MODULES.items() if len(known.handles) > 1]


@pytest.mark.parametrize("name", ON_THE_HUB)
def test_a_known_name_is_looked_for_on_kaggle_and_then_on_tfhub_dev(name):
    kaggle, tfhub = module_handles(name)
    assert kaggle.startswith("https://www.kaggle.com/models/google/")
    assert tfhub.startswith("https://tfhub.dev/google/imagenet/")


def test_the_embedded_module_has_a_name(embedded_module):
    assert module_handles("efficientnet_lite0") == (str(embedded_module),)


@pytest.mark.parametrize("name", [URL, "gs://bucket/module"])
def test_a_url_is_its_own_handle(name):
    assert module_handles(name) == (name,)


def test_a_folder_is_its_own_handle(vector_module):
    assert module_handles(str(vector_module)) == (str(vector_module),)


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


def test_a_known_module_takes_the_image_size_it_was_trained_on(
    cache_module, offline, embedded_module
):
    cache_module(module_handles("inception_v3")[0], embedded_module)
    assert load_network(Config(extractor="inception_v3")).image_size == 299


# URLs.


@pytest.mark.parametrize(
    ("name", "url"),
    [(URL, URL), *(("mobilenet_v2", url) for url in module_handles("mobilenet_v2"))],
)
def test_a_module_cached_under_any_of_its_urls_needs_no_network(cache_module, offline, name, url):
    cache_module(url)
    assert extractor_of(name, image_size=8).shape == (4,)


def test_the_fingerprint_of_a_cached_module_needs_no_network(cache_module, offline):
    kaggle, tfhub = module_handles("mobilenet_v2")
    cache_module(tfhub)
    of_tfhub = module_fingerprint("mobilenet_v2")
    cache_module(kaggle)
    assert module_fingerprint("mobilenet_v2") == of_tfhub


@pytest.fixture
def known_module(served, monkeypatch):
    """A known name whose first URL has no module, and its second has."""
    url, answers = served
    known = KnownModule(8, (f"{url}/first/1", f"{url}/second/1"))
    monkeypatch.setitem(KNOWN_MODULES, "known", known)
    return answers


def test_a_known_module_is_downloaded_from_the_second_url_if_the_first_has_none(
    known_module, vector_module
):
    known_module["/second/1"] = archive(vector_module)
    assert extractor_of("known").shape == (4,)


def test_a_known_module_is_downloaded_from_the_first_url_that_has_it(known_module, vector_module):
    known_module["/first/1"] = archive(vector_module)
    known_module["/second/1"] = b"no archive"
    assert extractor_of("known").shape == (4,)


def test_a_known_module_that_cannot_be_downloaded_is_refused_with_both_urls(hub_cache, offline):
    with pytest.raises(UserError) as error:
        extractor_of("resnet_v2_50")
    assert all(url in str(error.value) for url in module_handles("resnet_v2_50"))
    assert "\n" not in str(error.value)


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


# Kaggle.


HANDLE = "google/tiny/tensorFlow2/vector"


def files_of(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def kaggle(tmp_path, vector_module, embedded_module, monkeypatch):
    """What is asked of a server that answers as Kaggle's does, with two modules in version 3."""
    pytest.importorskip("kagglehub", reason="needs the extra kaggle")
    from kagglesdk import kaggle_env

    asked = []
    modules = {"tiny": files_of(vector_module), "lite": files_of(embedded_module)}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service, method = self.path.rsplit("/", 1)
            asked.append(method)
            files = modules.get(request["modelSlug"], {})
            if service != "/v1/models.ModelApiService" or not files:
                self.send_error(404)
            elif method == "GetModelInstance":
                self.answer(json.dumps({"versionNumber": 3}).encode(), "application/json")
            elif method == "ListModelInstanceVersionFiles":
                listed = {"files": [{"name": name} for name in files]}
                self.answer(json.dumps(listed).encode(), "application/json")
            elif method == "DownloadModelInstanceVersion" and request["versionNumber"] == 3:
                self.answer(files[request["path"]].read_bytes(), "application/octet-stream")
            else:
                self.send_error(404)

        def answer(self, content, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-account"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, url)
        yield asked
        server.shutdown()


def test_a_module_is_downloaded_from_kaggle_by_its_handle(kaggle):
    assert extractor_of(f"kaggle:{HANDLE}/3").shape == (4,)


def test_without_a_version_it_is_the_newest_on_kaggle(kaggle):
    assert module_fingerprint(f"kaggle:{HANDLE}") == module_fingerprint(f"kaggle:{HANDLE}/3")


def test_a_module_of_kaggle_is_fine_tuned_like_any_other(kaggle):
    name = "kaggle:google/lite/tensorFlow2/vector/3@block_2"
    network = load_network(Config(extractor=name, transfer="finetune"), trainable=True)
    assert network.shape == (24,)
    assert network.layer.trainable_variables


def test_nothing_is_printed_while_a_module_is_downloaded(kaggle, capsys):
    extractor_of(f"kaggle:{HANDLE}/3")
    assert capsys.readouterr().out == ""


def test_a_version_in_the_cache_of_kagglehub_needs_no_network(kaggle):
    extractor_of(f"kaggle:{HANDLE}/3")
    kaggle.clear()
    extractor_of(f"kaggle:{HANDLE}/3")
    assert kaggle == []


@pytest.mark.parametrize("handle", ["google/other/tensorFlow2/vector/1", f"{HANDLE}/9"])
def test_what_kaggle_does_not_have_is_refused_on_one_line(kaggle, handle):
    with pytest.raises(UserError, match=rf"^--extractor kaggle:{handle} cannot be downloaded \(.*"):
        extractor_of(f"kaggle:{handle}")


@pytest.mark.parametrize("handle", ["google/tiny", "google/tiny/keras/vector", ""])
def test_a_handle_that_is_not_of_tensorflow_2_is_refused_with_the_form(kaggle, handle):
    with pytest.raises(UserError, match="OWNER/MODEL/tensorFlow2/VARIATION"):
        extractor_of(f"kaggle:{handle}")


def test_kaggle_without_the_extra_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(UserError, match=r"needs kagglehub; pip install 'tf-trainer\[kaggle\]'"):
        extractor_of(f"kaggle:{HANDLE}/3")
