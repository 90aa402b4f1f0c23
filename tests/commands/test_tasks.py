"""`trainer tasks`: what can be learned, from which data, and where they are."""

import json
import re

import pytest

from trainer import command_line, tasks
from trainer.setup.plugins import task_names

CATS = """
from trainer import Config, ImageClassification

class Cats(ImageClassification):
    "Cats or dogs."
    dataset = "{dataset}"

class Noise(ImageClassification):
    def data(self):
        raise RuntimeError("it is not asked for its data")
"""


@pytest.fixture
def list_tasks(tmp_path, capsys):
    """Lists the tasks where TFDS has its datasets in tmp_path, unless it is told."""

    def run(*options):
        given = ["--data-dir", str(tmp_path / "tfds"), *map(str, options)]
        assert command_line.exit_code(tasks.main, given) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def listed(list_tasks):
    def by_name(*options):
        return {task["task"]: task for task in json.loads(list_tasks("--json", *options))["tasks"]}

    return by_name


@pytest.fixture
def registered(monkeypatch):
    """Registers tasks as the entry points of other packages do."""

    def register(**points):
        monkeypatch.setattr("trainer.setup.plugins._registered", lambda: points)

    return register


def test_every_task_has_a_line(list_tasks):
    names = re.findall(r"^  ([\w-]+) ", list_tasks(), re.MULTILINE)
    assert names == ["task", *task_names()]


def test_a_task_says_what_it_learns(listed):
    flowers = listed()["flowers"]
    assert flowers["learns"] == "Five kinds of flowers, 3,670 photos (TFDS tf_flowers)."
    assert flowers["dataset"] == "tf_flowers"


def test_where_nothing_is_prepared_the_sample_is_on_this_machine(listed):
    flowers = listed()["flowers"]
    assert (flowers["place"], flowers["examples"]) == ("sample", 1000)
    assert flowers["data"] == "built-in sample; --data tfds downloads tf_flowers"


def test_a_task_without_data_says_how_to_give_them(listed):
    assert listed()["folder"]["data"] == "yours: --data PATH"
    assert listed()["regression"]["data"] == "yours: --data labels.csv"


def test_a_dataset_that_is_prepared_is_found(
    listed, registered, user_module, tiny_dataset, prepared
):
    user_module("my_cats", CATS.replace("{dataset}", tiny_dataset))
    registered(cats="my_cats:Cats")
    cats = listed("--data-dir", prepared)["cats"]
    folder = prepared / tiny_dataset / "1.0.0"
    assert (cats["place"], cats["examples"], cats["folder"]) == ("tfds", 12, str(folder))


def test_a_dataset_that_is_not_there_says_what_downloads_it(listed, registered, user_module):
    user_module("my_cats", CATS.replace("{dataset}", "cats_vs_dogs"))
    registered(cats="my_cats:Cats")
    assert listed()["cats"]["data"] == "not on this machine: --data tfds downloads cats_vs_dogs"


def test_a_task_with_data_of_its_own_is_not_asked_for_them(listed, registered, user_module):
    user_module("my_cats", CATS)
    registered(noise="my_cats:Noise")
    assert listed()["noise"]["data"] == "made by the task itself"


def test_a_registered_task_that_cannot_be_loaded_hides_no_other(list_tasks, registered):
    registered(broken="no_such_package:Cats")
    told = list_tasks()
    assert re.search(r"broken .*cannot be loaded: .*no_such_package", told)
    assert "flowers" in told


def test_a_folder_that_tfds_cannot_open_is_told(list_tasks, tmp_path):
    (tmp_path / "tfds" / "tf_flowers" / "3.0.1").mkdir(parents=True)
    (tmp_path / "tfds" / "tf_flowers" / "3.0.1" / "dataset_info.json").write_text("{")
    assert re.search(r"flowers .*TFDS cannot open tf_flowers in .*; choose an", list_tasks())


def test_listing_the_tasks_imports_nothing_heavy(python):
    imported = python("-X", "importtime", "-m", "trainer.tasks").err
    packages = {line.rpartition("|")[2].strip().partition(".")[0] for line in imported.splitlines()}
    assert "trainer" in packages
    assert not packages & {"tensorflow", "keras", "tensorflow_datasets", "numpy"}
