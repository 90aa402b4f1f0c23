"""Data at an address: downloaded once, whole, and again where they have changed."""

import fsspec
import pytest

from trainer import UserError
from trainer.core import cache_folder
from trainer.data.downloads import downloaded_data
from trainer.remote.folder import RemoteFolder

ADDRESS = "memory://data/photos"


@pytest.fixture
def photos():
    """A remote folder of two class folders."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    remote = RemoteFolder(ADDRESS)
    for name in ("rose/1.png", "rose/2.png", "tulip/1.png"):
        remote.write(name, name.encode())
    yield remote
    memory.store.clear()


@pytest.fixture
def table(photos):
    """A table of two of them, beside the folder."""
    content = b"path,label\nphotos/rose/1.png,rose\nphotos/tulip/1.png,tulip\n"
    RemoteFolder("memory://data").write("labels.csv", content)
    return "memory://data/labels.csv"


def names_in(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*.*") if p.name[0] != "."}


def test_a_folder_keeps_its_name_and_has_all_files(photos, tmp_path):
    folder = downloaded_data(ADDRESS, tmp_path)
    assert folder.name == "photos"
    assert names_in(folder) == {"rose/1.png", "rose/2.png", "tulip/1.png"}


def test_hidden_files_are_passed_over(photos, tmp_path):
    photos.write(".DS_Store", b"")
    assert not (downloaded_data(ADDRESS, tmp_path) / ".DS_Store").exists()


def test_a_changed_file_is_downloaded_again_and_a_removed_one_goes(photos, tmp_path):
    downloaded_data(ADDRESS, tmp_path)
    photos.write("rose/1.png", b"another")
    photos.remove("rose/2.png")
    folder = downloaded_data(ADDRESS, tmp_path)
    assert (folder / "rose" / "1.png").read_bytes() == b"another"
    assert names_in(folder) == {"rose/1.png", "tulip/1.png"}


def test_an_empty_address_is_an_error(photos, tmp_path):
    with pytest.raises(UserError, match="--data memory://data/none: there are no files"):
        downloaded_data("memory://data/none", tmp_path)


def test_of_a_table_the_images_that_it_lists_are_downloaded(table, tmp_path):
    path = downloaded_data(table, tmp_path)
    assert path.name == "labels.csv"
    assert names_in(path.parent) == {"labels.csv", "photos/rose/1.png", "photos/tulip/1.png"}


def test_an_image_that_a_table_lists_and_is_not_there_is_left_to_its_reader(
    photos, table, tmp_path
):
    photos.remove("tulip/1.png")
    assert "photos/tulip/1.png" not in names_in(downloaded_data(table, tmp_path).parent)


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.png", "s3://other/1.png"])
def test_a_path_that_leads_elsewhere_is_refused(photos, tmp_path, path):
    RemoteFolder("memory://data").write("bad.csv", f"path,label\n{path},rose\n".encode())
    with pytest.raises(UserError, match="does not lie beside the table"):
        downloaded_data("memory://data/bad.csv", tmp_path)


def test_no_table_is_an_error(photos, tmp_path):
    with pytest.raises(UserError, match="there is no such table"):
        downloaded_data("memory://data/none.csv", tmp_path)


def test_a_cache_that_cannot_be_written_is_an_error(photos, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="choose another --cache-dir"):
        downloaded_data(ADDRESS, tmp_path / "file")


def test_downloaded_data_are_listed_and_cleared_with_the_cache(photos, tmp_path):
    folder = downloaded_data(ADDRESS, tmp_path)
    [entry] = cache_folder.entries(tmp_path)
    assert entry.about == f"data of {ADDRESS}"
    assert cache_folder.clear(tmp_path) == []
    assert not folder.exists()
