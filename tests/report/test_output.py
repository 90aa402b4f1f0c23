"""`--quiet` and `--json`: what is written for people, and what for machines."""

import json
import logging

import pytest

from trainer.core.progress import ignore_progress, progress_bar
from trainer.report.output import Output

logger = logging.getLogger("trainer.tests")


@pytest.fixture
def written(capsys):
    """What a command with this output writes: (standard output, standard error)."""

    def write(output):
        with output.shown():
            logger.info("a message")
            logger.warning("a warning")
            print("from a hook")
        output.print_json({"name": "Ærø\udce9", "metrics": {"loss": 0.5}})
        return tuple(capsys.readouterr())

    return write


def test_messages_are_on_standard_output(written):
    assert written(Output()) == ("a message\nwarning: a warning\nfrom a hook\n", "")


def test_quiet_shows_warnings_only(written):
    assert written(Output(quiet=True)) == ("warning: a warning\nfrom a hook\n", "")


def test_json_is_alone_on_standard_output(written):
    out, error = written(Output(json=True))
    assert json.loads(out) == {"name": "Ærø\udce9", "metrics": {"loss": 0.5}}
    assert error == "a message\nwarning: a warning\nfrom a hook\n"


def test_json_is_ascii_which_every_machine_reads(written):
    assert written(Output(json=True))[0].isascii()


def test_both_leave_warnings_to_standard_error(written):
    assert written(Output(quiet=True, json=True))[1] == "warning: a warning\nfrom a hook\n"


def test_quiet_shows_no_progress():
    with Output(quiet=True).shown(), progress_bar("training", "steps") as report:
        assert report is ignore_progress
