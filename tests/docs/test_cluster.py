"""docs/cluster is true: the manifest has the form that it must have, and scripts do as they say."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from trainer import Config, command_line

HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / "docs" / "cluster"
SCRIPT = FOLDER / "slurm.sh"
SCHEMA = json.loads((HERE / "tfjob.schema.json").read_text())
JOB = yaml.safe_load((FOLDER / "kubeflow.yaml").read_text())
REPLICAS = JOB["spec"]["tfReplicaSpecs"]


def without_strategy(options):
    """The options of a command, without --strategy where this release has none yet."""
    if hasattr(Config(), "strategy"):
        return options
    at = options.index("--strategy")
    return options[:at] + options[at + 2 :]


def parsed(options):
    return command_line.parse("run", options)[1]


def test_the_job_is_a_tfjob():
    jsonschema.Draft202012Validator(SCHEMA).validate(JOB)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Job"},
        {"spec": {"tfReplicaSpecs": {"Master2": REPLICAS["Chief"]}}},
        {"spec": {"tfReplicaSpecs": {"Chief": {**REPLICAS["Chief"], "restartPolicy": "Once"}}}},
        {"spec": {"tfReplicaSpecs": {"Chief": {"replicas": 1}}}},
    ],
)
def test_another_form_is_refused(change):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({**JOB, **change})


def test_the_job_has_one_chief_and_the_same_pods_as_workers():
    assert REPLICAS["Chief"]["replicas"] == 1
    assert REPLICAS["Worker"]["template"] == REPLICAS["Chief"]["template"]


def test_what_the_pods_mount_is_among_their_volumes():
    pod = REPLICAS["Worker"]["template"]["spec"]
    mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


@pytest.fixture
def path(tmp_path):
    """A PATH whose python prints its arguments and TF_CONFIG, with Slurm's commands."""
    commands = {
        "python": 'printf "%s\\n" "$TF_CONFIG" "$@" > "ran-${SLURM_PROCID:-0}"\nexit ${CODE:-0}',
        "srun": 'for SLURM_PROCID in 0 1; do export SLURM_PROCID; "$@" || code=$?; done\n'
        "exit ${code:-0}",
        "scontrol": '[ "$1" = show ] && printf "node-1\\nnode-2\\n" || echo "$@" > asked',
    }
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in commands.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (folder / name).chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def run(arguments, folder, path, **variables):
    """The exit code of a script in a folder."""
    environment = {**os.environ, "PATH": path, "TF_CONFIG": "", **variables}
    return subprocess.run(list(map(str, arguments)), cwd=folder, env=environment).returncode


def ran(folder, process=0):
    """TF_CONFIG, and the arguments of python."""
    config, *arguments = (folder / f"ran-{process}").read_text().splitlines()
    return config, arguments


def pod_script(shared):
    """What a pod runs, with its volume in another place."""
    container = REPLICAS["Chief"]["template"]["spec"]["containers"][0]
    [script] = container["args"]
    return [*container["command"], script.replace("/shared", str(shared))]


def test_a_pod_starts_the_run(tmp_path, path):
    assert run(pod_script(tmp_path), tmp_path, path) == 0
    _, arguments = ran(tmp_path)
    assert arguments[:2] == ["-m", "trainer.run"]
    assert arguments[arguments.index("--strategy") + 1] == "workers"
    config = parsed(without_strategy(arguments[2:]))
    assert config.log_dir / "folder" / config.run_name == tmp_path / "logs/folder/flowers-1"


def begin(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(Config(task="folder").as_json()))
    return folder


def test_a_pod_that_is_started_again_resumes_the_run(tmp_path, path):
    begun = begin(tmp_path / "logs" / "folder" / "flowers-1")
    assert run(pod_script(tmp_path), tmp_path, path) == 0
    assert parsed(ran(tmp_path)[1][2:]).resume == begun


def test_the_script_is_one_of_bash():
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)


def test_its_options_are_those_of_sbatch():
    lines = re.findall(r"^#SBATCH (.*)$", SCRIPT.read_text(), re.MULTILINE)
    options = dict(line.removeprefix("--").partition("=")[::2] for line in lines)
    forms = {
        "job-name": r"[\w-]+",
        "nodes": r"\d+",
        "ntasks-per-node": "1",
        "cpus-per-task": r"\d+",
        "mem": r"\d+[KMGT]",
        "time": r"\d\d:\d\d:\d\d",
        "output": r"\S*%j\S*",
        "open-mode": "append",
        "requeue": "",
        "signal": r"TERM@\d+",
    }
    assert options.keys() == forms.keys()
    assert all(re.fullmatch(forms[name], value) for name, value in options.items())
    # sbatch reads them up to the first command.
    assert not re.search(r"^#SBATCH", SCRIPT.read_text().split("\nset -u")[1], re.MULTILINE)


SLURM = {"SLURM_JOB_ID": "41", "SLURM_JOB_NODELIST": "node-[1-2]"}


def test_a_job_starts_a_process_of_the_cluster_on_each_node(tmp_path, path):
    assert run(["bash", SCRIPT], tmp_path, path, **SLURM) == 0
    for process in (0, 1):
        cluster, arguments = ran(tmp_path, process)
        assert json.loads(cluster) == {
            "cluster": {"worker": ["node-1:20041", "node-2:20041"]},
            "task": {"type": "worker", "index": process},
        }
        config = parsed(without_strategy(arguments[2:]))
        assert (config.run_name, str(config.log_dir)) == ("slurm-41", "logs")


def test_a_job_that_is_requeued_resumes_its_run(tmp_path, path, monkeypatch):
    begun = begin(tmp_path / "logs" / "folder" / "slurm-41")
    assert run(["bash", SCRIPT], tmp_path, path, **SLURM) == 0
    monkeypatch.chdir(tmp_path)
    assert parsed(ran(tmp_path)[1][2:]).resume == begun.relative_to(tmp_path)


def test_a_job_whose_time_is_over_asks_to_be_requeued(tmp_path, path):
    assert run(["bash", SCRIPT], tmp_path, path, CODE="143", **SLURM) == 143
    assert (tmp_path / "asked").read_text() == "requeue 41\n"


@pytest.mark.parametrize("code", ["0", "2", "3"])
def test_a_job_that_is_done_or_has_failed_is_not_requeued(tmp_path, path, code):
    assert run(["bash", SCRIPT], tmp_path, path, CODE=code, **SLURM) == int(code)
    assert not (tmp_path / "asked").exists()


PAGE = (HERE.parents[1] / "docs" / "scaling.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", re.findall(r"docs/(cluster/[\w.]+)", PAGE))
def test_the_files_that_the_page_names_exist(name):
    assert (HERE.parents[1] / "docs" / name).is_file()
    assert shlex.split(name)
