"""A folder in a store without rename is whole when its manifest is there, and checked."""

import pytest

from trainer.remote.folder import RemoteError
from trainer.remote.whole_folders import (
    DamagedFolderError,
    download_folder,
    remove_folder,
    upload_folder,
    whole_folders,
)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "step-7"
    path.mkdir()
    for name in ("a", "b", "c"):
        (path / name).write_bytes(name.encode() * 100)
    return path


def test_a_folder_comes_back_as_it_was(remote, folder, tmp_path):
    upload_folder(remote, folder, "checkpoints/step-7")
    download_folder(remote, "checkpoints/step-7", tmp_path / "again")
    assert {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()} == {
        p.name: p.read_bytes() for p in folder.iterdir()
    }


@pytest.mark.parametrize("written", range(4))
def test_an_upload_that_is_killed_leaves_no_whole_folder(remote, folder, monkeypatch, written):
    """At each write, the manifest's among them."""
    left = iter(range(written))

    def killed(write):
        def wrapped(*arguments):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return write(*arguments)

        return wrapped

    monkeypatch.setattr(remote, "upload", killed(remote.upload))
    monkeypatch.setattr(remote, "write", killed(remote.write))
    with pytest.raises(KeyboardInterrupt):
        upload_folder(remote, folder, "step-7")
    assert len(remote.files()) == written
    assert whole_folders(remote.files()) == []


def test_a_whole_folder_is_listed(remote, folder):
    upload_folder(remote, folder, "step-7")
    assert whole_folders(remote.files()) == ["step-7"]


@pytest.mark.parametrize("content", [b"", b"x", b"A" * 100, None])
def test_a_damaged_file_is_noticed_and_nothing_is_written(remote, folder, tmp_path, content):
    upload_folder(remote, folder, "step-7")
    remote.remove("step-7/a") if content is None else remote.write("step-7/a", content)
    with pytest.raises(DamagedFolderError, match=r"step-7/a is (damaged|missing)"):
        download_folder(remote, "step-7", tmp_path / "again")
    assert [path.name for path in tmp_path.iterdir()] == ["step-7"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"files": {"a": 1}}', b'{"files": {"../a": {"bytes": 1, "sha256": ""}}}'],
)
def test_a_damaged_manifest_is_noticed(remote, folder, tmp_path, content):
    upload_folder(remote, folder, "step-7")
    remote.write("step-7.manifest.json", content)
    with pytest.raises(DamagedFolderError, match=r"step-7\.manifest\.json"):
        download_folder(remote, "step-7", tmp_path / "again")


def test_a_folder_that_is_not_there_is_an_error(remote, tmp_path):
    with pytest.raises(RemoteError, match=r"step-7\.manifest\.json cannot be read"):
        download_folder(remote, "step-7", tmp_path / "again")


def test_a_removed_folder_is_gone_and_others_stay(remote, folder):
    upload_folder(remote, folder, "step-7")
    upload_folder(remote, folder, "step-70")
    remove_folder(remote, "step-7", remote.files())
    assert whole_folders(remote.files()) == ["step-70"]
    assert len(remote.files()) == 4
