"""`python -m trainer.evaluate`, on runs of noise whose classes have another tint each."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics

from trainer import command_line, evaluate, run


@pytest.fixture(scope="module")
def commands(tmp_path_factory, vector_module):
    """A function that runs a command in this process; and where its runs are."""
    folder = tmp_path_factory.mktemp("evaluate")
    where = ["--log-dir", str(folder / "logs"), "--cache-dir", str(folder / "cache")]
    small = ["--extractor", str(vector_module), "--image-size", "8", "--jit", "off", "--no-report"]

    def train(*options):
        arguments = [*where, *small, "--batch-size", "16", "--epochs", "2", *map(str, options)]
        assert command_line.exit_code(run.main, arguments) == 0
        return max(folder.glob("logs/*/*"), key=lambda path: path.stat().st_mtime_ns)

    return train


@pytest.fixture(scope="module")
def trained(commands, noise_folder):
    return commands("--task", "folder", "--data", noise_folder)


@pytest.fixture
def measure(capfd):
    def measure(*options):
        capfd.readouterr()
        code = command_line.exit_code(evaluate.main, [*map(str, options)])
        out, err = capfd.readouterr()
        return code, out, err

    return measure


@pytest.fixture(scope="module")
def measured(trained, tmp_path_factory):
    """What --json says of the test split, and the rows of its predictions."""
    path = tmp_path_factory.mktemp("predictions") / "test.csv"
    result = run_json(trained, "--predictions", path)
    with path.open(newline="") as file:
        return result, list(csv.DictReader(file))


def run_json(*options):
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        evaluate.main([*map(str, options), "--json"])
    return json.loads(out.getvalue())


NAMES = ["cyan", "magenta", "yellow"]


def truth_and_scores(rows):
    truth = np.array([NAMES.index(row["truth"]) for row in rows])
    return truth, np.array([[float(row[name]) for name in NAMES] for row in rows])


def test_its_metrics_are_those_of_the_result_of_the_run(trained, measured):
    result = json.loads((trained / "result.json").read_text())
    assert measured[0]["metrics"] == pytest.approx(result["metrics"]["test"], abs=1e-6)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_other_splits_have_the_metrics_of_the_result_too(trained, split):
    result = json.loads((trained / "result.json").read_text())
    assert run_json(trained, "--split", split)["metrics"] == pytest.approx(
        result["metrics"][split], abs=1e-6
    )


def test_accuracy_and_measures_by_class_are_those_of_scikit_learn(measured):
    result, rows = measured
    truth, scores = truth_and_scores(rows)
    predicted = scores.argmax(axis=1)
    assert result["metrics"]["accuracy"] == pytest.approx(
        metrics.accuracy_score(truth, predicted), abs=1e-6
    )
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, zero_division=0
    )
    for number, name in enumerate(NAMES):
        found = result["by_class"][name]
        expected = {
            "precision": precision[number],
            "recall": recall[number],
            "f1": f1[number],
            "support": support[number],
            "average_precision": metrics.average_precision_score(
                truth == number, scores[:, number]
            ),
            "area_under_roc": metrics.roc_auc_score(truth == number, scores[:, number]),
        }
        assert found == pytest.approx(expected, abs=1e-6)


def test_the_confusion_matrix_is_that_of_scikit_learn(measured):
    result, rows = measured
    truth, scores = truth_and_scores(rows)
    expected = metrics.confusion_matrix(truth, scores.argmax(axis=1))
    assert result["confusion"] == {"names": NAMES, "rows": expected.tolist()}


def test_the_scores_are_calibrated(trained, measured):
    result = json.loads((trained / "result.json").read_text())
    error = result["calibration"]["expected_calibration_error"]["after"]
    assert measured[0]["expected_calibration_error"] == pytest.approx(error, abs=1e-6)


def test_every_interval_is_around_its_metric(measured):
    result, _ = measured
    assert set(result["intervals"]) == {"loss", "accuracy"}
    for name, (low, high) in result["intervals"].items():
        assert low <= result["metrics"][name] <= high


def test_predictions_name_every_image_once(measured, noise_folder):
    _, rows = measured
    files = {str(path) for path in noise_folder.glob("test/*/*.png")}
    assert {row["image"] for row in rows} == files
    assert len(rows) == len(files)


def test_it_prints_a_table_of_metrics_and_one_of_classes(measure, trained):
    code, out, err = measure(trained)
    assert (code, err) == (0, "")
    assert "test of" in out
    assert "95 % interval" in out
    assert all(name in out for name in NAMES)


def test_a_folder_of_other_images_is_measured_whole(trained, noise_folder, tmp_path):
    """One class is missing, and the classes have other numbers."""
    for name in NAMES[1:]:
        shutil.copytree(noise_folder / "test" / name, tmp_path / "photos" / name)
    result = run_json(trained, "--data", tmp_path / "photos")
    assert result["examples"] == 20
    whole = run_json(trained)["confusion"]["rows"]
    assert result["confusion"]["rows"] == [[0, 0, 0], *whole[1:]]


def test_a_class_that_was_not_learned_is_one_line(measure, trained, noise_folder, tmp_path):
    shutil.copytree(noise_folder / "test", tmp_path / "photos")
    (tmp_path / "photos" / "yellow").rename(tmp_path / "photos" / "yelow")
    code, _, err = measure(trained, "--data", tmp_path / "photos")
    assert (code, err.count("\n")) == (2, 1)
    assert "has a class 'yelow', which the run has not learned; did you mean yellow?" in err


def test_a_run_that_is_not_there_is_one_line(measure, tmp_path):
    code, _, err = measure(tmp_path / "nothing")
    assert (code, err.count("\n")) == (2, 1)
    assert "there is no run" in err


def test_data_that_are_not_there_are_one_line(measure, trained, tmp_path):
    code, _, err = measure(trained, "--data", tmp_path / "nothing")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"error: --data {tmp_path / 'nothing'}: there is no such folder")


def table_of(folder, tmp_path, header, row):
    rows = [header, *(row(path) for path in sorted(folder.glob("*/*/*.png")))]
    path = tmp_path / "labels.csv"
    path.write_text("".join(",".join(map(str, cells)) + "\n" for cells in rows))
    return path


TASKS = """
import keras

from trainer import MultiLabelClassification, Regression, Task


class Sizes(Regression):
    def head(self, outputs):
        return keras.Sequential([keras.layers.Dense(outputs)])


class Tints(MultiLabelClassification):
    def head(self, outputs):
        return keras.Sequential([keras.layers.Dense(outputs)])


class Both(Task):
    label_kind = {"tint": "class", "light": "numbers"}
    best = "min loss"

    def head(self, outputs):
        inputs = keras.Input([4])
        heads = {name: keras.layers.Dense(size)(inputs) for name, size in outputs.items()}
        return keras.Model(inputs, heads)

    def loss(self, labels, outputs):
        entropy = keras.losses.sparse_categorical_crossentropy(
            labels["tint"], outputs["tint"], from_logits=True
        )
        return entropy + keras.losses.mean_squared_error(labels["light"], outputs["light"])

    def predictions(self, outputs):
        return {**outputs, "tint": keras.ops.softmax(outputs["tint"])}

    def metrics(self):
        return {"tint": {"accuracy": keras.metrics.SparseCategoricalAccuracy()}}
"""


def light(path):
    return np.asarray(Image.open(path)).mean() / 255


@pytest.fixture
def learn(commands, noise_folder, user_module, tmp_path):
    user_module("evaluated_tasks", TASKS)

    def learn(task, header, row):
        table = table_of(noise_folder, tmp_path, header, row)
        return commands("--task", f"evaluated_tasks:{task}", "--data", table)

    return learn


@pytest.mark.slow
def test_numbers_have_errors_and_no_confusion(learn):
    folder = learn("Sizes", ["path", "light"], lambda path: [path, light(path)])
    result = run_json(folder)
    assert set(result["by_number"]) == {"light"}
    assert "confusion" not in result
    assert result["by_number"]["light"]["mean_absolute_error"] == pytest.approx(
        result["metrics"]["mean_absolute_error"], abs=1e-6
    )


def test_labels_have_measures_each_and_no_confusion(learn):
    folder = learn(
        "Tints",
        ["path", "label"],
        lambda path: [path, path.parent.name if light(path) > 0.42 else f"{path.parent.name};dark"],
    )
    result = run_json(folder)
    assert set(result["by_label"]) == {*NAMES, "dark"}
    assert result["expected_calibration_error"] >= 0
    assert "confusion" not in result


@pytest.mark.slow
def test_several_outputs_have_measures_each(learn, tmp_path):
    folder = learn(
        "Both", ["path", "tint", "light"], lambda path: [path, path.parent.name, light(path)]
    )
    path = tmp_path / "both.csv"
    result = run_json(folder, "--predictions", path)
    assert set(result["outputs"]["tint"]["by_class"]) == set(NAMES)
    assert set(result["outputs"]["light"]["by_number"]) == {"light"}
    assert math.isfinite(result["intervals"]["tint_accuracy"][0])
    header = path.read_text().splitlines()[0].split(",")
    assert header[:3] == ["image", "tint truth", "tint predicted"]
    assert header[-2:] == ["light truth light", "light light"]


# Test-time augmentation.


def test_one_view_is_the_image_as_it_is(trained, measured):
    result, _ = measured
    assert run_json(trained, "--tta", 1) == result


def predictions_of(trained, path, *options):
    result = run_json(trained, "--predictions", path, *options)
    with path.open(newline="") as file:
        return result, list(csv.DictReader(file))


def test_the_scores_of_views_are_averaged(trained, measured, tmp_path):
    """Of the image and of its mirror image, which a folder of mirror images has alone."""
    result, rows = predictions_of(trained, tmp_path / "two.csv", "--tta", 2)
    again, _ = predictions_of(trained, tmp_path / "again.csv", "--tta", 2)
    assert again == result
    _, plain = measured
    assert [row["image"] for row in rows] == [row["image"] for row in plain]
    mirrored = tmp_path / "mirrored"
    for row in plain:
        source = row["image"]
        folder = mirrored / "test" / row["truth"]
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{len(list(folder.iterdir()))}.png"
        Image.open(source).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / name)
        row["mirror"] = str(folder / name)
    from trainer import load

    flipped = load(trained).predict([row["mirror"] for row in plain]).scores
    for row, before, mirror in zip(rows, plain, flipped, strict=True):
        for name, of_mirror in zip(NAMES, mirror, strict=True):
            mean = (float(before[name]) + of_mirror) / 2
            assert float(row[name]) == pytest.approx(mean, abs=2e-3)


def test_metrics_and_measures_are_of_the_mean(trained, tmp_path):
    result, rows = predictions_of(trained, tmp_path / "four.csv", "--tta", 4)
    assert result["data"].endswith(", the mean of 4 views")
    truth, scores = truth_and_scores(rows)
    assert result["metrics"]["accuracy"] == pytest.approx(np.mean(scores.argmax(1) == truth))
    low, high = result["intervals"]["accuracy"]
    assert low <= result["metrics"]["accuracy"] <= high
    assert scores.sum(1) == pytest.approx(np.ones(len(rows)), abs=1e-5)


@pytest.mark.slow
def test_views_of_a_run_that_trains_on_images(commands, noise_folder, tmp_path):
    folder = commands(
        *("--task", "folder", "--data", noise_folder, "--augment", "light", "--run-name", "images")
    )
    plain = run_json(folder)
    averaged = run_json(folder, "--tta", 3)
    assert averaged["examples"] == plain["examples"]
    assert averaged["metrics"]["loss"] != plain["metrics"]["loss"]


@pytest.mark.parametrize("views", [0, 101])
def test_a_number_of_views_out_of_bounds_is_an_error(measure, trained, views):
    code, _, err = measure(trained, "--tta", views)
    assert (code, err.startswith("error: --tta must be at")) == (2, True)
