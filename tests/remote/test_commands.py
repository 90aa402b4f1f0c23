"""The real commands on addresses: killed, resumed on another machine, evaluated, compared.

Another machine is one with another cache folder. What comes out equals a run that is local.
"""

import json
import random
import signal
import time

import pytest

from trainer import command_line, compare, evaluate, load, predict, run
from trainer.core.addresses import recorded_address
from trainer.remote.folder import RemoteFolder
from trainer.remote.runs import local_run
from trainer.remote.whole_folders import whole_folders

TASK = ("--task", "tests.networks:Pixels", "--no-report")


@pytest.fixture
def place(tmp_path, monkeypatch, noisy_imports):
    """Moves to a machine: another one has another cache folder."""
    monkeypatch.chdir(tmp_path)

    def move_to(machine):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))

    move_to("here")
    return move_to


@pytest.fixture
def photos(bucket, noise_folder):
    """The address of class folders, of which 90 images are to train with."""
    remote = RemoteFolder(f"{bucket}/photos")
    for path in noise_folder.rglob("*.png"):
        remote.upload(path, path.relative_to(noise_folder).as_posix())
    return remote.address


def command(main, *options):
    return command_line.exit_code(main, [str(option) for option in options])


@pytest.fixture(scope="module")
def local(tmp_path_factory, noisy_imports, noise_folder):
    """The folder of the same run with local folders alone."""
    folder = tmp_path_factory.mktemp("local")
    places = ("--log-dir", folder / "logs", "--cache-dir", folder / "cache")
    assert command(run.main, *TASK, "--data", noise_folder, *places) == 0
    [config] = folder.glob("logs/*/*/config.json")
    return config.parent


def only_run(bucket):
    [name] = RemoteFolder(f"{bucket}/logs").folder_names("pixels")
    return f"{bucket}/logs/pixels/{name}"


def result_of(folder):
    result = json.loads((folder / "result.json").read_text())
    return {name: result[name] for name in ("weights_digest", "metrics", "steps", "best_step")}


def wait_for_checkpoints(bucket, count):
    for _ in range(1200):
        files = RemoteFolder(f"{bucket}/logs").files()
        if len(whole_folders(files)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError("no checkpoint was uploaded")


def test_a_run_at_an_address_ends_as_a_local_one_and_is_used_from_there(
    place, bucket, photos, local, capfd
):
    assert command(run.main, *TASK, "--data", photos, "--log-dir", f"{bucket}/logs") == 0
    remote = only_run(bucket)
    assert f"everything is in {remote}" in capfd.readouterr().out
    place("there")
    folder = local_run(remote)
    assert recorded_address(folder) == remote
    assert result_of(folder) == result_of(local)
    assert json.loads((folder / "config.json").read_text())["log_dir"] == f"{bucket}/logs"
    assert (folder / "history.csv").read_text() == (local / "history.csv").read_text()
    assert command(evaluate.main, remote, "--json") == 0
    metrics = json.loads(capfd.readouterr().out)["metrics"]
    assert metrics["accuracy"] == pytest.approx(load(local).metrics["test"]["accuracy"])
    [photo, *_] = sorted((folder.parents[4]).rglob("downloads/*/photos/test/cyan/*.png"))
    assert command(predict.main, remote, photo) == 0
    assert command(evaluate.main, "last", "--log-dir", f"{bucket}/logs") == 0
    assert command(compare.main, remote, local) == 0
    assert command(run.main, "--resume", remote) == 0
    assert f"{remote} is finished" in capfd.readouterr().out


@pytest.mark.slow
def test_a_killed_run_is_resumed_on_another_machine_to_the_same_bits(
    place, bucket, photos, local, start, came_to
):
    process = start(*TASK, "--data", photos, "--log-dir", f"{bucket}/logs")
    wait_for_checkpoints(bucket, 1)
    time.sleep(random.Random(0).uniform(0, 1))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    remote = only_run(bucket)
    place("there")
    assert command(run.main, "--resume", remote) == 0
    place("elsewhere")
    assert came_to(local_run(remote)) == came_to(local)


@pytest.mark.slow
def test_sigterm_saves_uploads_and_says_how_to_resume(place, bucket, photos, start):
    process = start(*TASK, "--data", photos, "--log-dir", f"{bucket}/logs", "--epochs", 3000)
    wait_for_checkpoints(bucket, 1)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=120)
    remote = only_run(bucket)
    assert process.returncode == 143
    assert f"resume with: python -m trainer.run --resume {remote}" in printed
    place("there")
    [checkpoint] = (local_run(remote) / "checkpoints").iterdir()
    assert f"at step {checkpoint.name.split('-')[1]} of" in printed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_on_machine_after_machine_it_ends_the_same(
    place, bucket, photos, local, start, came_to, seed
):
    moments, options = random.Random(seed), (*TASK, "--data", photos, "--log-dir", f"{bucket}/logs")
    for machine in range(3):
        place(f"machine {machine}")
        process = start(*options)
        wait_for_checkpoints(bucket, 1)
        time.sleep(moments.uniform(0, 2))
        process.kill()
        process.communicate()
        options = ("--resume", only_run(bucket))
    place("last machine")
    assert command(run.main, *options) == 0
    assert came_to(local_run(only_run(bucket))) == came_to(local)


@pytest.mark.slow
def test_features_at_an_address_are_extracted_by_one_machine_alone(
    place, bucket, noise_folder, vector_module, capfd
):
    options = ("--data", noise_folder, "--extractor", vector_module, "--epochs", 1, "--no-report")
    places = ("--task", "folder", "--cache-dir", f"{bucket}/cache", "--log-dir")
    assert command(run.main, *options, *places, "one", "--json") == 0
    first = json.loads(capfd.readouterr().out)
    place("there")
    assert command(run.main, *options, *places, "two", "--json") == 0
    second = json.loads(capfd.readouterr().out)
    assert first["extract_images_per_second"] is not None
    assert second["extract_images_per_second"] is None
    assert first["weights_digest"] == second["weights_digest"]


def test_an_address_that_cannot_be_written_is_one_line_before_anything_is_done(place, capfd):
    assert command(run.main, *TASK, "--log-dir", "nowhere://x/logs", "--data", "sample") == 2
    error = capfd.readouterr().err
    assert error.startswith("error: nowhere://x/logs cannot be opened")
    assert error.count("\n") == 1
