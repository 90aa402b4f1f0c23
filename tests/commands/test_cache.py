"""`python -m trainer.cache`: what is kept is listed, and taken away when asked."""

import json

import filelock
import pytest

from trainer import cache, command_line


@pytest.fixture
def kept(tmp_path):
    """A cache with features of one split, and something of the user's own."""
    folder = tmp_path / "features" / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"about": "photos/train through a module"}))
    (folder / "00000.vectors.npy").write_bytes(bytes(3_000_000))
    (tmp_path / "notes.txt").write_text("not ours")
    return tmp_path


@pytest.fixture
def say(capsys):
    def run(*options: str) -> str:
        assert command_line.exit_code(cache.main, [str(option) for option in options]) == 0
        return capsys.readouterr().out

    return run


def test_it_lists_what_is_kept_with_its_size(say, kept):
    told = say("--cache-dir", kept)
    assert "photos/train through a module (aaaaaaaa)" in told
    assert "3.0" in told


def test_listing_takes_nothing_away(say, kept):
    before = sorted(kept.rglob("*"))
    say("--cache-dir", kept)
    assert sorted(kept.rglob("*")) == before


def test_clearing_takes_away_what_is_ours_and_nothing_else(say, kept):
    assert say("--cache-dir", kept, "--clear").splitlines()[-1].startswith("cleared 3.")
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("room", ["features", "datasets"])
def test_what_the_user_keeps_under_our_rooms_names_stays(say, kept, room):
    """Somebody's project may well have such folders, and be given as --cache-dir."""
    theirs = kept / room / "my_photos" / "one.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"precious")
    assert "my_photos" not in say("--cache-dir", kept)
    say("--cache-dir", kept, "--clear")
    assert theirs.read_bytes() == b"precious"


def test_features_that_a_run_is_using_stay(say, kept):
    with filelock.FileLock(kept / "features" / ("a" * 32 + ".lock")):
        told = say("--cache-dir", kept, "--clear")
    assert "photos/train through a module stays: a run is using it" in told
    assert (kept / "features" / ("a" * 32) / "00000.vectors.npy").exists()


def test_an_empty_cache_is_no_error(say, tmp_path):
    assert "cleared 0.0 MB" in say("--cache-dir", tmp_path, "--clear")


def test_unfinished_features_are_told_to_be_so(say, kept):
    folder = kept / "features" / ("b" * 32 + ".partial")
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"about": "photos/test through a module"}))
    assert "photos/test through a module, unfinished" in say("--cache-dir", kept)


def test_as_json_it_lists_path_and_size(say, kept):
    folder = kept / "features" / ("a" * 32)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    about = "photos/train through a module"
    entry = {"about": about, "path": str(folder), "megabytes": size}
    told = json.loads(say("--cache-dir", kept, "--json"))
    assert told == {"folder": str(kept), "entries": [entry]}


def test_as_json_what_is_cleared_is_gone(say, kept):
    assert json.loads(say("--cache-dir", kept, "--clear", "--json"))["entries"] == []


def test_quietly_it_tells_nothing(say, kept):
    assert say("--cache-dir", kept, "--quiet") == ""
