"""Run folders at an address: made, found, downloaded; never half a checkpoint."""

import json

import pytest

from trainer import UserError
from trainer.core.addresses import recorded_address, write_record
from trainer.core.run_folder import RunFolder
from trainer.remote.folder import RemoteFolder
from trainer.remote.runs import (
    local_run,
    local_runs,
    new_run,
    remote_runs,
    resumed_run,
    shown_run,
)
from trainer.remote.whole_folders import upload_folder
from trainer.setup.resume import find_run


@pytest.fixture
def begin(address, tmp_path):
    """Begins a run at the address, which writes a config and checkpoints of these steps."""

    def begin(*steps, name=None, machine="here"):
        with new_run(address, "flowers", name, tmp_path / machine) as folder:
            folder.config.write_text("{}")
            save(folder, *steps)
        return f"{address}/flowers/{folder.path.name}"

    return begin


def save(folder, *steps):
    folder.checkpoints.mkdir(exist_ok=True)
    for step in steps:
        path = folder.checkpoints / f"step-{step}"
        path.mkdir()
        (path / "training.json").write_text(json.dumps({"step": step}))


def steps_in(folder):
    return sorted(int(path.name[5:]) for path in RunFolder(folder).checkpoints.iterdir())


def test_a_local_run_is_a_folder_as_ever(tmp_path):
    with new_run(tmp_path / "logs", "flowers", "one", tmp_path / "cache") as folder:
        assert folder.path == tmp_path / "logs" / "flowers" / "one"
    assert recorded_address(folder.path) is None
    assert local_run(folder.path) == folder.path


def test_a_new_run_is_uploaded(begin):
    run = begin(10)
    assert "checkpoints/step-10.manifest.json" in RemoteFolder(run).files()


def test_messages_call_it_by_its_address(begin, tmp_path):
    run = begin(10)
    assert shown_run(local_run(run, tmp_path / "here")) == run


def test_two_machines_that_start_in_the_same_second_have_runs_of_their_own(begin):
    runs = {begin(1, machine=machine) for machine in ("here", "there", "elsewhere")}
    assert len(runs) == 3


def test_a_name_that_another_machine_has_given_is_refused(begin):
    begin(1, name="mine")
    with pytest.raises(UserError, match=r"--run-name mine: .* is there already"):
        begin(1, name="mine", machine="there")


def test_a_run_that_ends_by_a_mistake_before_it_learned_leaves_nothing(address, tmp_path):
    with pytest.raises(UserError), new_run(address, "flowers", "one", tmp_path):
        raise UserError("a mistake")
    assert RemoteFolder(address).files() == {}


def test_another_machine_gets_the_newest_whole_checkpoint(begin, tmp_path):
    folder = local_run(begin(10, 20), tmp_path / "there")
    assert steps_in(folder) == [20]
    assert RunFolder(folder).config.read_text() == "{}"


def test_half_a_checkpoint_does_not_count(begin, tmp_path):
    run = begin(10, 20)
    RemoteFolder(run).write("checkpoints/step-30/training.json", b"{}")
    assert steps_in(local_run(run, tmp_path / "there")) == [20]


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_used(begin, tmp_path, caplog):
    run = begin(10, 20)
    RemoteFolder(run).write("checkpoints/step-20/training.json", b'{"step": 2 }')
    assert steps_in(local_run(run, tmp_path / "there")) == [10]
    [line] = caplog.messages
    assert line.startswith(f"{run}/checkpoints/step-20/training.json is damaged")


def test_what_another_machine_has_learned_since_is_downloaded(begin, tmp_path):
    run = begin(10)
    with resumed_run(local_run(run, tmp_path / "there"), tmp_path / "there") as folder:
        save(folder, 20)
        folder.result.write_text("{}")
    here = local_run(run, tmp_path / "here")
    assert 20 in steps_in(here)
    assert RunFolder(here).result.exists()


def test_a_checkpoint_here_that_was_not_uploaded_any_more_is_used(begin, tmp_path):
    """As after a kill, or while the store was down."""
    run = begin(10)
    here = local_run(run, tmp_path / "here")
    save(RunFolder(here), 20)
    RunFolder(here).history.write_text("newer")
    assert steps_in(local_run(run, tmp_path / "here")) == [10, 20]
    assert RunFolder(here).history.read_text() == "newer"


def test_a_run_that_this_machine_trains_is_left_alone(begin, tmp_path):
    run = begin(10)
    with resumed_run(local_run(run, tmp_path / "here"), tmp_path / "here") as folder:
        folder.config.write_text("being written")
        assert local_run(run, tmp_path / "here") == folder.path
        assert folder.config.read_text() == "being written"


def test_a_folder_here_that_is_kept_of_an_address_is_brought_up_to_date(begin, tmp_path):
    run = begin(10)
    here = local_run(run, tmp_path / "here")
    RemoteFolder(run).write("result.json", b"{}")
    assert local_run(here, tmp_path / "here") == here
    assert RunFolder(here).result.exists()


def test_a_folder_of_somebody_elses_is_never_uploaded_to_the_address_that_it_records(
    address, tmp_path
):
    """Whoever sends a run folder could else have what it learns sent back."""
    theirs = RunFolder(tmp_path / "theirs")
    theirs.path.mkdir()
    theirs.config.write_text("{}")
    write_record(theirs.path, f"{address}/flowers/trap", {})
    assert local_run(theirs.path, tmp_path / "here") == theirs.path
    with resumed_run(theirs.path, tmp_path / "here"):
        theirs.history.write_text("learned")
    assert RemoteFolder(address).files() == {}


def test_no_run_at_an_address_is_an_error(address):
    with pytest.raises(UserError, match="there is no run"):
        local_run(f"{address}/flowers/none")


def test_the_last_run_is_found_by_its_name(begin, address, tmp_path):
    for name in ("2026-01-02_03-04-05", "2026-01-02_03-04-05-2", "2025-12-31_23-59-59"):
        begin(1, name=name)
    found = find_run("last", address, "flowers", tmp_path / "there")
    assert found.name == "2026-01-02_03-04-05-2"


def test_without_a_run_there_is_no_last(address):
    with pytest.raises(UserError, match=f"no run of flowers in --log-dir {address}"):
        find_run("last", address, "flowers")


def test_runs_of_one_task_are_told_from_others(begin, address):
    run = begin(1)
    assert set(remote_runs(address, "flowers")) == set(remote_runs(address)) == {run}
    assert remote_runs(address, "horses") == {}


def test_all_runs_below_an_address_are_downloaded(begin, address, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    runs = [begin(1), begin(2)]
    assert [shown_run(folder) for folder in local_runs(address)] == sorted(runs)
    assert [shown_run(folder) for folder in local_runs(runs[0])] == [runs[0]]


def test_a_checkpoint_of_the_same_step_with_a_higher_number_is_newer(begin, tmp_path):
    run = begin(10)
    save_again = tmp_path / "step-10-2"
    save_again.mkdir()
    (save_again / "training.json").write_text("{}")
    upload_folder(RemoteFolder(run), save_again, "checkpoints/step-10-2")
    folder = local_run(run, tmp_path / "there")
    assert [path.name for path in RunFolder(folder).checkpoints.iterdir()] == ["step-10-2"]
