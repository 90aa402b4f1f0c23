"""A run folder is uploaded as it grows: files that change, and whole checkpoints."""

import json
import logging
import shutil
import time

import pytest

from trainer.core.run_folder import RunFolder
from trainer.remote import uploads as uploads_module
from trainer.remote.folder import RemoteError, RemoteFolder
from trainer.remote.uploads import Uploads, uploaded
from trainer.remote.whole_folders import whole_folders


@pytest.fixture
def run(tmp_path):
    """A run folder with a config and events."""
    folder = RunFolder(tmp_path / "run")
    (folder.path / "train").mkdir(parents=True)
    folder.checkpoints.mkdir()
    folder.config.write_text("{}")
    (folder.path / "train" / "events.out.tfevents.1").write_bytes(b"events")
    folder.lock.touch()
    return folder


def save_checkpoint(run, step):
    path = run.checkpoints / f"step-{step}"
    path.mkdir()
    (path / "training.json").write_text(json.dumps({"step": step}))


def names(remote):
    return set(remote.files())


def test_files_and_checkpoints_are_uploaded_and_what_is_hidden_is_not(run, remote):
    save_checkpoint(run, 10)
    (run.checkpoints / ".writing-1").mkdir()
    Uploads(run, remote).upload_changes()
    assert names(remote) == {
        *("config.json", "train/events.out.tfevents.1"),
        *("checkpoints/step-10/training.json", "checkpoints/step-10.manifest.json"),
    }


def test_only_what_has_changed_is_uploaded_again(run, remote, monkeypatch):
    uploads, written = Uploads(run, remote), []
    uploads.upload_changes()
    upload = remote.upload
    monkeypatch.setattr(
        remote, "upload", lambda path, name: (written.append(name), upload(path, name))
    )
    run.history.write_text("epoch\n1\n")
    uploads.upload_changes()
    uploads.upload_changes()
    assert written == ["history.csv"]
    run.history.write_text("epoch\n1\n2\n")
    uploads.upload_changes()
    assert remote.read("history.csv") == b"epoch\n1\n2\n"


def test_events_are_there_before_the_checkpoint_that_counts_them(run, remote, monkeypatch):
    save_checkpoint(run, 10)
    order, upload, write = [], remote.upload, remote.write
    monkeypatch.setattr(
        remote, "upload", lambda path, name: (order.append(name), upload(path, name))
    )
    monkeypatch.setattr(
        remote, "write", lambda name, content: (order.append(name), write(name, content))
    )
    Uploads(run, remote).upload_changes()
    assert order.index("train/events.out.tfevents.1") < order.index(
        "checkpoints/step-10/training.json"
    )
    assert order[-1] == "checkpoints/step-10.manifest.json"


def test_a_checkpoint_that_is_removed_here_is_removed_there(run, remote):
    save_checkpoint(run, 1)
    uploads = Uploads(run, remote)
    uploads.upload_changes()
    save_checkpoint(run, 10)
    (run.checkpoints / "step-1" / "training.json").unlink()
    (run.checkpoints / "step-1").rmdir()
    uploads.upload_changes()
    assert whole_folders(remote.files()) == ["checkpoints/step-10"]
    assert not [name for name in names(remote) if name.startswith("checkpoints/step-1/")]


def test_a_folder_that_somebody_removes_here_stays_there(run, remote):
    save_checkpoint(run, 1)
    uploads = Uploads(run, remote)
    uploads.upload_changes()
    before = names(remote)
    shutil.rmtree(run.path)
    uploads.upload_changes()
    assert names(remote) == before


def test_checkpoints_that_somebody_removes_here_stay_there(run, remote):
    save_checkpoint(run, 1)
    uploads = Uploads(run, remote)
    uploads.upload_changes()
    shutil.rmtree(run.checkpoints)
    uploads.upload_changes()
    assert whole_folders(remote.files()) == ["checkpoints/step-1"]
    assert "checkpoints/step-1/training.json" in names(remote)


def test_a_checkpoint_there_that_is_made_again_here_is_replaced(run, remote):
    """As where the newest one there was damaged, and the run was resumed from the one before."""
    save_checkpoint(run, 1)
    remote.write("checkpoints/step-10/training.json", b"damaged")
    remote.write("checkpoints/step-10.manifest.json", b"{}")
    uploads = Uploads(run, remote)
    save_checkpoint(run, 10)
    uploads.upload_changes()
    assert json.loads(remote.read("checkpoints/step-10/training.json")) == {"step": 10}


def test_half_a_checkpoint_that_a_killed_process_left_is_removed(run, remote):
    remote.write("checkpoints/step-99/training.json", b"{}")
    Uploads(run, remote).upload_changes()
    assert "checkpoints/step-99/training.json" not in names(remote)


def test_what_is_written_while_the_run_lasts_is_uploaded(run, remote, monkeypatch):
    monkeypatch.setattr(uploads_module, "SECONDS", 0.05)
    with uploaded(run, remote):
        save_checkpoint(run, 10)
        for _ in range(100):
            if "checkpoints/step-10.manifest.json" in names(remote):
                break
            time.sleep(0.05)
        else:
            raise AssertionError("it was not uploaded")


def test_the_end_is_uploaded_even_where_an_error_ends_the_run(run, remote):
    with pytest.raises(ZeroDivisionError), uploaded(run, remote):
        save_checkpoint(run, 10)
        raise ZeroDivisionError
    assert "checkpoints/step-10.manifest.json" in names(remote)


class Down:
    """A store that refuses to write."""

    def __init__(self, remote, monkeypatch):
        def refuse(*arguments):
            raise RemoteError("memory://x cannot be written (it is down)")

        monkeypatch.setattr(remote, "upload", refuse)
        monkeypatch.setattr(remote, "write", refuse)


def test_a_store_that_is_down_is_told_once_and_tried_again(run, remote, monkeypatch, caplog):
    monkeypatch.setattr(uploads_module, "SECONDS", 0.02)
    with monkeypatch.context() as patch, uploaded(run, remote):
        Down(remote, patch)
        time.sleep(0.5)
        patch.undo()
    told = "memory://x cannot be written (it is down); training goes on, and it is tried again"
    assert caplog.messages == [told]
    assert "config.json" in names(remote)


def test_an_end_that_cannot_be_uploaded_is_an_error_that_says_where_it_is(run, remote, monkeypatch):
    with pytest.raises(RemoteError, match=f"the run is whole in {run.path}"):  # noqa: SIM117
        with uploaded(run, remote):
            Down(remote, monkeypatch)


def test_what_ended_the_run_goes_before_what_cannot_be_uploaded(run, remote, monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    with pytest.raises(ZeroDivisionError), uploaded(run, remote):
        Down(remote, monkeypatch)
        raise ZeroDivisionError
    assert "the run is whole in" in caplog.text


def test_the_address_may_be_below_others(run, address):
    other = RemoteFolder(f"{address}/flowers/one-more")
    other.write("config.json", b"theirs")
    Uploads(run, RemoteFolder(f"{address}/flowers/one")).upload_changes()
    assert other.read("config.json") == b"theirs"
