"""The same by real servers: an object store that speaks S3, and HTTP."""

import pytest

from tests.remote.servers import http_server
from trainer import UserError
from trainer.core.addresses import local_folder
from trainer.data.downloads import downloaded_data
from trainer.remote.folder import RemoteError, RemoteFolder
from trainer.remote.whole_folders import download_folder, upload_folder, whole_folders


def test_an_object_store_keeps_what_is_uploaded(bucket, tmp_path):
    remote = RemoteFolder(f"{bucket}/deep/folder")
    (tmp_path / "a").write_bytes(b"one")
    remote.upload(tmp_path / "a", "x/a")
    remote.write("b", b"two")
    assert {n: file.size for n, file in remote.files().items()} == {"x/a": 3, "b": 3}
    remote.download("x/a", tmp_path / "again", remote.files()["x/a"])
    assert (tmp_path / "again").read_bytes() == b"one"
    assert remote.folder_names("") == ["b", "x"]
    remote.remove("b")
    assert set(remote.files()) == {"x/a"}


def test_an_object_that_changes_has_another_version(bucket):
    remote = RemoteFolder(bucket)
    remote.write("a", b"one")
    before = remote.files()["a"]
    remote.write("a", b"two")
    assert remote.files()["a"].version != before.version
    assert before.modified is not None


def test_folders_in_an_object_store_are_whole_by_their_manifest(bucket, tmp_path):
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "a").write_bytes(b"one")
    remote = RemoteFolder(bucket)
    upload_folder(remote, tmp_path / "step-1", "step-1")
    assert whole_folders(remote.files()) == ["step-1"]
    download_folder(remote, "step-1", tmp_path / "again")
    assert (tmp_path / "again" / "a").read_bytes() == b"one"


def test_a_bucket_that_is_not_there_cannot_be_written(bucket):
    with pytest.raises(RemoteError, match="s3://no-such-bucket-here/a cannot be written"):
        RemoteFolder("s3://no-such-bucket-here").write("a", b"")


@pytest.fixture
def site(tmp_path, picture):
    """A folder that HTTP serves: class folders and a table."""
    folder = tmp_path / "site" / "photos"
    for name in ("rose", "tulip"):
        (folder / name).mkdir(parents=True)
        picture(len(name)).save(folder / name / "1.png")
    table = "path,label\nphotos/rose/1.png,rose\nphotos/tulip/1.png,tulip\n"
    (tmp_path / "site" / "labels.csv").write_text(table)
    with http_server(tmp_path / "site") as address:
        yield tmp_path / "site", address


def files_in(folder):
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_class_folders_are_downloaded_by_http(site, tmp_path):
    folder, address = site
    kept = downloaded_data(f"{address}/photos", tmp_path / "cache")
    assert files_in(kept) == files_in(folder / "photos")


def test_a_table_and_the_images_that_it_lists_are_downloaded_by_http(site, tmp_path):
    folder, address = site
    (folder / "photos" / "other.png").write_bytes(b"not in the table")
    table = downloaded_data(f"{address}/labels.csv", tmp_path / "cache")
    assert set(files_in(table.parent)) == {
        *("labels.csv", "photos/rose/1.png", "photos/tulip/1.png")
    }


def test_a_file_that_changes_on_the_server_is_downloaded_again(site, tmp_path):
    folder, address = site
    downloaded_data(f"{address}/photos", tmp_path / "cache")
    (folder / "photos" / "rose" / "1.png").write_bytes(b"longer than before, or else")
    kept = downloaded_data(f"{address}/photos", tmp_path / "cache")
    assert files_in(kept) == files_in(folder / "photos")


def test_a_server_that_does_not_answer_is_an_error(closed_port, tmp_path):
    address = f"http://127.0.0.1:{closed_port}/photos"
    with pytest.raises(UserError, match="there are no files; correct the address"):
        downloaded_data(address, tmp_path)
    assert not local_folder(tmp_path / "downloads", address).exists()
