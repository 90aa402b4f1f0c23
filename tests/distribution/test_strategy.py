"""Which strategy a run has, and what is refused before it begins."""

import json

import pytest
import tensorflow as tf

from trainer.core.errors import UserError
from trainer.distribution.strategy import make_strategy, strategy_name

TWO = {"chief": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]}


def set_cluster(monkeypatch, content):
    monkeypatch.setenv("TF_CONFIG", content)


def test_auto_is_one_device_where_there_is_no_cluster_and_no_gpu(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert strategy_name("auto") == "one"


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [(TWO, "workers"), ({"worker": ["127.0.0.1:1"]}, "one"), ({"chief": ["127.0.0.1:1"]}, "one")],
)
def test_auto_is_workers_in_a_cluster_of_more_than_one(monkeypatch, cluster, expected):
    set_cluster(monkeypatch, json.dumps({"cluster": cluster}))
    assert strategy_name("auto") == expected


def test_what_is_asked_for_is_had_in_a_cluster_too(monkeypatch):
    set_cluster(monkeypatch, json.dumps({"cluster": TWO}))
    assert strategy_name("one") == "one"


@pytest.mark.parametrize("content", ["{", "[]", "5", json.dumps({"cluster": 5})])
def test_a_cluster_that_cannot_be_read_is_one_line(monkeypatch, content):
    set_cluster(monkeypatch, content)
    with pytest.raises(UserError, match="TF_CONFIG is no JSON object with a cluster"):
        strategy_name("auto")


@pytest.mark.parametrize("asked", ["one", "workers"])
def test_devices_are_those_of_mirrored(asked):
    with pytest.raises(UserError, match="--devices 2 is for --strategy mirrored"):
        make_strategy(asked, 2)


def test_more_devices_than_tensorflow_has_begun_with_are_refused():
    tf.zeros([])
    with pytest.raises(UserError, match="--devices 3: TensorFlow has begun in this process"):
        make_strategy("mirrored", 3)
