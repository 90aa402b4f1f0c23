"""`trainer completion`: the script is read by a real shell, which completes with it."""

import contextlib
import importlib
import json
import os
import pty
import select
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


def test_bash_completes_files_where_there_is_no_option(script_file, tmp_path):
    """As a person sees it, on a terminal: bash goes on into the folder."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "rose.jpg").write_text("")
    with bash_on_a_terminal(tmp_path) as show_until:
        show_until(f"source {script_file('bash')}\n", "> source")
        show_until("trainer predict last pho\tro\t", "photos/rose.jpg")


@contextlib.contextmanager
def bash_on_a_terminal(folder):
    """A function that types keys, and waits until the terminal shows a text."""
    keyboard, terminal = pty.openpty()
    plain = {**os.environ, "TERM": "dumb", "PS1": "> "}
    shell = subprocess.Popen(
        ["bash", "--norc", "-i"],
        cwd=folder,
        env=plain,
        **dict.fromkeys(("stdin", "stdout", "stderr"), terminal),
    )
    os.close(terminal)

    def show_until(keys, text):
        os.write(keyboard, keys.encode())
        shown = ""
        while text not in shown:
            assert select.select([keyboard], [], [], 20)[0], f"{text} is not in {shown}"
            shown += os.read(keyboard, 4096).decode()

    try:
        yield show_until
    finally:
        shell.kill()
        shell.wait()
        os.close(keyboard)


@pytest.mark.parametrize(
    ("typed", "expected"), [("run --tas", "--task"), ("predict last pho", "photos/")]
)
def test_fish_completes(typed, expected, script_file, tmp_path):
    (tmp_path / "photos").mkdir()
    program = f"source {script_file('fish')}; complete -C 'trainer {typed}'"
    done = subprocess.run(["fish", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert expected in [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_zsh_takes_the_script_as_a_source(script_file):
    program = f"autoload -U compinit; compinit -u -D; source {script_file('zsh')}"
    shown = "; print $_comps[trainer]"
    done = subprocess.run(["zsh", "-f", "-c", program + shown], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("_tyro_trainer\n", "")


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
