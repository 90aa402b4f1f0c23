"""Files of a remote folder are downloaded once, and again where they have changed."""

import pytest

from trainer.core.addresses import recorded_versions
from trainer.remote.downloads import download_changed, remove_others
from trainer.remote.folder import RemoteError


@pytest.fixture
def counted(remote, monkeypatch):
    """The names that are downloaded."""
    names, download = [], remote.download

    def counting(name, *arguments):
        names.append(name)
        return download(name, *arguments)

    monkeypatch.setattr(remote, "download", counting)
    return names


def synchronize(remote, folder):
    files = remote.files()
    download_changed(remote, files, folder)
    remove_others(folder, files)


def contents(folder):
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_every_file_is_downloaded(remote, tmp_path):
    remote.write("rose/1.jpg", b"one")
    remote.write("tulip/2.jpg", b"two")
    synchronize(remote, tmp_path)
    assert contents(tmp_path) == {"rose/1.jpg": b"one", "tulip/2.jpg": b"two"}


def test_a_file_that_has_not_changed_is_not_downloaded_again(remote, tmp_path, counted):
    remote.write("a", b"one")
    remote.write("b", b"one")
    synchronize(remote, tmp_path)
    remote.write("b", b"two")
    synchronize(remote, tmp_path)
    assert counted == ["a", "b", "b"] or counted == ["b", "a", "b"]
    assert contents(tmp_path)["b"] == b"two"


def test_a_file_that_is_lost_here_is_downloaded_again(remote, tmp_path):
    remote.write("a", b"one")
    synchronize(remote, tmp_path)
    (tmp_path / "a").unlink()
    synchronize(remote, tmp_path)
    assert contents(tmp_path) == {"a": b"one"}


def test_a_file_that_is_gone_there_goes_here(remote, tmp_path):
    remote.write("a", b"one")
    remote.write("b", b"one")
    synchronize(remote, tmp_path)
    remote.remove("a")
    synchronize(remote, tmp_path)
    assert contents(tmp_path) == {"b": b"one"}


def test_what_was_downloaded_before_another_failed_is_kept(remote, tmp_path, counted):
    for number in range(40):
        remote.write(f"{number:02}", b"one")
    files = remote.files()
    remote.remove("39")
    with pytest.raises(RemoteError, match="39 cannot be read"):
        download_changed(remote, files, tmp_path)
    assert recorded_versions(tmp_path)
    remote.write("39", b"one")
    counted.clear()
    synchronize(remote, tmp_path)
    assert len(contents(tmp_path)) == 40
    assert len(counted) < 40
