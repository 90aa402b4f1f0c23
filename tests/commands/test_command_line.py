"""From options to a config, and from what goes wrong to an exit code and one line."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from trainer import UserError, __main__, command_line, run
from trainer.core.errors import DivergedError

TASK = """
from trainer import Config, ImageClassification

class Cats(ImageClassification):
    defaults = Config(epochs=3, learning_rate=0.5)
"""


@pytest.fixture
def cats(user_module):
    user_module("my_cats", TASK)
    return "my_cats:Cats"


def config(*options):
    return command_line.parse("run", options)[1]


def shown_default(help_text, option):
    return re.search(rf"--{option} .*?\(default: (.*?)\)", help_text, re.DOTALL)[1]


# Options.


def test_an_option_is_taken():
    assert config("--epochs", "7").epochs == 7


def test_the_last_of_two_values_is_taken():
    assert config("--epochs", "7", "--epochs", "8").epochs == 8


@pytest.mark.parametrize("options", [["--task", "dogs"], ["--task=dogs"]])
def test_a_task_is_asked_for_in_either_way_of_writing(options):
    task, chosen, _ = command_line.parse("run", options)
    assert (task.name, chosen.task) == ("dogs", "dogs")


@pytest.mark.parametrize("options", [["--task=dogs", "--task", "horses"], ["--task", "horses"]])
def test_of_two_tasks_the_last_is_asked_for(options):
    assert command_line.parse("run", options)[0].name == "horses"


def test_what_is_not_given_is_the_tasks_own_default(cats):
    assert config("--task", cats).epochs == 3


def test_what_is_given_goes_before_the_tasks_own_default(cats):
    assert config("--task", cats, "--epochs", "4").epochs == 4


# Mistakes.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--epoch 3", "Unrecognized options: --epoch, 3; did you mean --epochs?; see --help"),
        ("--zzz", "Unrecognized options: --zzz; see --help"),
        ("roses", "Unrecognized options: roses; see --help"),
        ("--epochs many", "Error parsing --epochs: invalid literal for int() with base 10: 'many'"),
        ("--epochs", "Missing value for argument '--epochs'."),
        ("--task", "Missing value for argument '--task'."),
        ("--epochs 0", "--epochs must be at least 1, not 0"),
        ("--task flower", "unknown task 'flower': did you mean flowers?"),
        ("--task flower --help", "unknown task 'flower': did you mean flowers?"),
    ],
)
def test_a_mistake_is_told_on_one_line(options, message, capfd):
    code = command_line.exit_code(run.main, options.split())
    _, error = capfd.readouterr()
    assert code == 2
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1


def test_a_long_mistake_is_told_on_one_line_too(capfd):
    command_line.exit_code(run.main, ["--epochs", "a very long word " * 20])
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--epoch 3", "Unrecognized options: --epoch, 3; did you mean --epochs?; see --help"),
        ("--epochs many", "Error parsing --epochs: invalid literal for int() with base 10: 'many'"),
    ],
)
def test_a_mistake_is_told_alike_where_the_terminal_takes_ascii_alone(options, message, python):
    ascii_alone = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    outcome = python("-m", "trainer.run", *options.split(), **ascii_alone)
    assert outcome.err.startswith(f"error: {message}")
    assert outcome.err.count("\n") == 1


# Exit codes.


def command_that(failure):
    def command(_):
        raise failure

    return command


def test_a_command_that_is_done_exits_with_0():
    assert command_line.exit_code(lambda _: None, []) == 0


def test_a_persons_mistake_exits_with_2():
    assert command_line.exit_code(command_that(UserError("no")), []) == 2


def test_a_persons_mistake_is_told_on_standard_error(capsys):
    command_line.exit_code(command_that(UserError("it is wrong; mend it")), [])
    assert capsys.readouterr() == ("", "error: it is wrong; mend it\n")


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, "stopped by Ctrl-C\n"),
        (signal.SIGTERM, 143, "stopped by SIGTERM\n"),
    ],
)
def test_a_signal_exits_with_what_shells_report_of_it(number, code, told, capsys):
    assert command_line.exit_code(lambda _: signal.raise_signal(number), []) == code
    assert capsys.readouterr() == ("", told)


def test_training_that_left_the_numbers_exits_with_3(capsys):
    assert command_line.exit_code(command_that(DivergedError("the loss is nan")), []) == 3
    assert capsys.readouterr().err == "error: the loss is nan\n"


def test_a_bug_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        command_line.exit_code(command_that(ZeroDivisionError()), [])


def test_a_command_is_given_its_options():
    given = []
    command_line.exit_code(given.extend, ["--epochs", "3"])
    assert given == ["--epochs", "3"]


@pytest.mark.parametrize("lines", [1, 100_000])
def test_output_that_nobody_reads_ends_the_command_without_a_word(lines, checkout):
    program = f"""import sys; from trainer import command_line
sys.exit(command_line.exit_code(lambda _: print("a line\\n" * {lines}), []))"""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


# --help.


def test_help_shows_the_defaults_of_the_task_that_is_named(cats, capsys):
    with pytest.raises(SystemExit):
        config("--task", cats, "--help")
    help_text = capsys.readouterr().out
    assert [shown_default(help_text, name) for name in ("epochs", "learning-rate")] == ["3", "0.5"]


def test_help_is_no_mistake(capsys):
    with pytest.raises(SystemExit) as exit:
        config("--help")
    assert exit.value.code == 0


@pytest.mark.slow
def test_help_answers_in_half_a_second(python):
    """On a machine that does nothing else, which tests beside it are."""

    def seconds():
        began = time.perf_counter()
        assert python("-m", "trainer.run", "--help").code == 0
        return time.perf_counter() - began

    assert min(seconds() for _ in range(3)) < 0.5


def test_help_imports_nothing_heavy(python):
    imported = python("-X", "importtime", "-m", "trainer.run", "--help").err
    packages = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines()}
    assert "tyro" in packages
    assert not packages & {"tensorflow", "keras", "tensorflow_datasets", "numpy", "PIL"}


# The console script.


@pytest.fixture
def trainer(monkeypatch):
    """Runs `trainer …` in this process; gives the exit code."""

    def script(*arguments):
        monkeypatch.setattr(sys, "argv", ["trainer", *arguments])
        with pytest.raises(SystemExit) as exit:
            __main__.main()
        return exit.value.code

    return script


def test_the_script_runs_the_command_named_first(trainer, capsys):
    assert trainer("run", "--epochs", "0") == 2
    assert capsys.readouterr().err == "error: --epochs must be at least 1, not 0\n"


def test_a_mistyped_command_is_told_the_nearest(trainer, capsys):
    assert trainer("rnu") == 2
    assert capsys.readouterr().err.startswith("error: there is no command 'rnu'; did you mean run?")


def test_an_option_before_the_command_is_told_its_place(trainer, capsys):
    assert trainer("--task", "flowers") == 2
    assert "write trainer run --task" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_script_alone_lists_its_commands_with_a_line_each(trainer, capsys, arguments):
    assert trainer(*arguments) == 0
    listed = re.findall(r"^  (\w+) +(.+)$", capsys.readouterr().out, re.MULTILINE)
    assert dict(listed) == __main__.COMMANDS


def test_the_list_of_commands_imports_nothing_heavy(python):
    imported = python("-X", "importtime", "-m", "trainer", "--help").err
    packages = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines()}
    assert "trainer" in packages
    assert not packages & {"tensorflow", "keras", "numpy", "tyro", "rich"}
