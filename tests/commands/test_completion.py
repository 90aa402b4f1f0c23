"""`trainer completion`: the script is read by a real shell, which completes with it."""

import importlib
import json
import shutil
import subprocess

import pytest

from trainer import command_line, completion
from trainer.__main__ import COMMANDS
from trainer.completion import completion_script

SHELLS = ("bash", "zsh", "fish")

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
declaration=$(complete -p trainer)
[[ $declaration =~ '-F '([a-z_]+) ]] && "${BASH_REMATCH[1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script_file(tmp_path_factory):
    """The file of a shell's script; the test is skipped where there is no such shell."""
    folder = tmp_path_factory.mktemp("completion")

    def write(shell):
        if shutil.which(shell) is None:
            pytest.skip(f"needs {shell}, which is not installed")
        file = folder / f"trainer.{shell}"
        if not file.exists():
            file.write_text(completion_script(shell), encoding="utf-8")
        return str(file)

    return write


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_takes(shell, script_file):
    done = subprocess.run([shell, "-n", script_file(shell)], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ru", ["run"]),
        ("run --tas", ["--task"]),
        ("run --task flo", ["flowers"]),
        ("run --task flowers --transfer f", ["finetune", "frozen"]),
        ("cache --cl", ["--clear"]),
        ("completion --js", ["--json"]),
    ],
)
def test_bash_completes(typed, expected, script_file):
    arguments = [script_file("bash"), "trainer", *typed.split()]
    done = subprocess.run(["bash", "-c", BASH, "bash", *arguments], capture_output=True, text=True)
    assert sorted(done.stdout.split()) == expected


def test_bash_completes_every_command(script_file):
    arguments = [script_file("bash"), "trainer", ""]
    done = subprocess.run(["bash", "-c", BASH, "bash", *arguments], capture_output=True, text=True)
    assert set(done.stdout.split()) == {*COMMANDS, "-h", "--help"}


def test_fish_completes(script_file):
    program = f"source {script_file('fish')}; complete -C 'trainer run --tas'"
    done = subprocess.run(["fish", "-c", program], capture_output=True, text=True)
    assert done.stdout.partition("\t")[0] == "--task"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_options_to_complete(command):
    assert importlib.import_module(f"trainer.{command}").OPTIONS


def test_it_prints_the_script(capsys):
    assert command_line.exit_code(completion.main, ["fish"]) == 0
    assert capsys.readouterr().out.strip() == completion_script("fish").strip()


def test_as_json_it_prints_the_script_too(capsys):
    command_line.exit_code(completion.main, ["bash", "--json"])
    assert json.loads(capsys.readouterr().out) == {
        "shell": "bash",
        "script": completion_script("bash"),
    }


def test_a_shell_without_a_script_is_told_those_that_have_one(capsys):
    assert command_line.exit_code(completion.main, ["tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err
