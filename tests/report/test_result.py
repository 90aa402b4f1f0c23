import csv
import json
import os

import numpy as np

from trainer.report.result import weights_digest, write_history, write_json

WEIGHTS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(3, np.float32)]


def test_history_is_a_table_with_the_columns_of_its_rows(tmp_path):
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    write_history(tmp_path / "history.csv", rows)
    with (tmp_path / "history.csv").open() as file:
        assert list(csv.DictReader(file)) == [
            {"epoch": "1", "loss": "0.5"},
            {"epoch": "2", "loss": "0.25"},
        ]


def test_json_is_read_back_as_it_was(tmp_path):
    content = {"classes": ["naïve", "müde"], "accuracy": 0.5, "version": None}
    write_json(tmp_path / "result.json", content)
    assert json.loads((tmp_path / "result.json").read_text("utf-8")) == content


def test_equal_weights_have_equal_digests():
    assert weights_digest(WEIGHTS) == weights_digest([array.copy() for array in WEIGHTS])


def test_one_bit_makes_another_digest():
    changed = [WEIGHTS[0], np.nextafter(WEIGHTS[1], np.float32(2))]
    assert weights_digest(changed) != weights_digest(WEIGHTS)


def test_another_shape_makes_another_digest():
    assert weights_digest([WEIGHTS[0].T.copy(), WEIGHTS[1]]) != weights_digest(WEIGHTS)


def test_json_takes_a_name_that_is_not_utf_8(tmp_path):
    content = {"image": os.fsdecode(b"caf\xe9.png")}
    write_json(tmp_path / "result.json", content)
    assert json.loads((tmp_path / "result.json").read_text()) == content
