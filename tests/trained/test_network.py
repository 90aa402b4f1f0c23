"""The whole network of a run, from images to logits and scores."""

import numpy as np
import pytest
import tensorflow as tf

import trainer
from trainer import Config
from trainer.data.pipeline.batches import image_batches
from trainer.loop.predictions import evaluate_with_outputs
from trainer.loop.trainer import Trainer
from trainer.report.clock import Clock
from trainer.results.evaluation import temperatures_of, with_temperatures
from trainer.runs.session import train_in_folder
from trainer.setup.data import load_data
from trainer.setup.plugins import find_task
from trainer.trained.network import whole_network


def network_of(run):
    return whole_network(run.model, run.folder, run.task, run.config)


@pytest.fixture(scope="module")
def options(noise_folder, vector_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    data = {"data": str(noise_folder), "extractor": str(vector_module), "image_size": 8}
    places = {"log_dir": folder / "logs", "cache_dir": folder / "cache"}
    return {**data, **places, "epochs": 1, "batch_size": 16, "jit": "off", "report": False}


@pytest.mark.parametrize("augment", ["none", "light"])
def test_from_the_images_it_gives_the_scores_of_the_evaluation(options, augment):
    config = Config(**{**options, "augment": augment})
    task = find_task("flowers")
    files, trained, result = train_in_folder(task, config, Trainer, [], Clock())
    run = trainer.load(files.path, task)
    split = load_data(task, config).source.splits["test"]
    [(images, _)] = image_batches(split, 8, split.examples)
    network, temperatures = network_of(run), temperatures_of(result)
    scores = network.scores(network(images), temperatures)
    expected = with_temperatures(evaluate_with_outputs(trained, "test"), temperatures)
    assert temperatures[""] != 1
    np.testing.assert_allclose(scores, expected.outputs[""].scores, rtol=0, atol=1e-6)


def test_it_takes_images_of_the_size_of_training(options):
    run = trainer.train(find_task("flowers"), Config(**options))
    assert network_of(run).input_spec == tf.TensorSpec([None, 8, 8, 3])


def test_each_output_has_its_own_temperature(options):
    run = trainer.train(find_task("flowers"), Config(**options))
    network = network_of(run)
    network.task.predictions = lambda outputs: outputs
    logits = {"kind": tf.constant([[2.0, 4.0]]), "size": tf.constant([[3.0]])}
    scores = network.scores(logits, {"kind": 2.0})
    np.testing.assert_array_equal(scores["kind"], [[1, 2]])
    np.testing.assert_array_equal(scores["size"], [[3]])
