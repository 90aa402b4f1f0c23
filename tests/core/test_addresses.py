"""Addresses: recognized as text and as a path, and kept in folders of their own here."""

from pathlib import Path

import pytest

from trainer import Config, UserError
from trainer.core.addresses import address_of, local_folder, recorded_address, write_record


@pytest.mark.parametrize(
    "text",
    ["s3://bucket/logs", "gs://bucket/a/b.csv", "memory://x", "abfs+x://a@b/c", "http://h:1/x"],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_an_address_is_recognized_as_text_and_as_a_path_which_has_one_slash_less(text, kind):
    assert address_of(kind(text)) == text


@pytest.mark.parametrize(
    "text", ["logs", "/logs", "./s3:/x", "C:/logs", "tfds:flowers", "a/b:/c", "s3:"]
)
def test_a_local_path_is_no_address(text):
    assert address_of(text) is None


@pytest.mark.parametrize("text", ["file:///tmp/logs", "local:///tmp/logs"])
def test_an_address_of_this_machine_is_refused_with_the_path_to_write(text):
    with pytest.raises(UserError, match="write /tmp/logs"):
        address_of(text)


def test_an_address_that_leads_out_of_its_folder_is_refused():
    with pytest.raises(UserError, match=r"has a \.\. in it"):
        address_of("s3://bucket/../other")


def test_a_slash_at_the_end_means_nothing():
    assert address_of("s3://bucket/logs/") == "s3://bucket/logs"


def test_addresses_have_different_folders_here_of_the_same_name(tmp_path):
    one, other = (local_folder(tmp_path, f"s3://{bucket}/photos") for bucket in ("a", "b"))
    assert one != other
    assert one.name == other.name == "photos"


def test_a_config_records_addresses_as_they_were_given():
    config = Config(log_dir="s3://bucket/logs", cache_dir=Path("gs://bucket/cache"))
    assert config.as_json()["log_dir"] == "s3://bucket/logs"
    assert config.as_json()["cache_dir"] == "gs://bucket/cache"


def test_what_is_remote_is_cached_in_the_platforms_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Config(cache_dir="s3://bucket/cache").cache_folder.is_relative_to(tmp_path)


def test_a_folder_records_what_it_is_of(tmp_path):
    write_record(tmp_path, "s3://bucket/photos", {"1.jpg": "etag"})
    assert recorded_address(tmp_path) == "s3://bucket/photos"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"address": "s3://x"}', b"\xff"])
def test_a_damaged_record_is_none(tmp_path, content):
    (tmp_path / ".remote.json").write_bytes(content)
    assert recorded_address(tmp_path) is None
