"""`python -m trainer.export`: what it refuses, in one line and before it writes anything."""

import pytest

from trainer import command_line, export


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """The one line of an export that is refused."""
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> str:
        assert command_line.exit_code(export.main, options) == 2
        told = capsys.readouterr()
        assert told.out == "" and told.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []
        return told.err

    return run


def test_a_run_that_is_not_there(refused):
    assert "RUN logs/flowers/x: there is no run" in refused("logs/flowers/x", "out")


def test_no_last_run(refused):
    assert "RUN last: there is no run in --log-dir logs" in refused("last", "out")


def test_a_format_that_does_not_exist(refused):
    assert "invalid choice" in refused("last", "out", "--format", "coreml")


def test_no_folder(refused):
    assert "required" in refused("last")
