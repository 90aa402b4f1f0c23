"""Several processes that ask for the same features share the work, and any of them may die."""

import collections
import json
import logging
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import numpy as np
import pytest

from tests.features import sharing_process
from tests.features.sharing_process import slow_extractor, spec_of
from trainer.core import cache_folder
from trainer.core.progress import shown_by
from trainer.features.features import EXTRACTION_BATCH
from trainer.features.store import SHARD_ROWS, FeatureStore

EXAMPLES = 4 * SHARD_ROWS + 5


class Member:
    """A store of its own in a thread of its own: its locks are as those of another process."""

    def __init__(self, folder, seconds=0.0, log=None, examples=EXAMPLES):
        self.store = FeatureStore(folder)
        spec = spec_of(examples, slow_extractor(seconds, log))
        self.thread = threading.Thread(target=lambda: self.store.features(spec))
        self.thread.start()

    def join(self):
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.store.extracted


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The folder of features that one process extracted alone."""
    folder = tmp_path_factory.mktemp("alone")
    FeatureStore(folder).features(spec_of(EXAMPLES, slow_extractor(0)))
    return folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


@pytest.fixture
def partial(folder):
    """The folder of an extraction that is under way."""
    path = folder / f"{key()}.partial"
    path.mkdir(parents=True)
    return path


def key():
    return spec_of(EXAMPLES, slow_extractor(0)).key


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def started(folder, log, seconds=0.05):
    script = (sys.executable, sharing_process.__file__, folder, EXAMPLES, seconds, log)
    return subprocess.Popen(
        list(map(str, script)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def let_go(processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def passed(log):
    return collections.Counter(map(int, log.read_text().split()))


def test_two_share_the_shards_and_each_image_passes_once(folder, alone, tmp_path):
    log = tmp_path / "log"
    members = [Member(folder, 0.05, log) for _ in range(2)]
    extracted = [member.join() for member in members]
    assert sum(extracted) == EXAMPLES
    assert all(extracted)
    times = passed(log)
    filled_up = set(range(-EXAMPLES % EXTRACTION_BATCH))  # by the first images
    assert {number for number, count in times.items() if count > 1} <= filled_up
    assert contents(folder) == contents(alone)


def test_the_bytes_are_the_same_in_whatever_order_shards_are_made(folder, alone, partial):
    with filelock.FileLock(partial / "00000.lock"), filelock.FileLock(partial / "00002.lock"):
        member = Member(folder)
        wait_until(lambda: (partial / "00004.json").exists())
        assert not (partial / "00000.json").exists()
    member.join()
    assert contents(folder) == contents(alone)


def wait_until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_who_waits_for_the_last_shards_logs_one_line_and_takes_over(folder, partial, caplog):
    caplog.set_level(logging.INFO, "trainer.features.store")
    with filelock.FileLock(partial / "00001.lock"):
        member = Member(folder)
        wait_until(lambda: caplog.messages)
        time.sleep(0.5)
        assert caplog.messages == [f"other processes extract the last {SHARD_ROWS} images; waiting"]
    assert member.join() == EXAMPLES


@pytest.mark.parametrize("whole", [[0], [1, 3], [4], [0, 1, 2, 3, 4]])
def test_an_extraction_continues_with_the_whole_shards_in_any_order(folder, alone, partial, whole):
    copy_shards(alone, partial, whole)
    rows = sum(5 if number == 4 else SHARD_ROWS for number in whole)
    assert Member(folder).join() == EXAMPLES - rows
    assert contents(folder) == contents(alone)


def copy_shards(alone, partial, numbers):
    """The files that other processes left of the shards of these numbers."""
    shards = json.loads((alone / key() / "manifest.json").read_text())["shards"]
    for number in numbers:
        for name in (f"{number:05}.vectors.npy", f"{number:05}.labels.npy"):
            (partial / name).write_bytes((alone / key() / name).read_bytes())
        (partial / f"{number:05}.json").write_text(json.dumps(shards[number]))


def test_an_extraction_of_an_earlier_release_is_continued(folder, alone, partial):
    """It has one manifest with its whole shards, and no record of each."""
    copy_shards(alone, partial, [0, 1])
    for record in partial.glob("*.json"):
        record.unlink()
    manifest = json.loads((alone / key() / "manifest.json").read_text())
    (partial / "manifest.json").write_text(
        json.dumps({**manifest, "shards": manifest["shards"][:2]})
    )
    assert Member(folder).join() == EXAMPLES - 2 * SHARD_ROWS
    assert contents(folder) == contents(alone)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rows": 3}'])
def test_a_shard_whose_record_is_damaged_is_extracted_again(folder, alone, partial, content):
    copy_shards(alone, partial, range(5))
    (partial / "00002.json").write_bytes(content)
    assert Member(folder).join() == SHARD_ROWS
    assert contents(folder) == contents(alone)


def test_a_whole_shard_whose_file_is_damaged_is_extracted_again(folder, alone, partial):
    copy_shards(alone, partial, range(5))
    (partial / "00003.vectors.npy").write_bytes(b"")
    assert Member(folder).join() == SHARD_ROWS
    assert contents(folder) == contents(alone)


def test_what_a_killed_process_was_writing_is_removed(folder, alone, partial):
    (partial / ".00001.vectors.npy-0123").write_bytes(b"half")
    Member(folder).join()
    assert contents(folder) == contents(alone)


def test_progress_shows_the_shards_of_all(folder, alone, partial):
    copy_shards(alone, partial, [2, 3])
    reports = []

    def bar(name, unit):
        class Bar:
            def __enter__(self):
                return lambda done, total, note=None: reports.append((done, total))

            def __exit__(self, *error):
                return None

        return Bar()

    with shown_by(bar):
        Member(folder).join()
    assert reports[0] == (2 * SHARD_ROWS + EXTRACTION_BATCH, EXAMPLES)
    assert reports == sorted(reports)
    assert reports[-1] == (EXAMPLES, EXAMPLES)


def test_features_that_are_being_extracted_are_not_cleared(tmp_path):
    partial = tmp_path / "features" / f"{key()}.partial"
    partial.mkdir(parents=True)
    with filelock.FileLock(partial / "00001.lock"):
        [in_use] = cache_folder.clear(tmp_path)
    assert in_use.path == partial
    assert cache_folder.clear(tmp_path) == []
    assert not partial.exists()


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_its_shard_to_the_other(folder, alone, tmp_path):
    """SIGKILL in the middle of a shard of real processes; no image of a whole one passes again."""
    log = tmp_path / "log"
    dying, living = started(folder, log), started(folder, log)
    let_go([dying, living])
    time.sleep(random.Random(0).uniform(0.4, 1.2))
    dying.kill()
    _, errors = living.communicate(timeout=120)
    assert living.returncode == 0, errors
    assert contents(folder) == contents(alone)
    assert sum(count > 1 for count in passed(log).values()) <= SHARD_ROWS + EXTRACTION_BATCH


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whoever_is_killed_whenever_the_bytes_are_the_same(folder, alone, tmp_path, seed):
    """Three at a time, of which two are killed at random moments, until one comes to its end."""
    log, moments = tmp_path / "log", random.Random(seed)
    for _ in range(2):
        processes = [started(folder, log) for _ in range(3)]
        let_go(processes)
        for process in processes[:2]:
            time.sleep(moments.uniform(0, 0.7))
            process.kill()
        processes[2].communicate(timeout=120)
    assert contents(folder) == contents(alone)
    assert np.mean([*passed(log).values()]) < 2
