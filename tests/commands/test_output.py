"""What `trainer run` writes for machines: one object, no colours."""

import json
import os
import pty
import subprocess
import sys

import pytest

from trainer import command_line
from trainer.report.output import Output


@pytest.fixture
def run_tiny(run_command, cats_and_dogs, vector_module):
    """Runs a tiny task in this process."""

    def run(*options):
        tiny = ["--task", "folder", "--data", cats_and_dogs, "--extractor", vector_module]
        return run_command(*tiny, "--epochs", 1, "--jit", "off", *options)

    return run


def test_the_options_of_output_are_listed_with_the_others(capsys):
    with pytest.raises(SystemExit):
        command_line.parse("run", ["--help"])
    assert {"--quiet", "--json"} <= set(capsys.readouterr().out.split())


def test_the_options_of_output_are_no_part_of_the_config():
    with_them = command_line.parse("run", ["--quiet", "--epochs", "3", "--json"])
    assert with_them[1] == command_line.parse("run", ["--epochs", "3"])[1]
    assert with_them[2] == Output(quiet=True, json=True)


def test_as_json_a_run_prints_its_result_and_its_folder(run_tiny, tmp_path):
    done = run_tiny("--json")
    [result] = tmp_path.glob("logs/folder/*/result.json")
    expected = {**json.loads(result.read_bytes()), "folder": str(result.parent)}
    assert json.loads(done.out) == expected
    assert "everything is in" in done.err


def test_as_json_a_dry_run_has_no_folder(run_tiny):
    assert json.loads(run_tiny("--json", "--dry-run").out)["folder"] is None


def test_a_quiet_run_writes_nothing(run_tiny):
    assert run_tiny("--quiet") == (0, "", "")


# Colours.


def bytes_on_a_terminal(arguments, **environment):
    """What a command writes where standard output is a terminal."""
    reader, writer = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=writer,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )
    os.close(writer)
    written = b""
    try:
        while block := os.read(reader, 4096):
            written += block
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(reader)
    started.wait()
    return written


TABLE = """
import logging
from trainer.report.display import Display, Table
with Display().shown():
    logging.getLogger("trainer").info(Table("a", {"b": {"c": "1"}}))
"""


@pytest.fixture
def no_colour_settings(monkeypatch, checkout):
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_terminal_gets_colours(no_colour_settings):
    assert b"\x1b[1m" in bytes_on_a_terminal(["-c", TABLE])


def test_with_no_color_a_terminal_gets_no_colour(no_colour_settings):
    """Bold and the like are no colours; rich leaves them: see no-color.org."""
    assert b"\x1b[3" not in bytes_on_a_terminal(["-c", TABLE], NO_COLOR="1")
    assert b"\x1b[3" not in bytes_on_a_terminal(["-m", "trainer.cache", "--help"], NO_COLOR="1")


@pytest.mark.parametrize("arguments", [["-c", TABLE], ["-m", "trainer.cache", "--help"]])
def test_a_pipe_gets_no_escape_sequence(python, no_colour_settings, arguments):
    written = python(*arguments, TERM="xterm-256color").out
    assert written
    assert "\x1b" not in written
