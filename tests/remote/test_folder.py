"""A remote folder: its files by name, and errors that say what to do."""

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from trainer import UserError
from trainer.remote.folder import RemoteError, RemoteFolder


def test_what_is_written_is_listed_and_read(remote):
    remote.write("rose/1.jpg", b"one")
    [(name, file)] = remote.files().items()
    assert (name, file.size, remote.read(name)) == ("rose/1.jpg", 3, b"one")


def test_a_folder_that_is_not_there_has_no_files(remote):
    assert remote.files() == {}


def test_files_beside_the_folder_are_not_in_it(address):
    RemoteFolder("memory://bucket/things-of-others").write("a", b"")
    RemoteFolder("memory://bucket/things").write("b", b"")
    assert set(RemoteFolder(address).files()) == {"b"}


def test_a_changed_file_has_another_version(remote):
    remote.write("a", b"one")
    before = remote.files()["a"]
    remote.write("a", b"two")
    assert remote.files()["a"].version != before.version


def test_a_download_has_the_time_at_which_the_file_was_written(remote, tmp_path):
    remote.write("a", b"one")
    remote.download("a", tmp_path / "a", remote.files()["a"])
    assert (tmp_path / "a").stat().st_mtime == pytest.approx(remote.files()["a"].modified)


def test_a_download_that_fails_leaves_nothing(remote, tmp_path):
    with pytest.raises(RemoteError, match="memory://bucket/things/a cannot be read"):
        remote.download("a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_download_of_another_size_is_refused(remote, tmp_path):
    remote.write("a", b"one")
    listed = remote.files()["a"]
    remote.write("a", b"longer")
    with pytest.raises(RemoteError, match="6 bytes in place of 3"):
        remote.download("a", tmp_path / "a", listed)


def test_a_file_can_be_uploaded_and_removed(remote, tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    remote.upload(tmp_path / "a", "deep/a")
    assert remote.read("deep/a") == b"one"
    remote.remove("deep/a")
    remote.remove("deep/a")
    assert remote.files() == {}


def test_a_name_that_leads_out_of_the_folder_is_refused(remote):
    """Whoever may write into a bucket could else write into the folders of this machine."""
    fsspec.filesystem("memory").store["/bucket/things/../../x"] = fsspec.filesystem("memory").open(
        "/y", "wb"
    )
    with pytest.raises(RemoteError, match="is no name that a file can have"):
        remote.files()


def test_an_unknown_protocol_is_an_error():
    with pytest.raises(UserError, match="nowhere://x cannot be opened"):
        RemoteFolder("nowhere://x")


def test_a_missing_package_is_named():
    """gcsfs is not installed with the tests."""
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        with pytest.raises(UserError, match=r"gs://bucket/x needs another package: .*gcsfs"):
            RemoteFolder("gs://bucket/x")
    else:
        pytest.skip("gcsfs is installed")


def test_without_fsspec_the_extra_is_named(tmp_path):
    (tmp_path / "fsspec.py").write_text("raise ImportError('no fsspec')")
    code = "from trainer.remote.folder import RemoteFolder; RemoteFolder('s3://bucket/x')"
    path = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert "s3://bucket/x needs fsspec; pip install 'tf-trainer[remote]' brings it" in done.stderr


def test_fsspec_is_imported_only_where_an_address_is_named():
    code = "import sys, trainer.run; assert 'fsspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
