"""`python -m trainer.predict`, on a run of noise whose classes have another tint each."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import trainer
from trainer import command_line, predict, run

NAMES = ["cyan", "magenta", "yellow"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, noise_folder, vector_module):
    folder = tmp_path_factory.mktemp("predict")
    options = ["--log-dir", folder / "logs", "--cache-dir", folder / "cache", "--task", "folder"]
    options += ["--data", noise_folder, "--extractor", vector_module, "--image-size", 8]
    options += [
        "--jit",
        "off",
        "--batch-size",
        16,
        "--epochs",
        20,
        "--learning-rate",
        0.02,
        "--no-report",
    ]
    assert command_line.exit_code(run.main, list(map(str, options))) == 0
    [found] = folder.glob("logs/folder/*")
    return found


@pytest.fixture
def say(capfd, trained):
    """Runs the command on the run, and returns its exit code, output and errors."""

    def say(*options):
        capfd.readouterr()
        code = command_line.exit_code(predict.main, [str(trained), *map(str, options)])
        return code, *capfd.readouterr()

    return say


def rows_of(done):
    code, out, err = done
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_every_image_of_a_folder_has_its_class_and_scores_that_add_up_to_1(say, noise_folder):
    rows = rows_of(say(noise_folder / "test", "--json"))
    assert len(rows) == 30
    right = [row["predicted"] in row["image"] for row in rows]
    assert np.mean(right) > 0.6
    for row in rows:
        assert list(row["scores"]) == NAMES
        assert sum(row["scores"].values()) == pytest.approx(1, abs=1e-5)


def test_the_scores_are_those_of_an_evaluation(say, trained, noise_folder, tmp_path):
    path = tmp_path / "test.csv"
    trainer.load(trained).evaluate().write_predictions(path)
    with path.open(newline="") as file:
        expected = {row["image"]: row for row in csv.DictReader(file)}
    rows = rows_of(say(noise_folder / "test", "--json"))
    assert {row["image"] for row in rows} == set(expected)
    for row in rows:
        scores = {name: float(expected[row["image"]][name]) for name in NAMES}
        assert row["scores"] == pytest.approx(scores, abs=1e-5)


def test_a_table_has_a_line_an_image(say, noise_folder):
    files = [noise_folder / "test" / name / "0.png" for name in NAMES]
    code, out, err = say(*files, "--top", 2)
    assert (code, err) == (0, "")
    assert all(str(file) in out for file in files)
    header = next(line for line in out.splitlines() if "image" in line)
    assert header.split() == ["image", "predicted", "score", "2."]


def test_csv_has_a_column_for_every_score(say, noise_folder):
    code, out, err = say(noise_folder / "test" / "cyan", "--csv")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["image", "predicted", *NAMES]
    assert len(rows) == 10


def test_top_leaves_the_most_probable_in_json(say, noise_folder):
    [row] = rows_of(say(noise_folder / "test" / "cyan" / "0.png", "--json", "--top", 2))
    scores = list(row["scores"].values())
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_names_are_read_from_standard_input(say, noise_folder, monkeypatch):
    files = [str(noise_folder / "test" / name / "1.png") for name in NAMES]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(files) + "\n"))
    assert [row["image"] for row in rows_of(say("-", "--json"))] == files


def test_files_that_cannot_be_read_are_named_and_the_others_are_done(say, noise_folder, tmp_path):
    good = noise_folder / "test" / "cyan" / "0.png"
    cut, empty, missing = (tmp_path / name for name in ("cut.png", "empty.jpg", "missing.jpg"))
    cut.write_bytes(good.read_bytes()[:60])
    empty.touch()
    code, out, err = say(cut, good, empty, missing, good, "--json")
    assert code == 2
    assert [json.loads(line)["image"] for line in out.splitlines()] == [str(good)] * 2
    *warnings, error = err.splitlines()
    assert [line.split(" ")[1] for line in warnings] == [str(cut), str(empty), str(missing)]
    assert "is empty" in warnings[1]
    assert error == "error: 3 of 5 files cannot be read; fix or omit them"


def test_where_none_can_be_read_the_table_is_empty_and_the_code_2(say, tmp_path):
    (tmp_path / "empty.jpg").touch()
    code, _, err = say(tmp_path / "empty.jpg")
    assert code == 2
    assert err.splitlines()[-1] == "error: 1 of 1 files cannot be read; fix or omit them"


def test_a_low_score_is_unknown(say, noise_folder):
    options = [noise_folder / "test", "--json"]
    scores = [max(row["scores"].values()) for row in rows_of(say(*options))]
    middle = float(np.median(scores))
    rows = rows_of(say(*options, "--unknown-below", middle))
    for row in rows:
        assert (row["predicted"] == "unknown") == (max(row["scores"].values()) < middle)


def test_a_wanted_precision_takes_the_score_that_validation_suggests(say, trained, noise_folder):
    result = json.loads((trained / "result.json").read_text())
    score = result["calibration"]["unknown_below"]["0.99"]["score"]
    options = [noise_folder / "test", "--json"]
    by_precision = rows_of(say(*options, "--precision", "0.99"))
    assert by_precision == rows_of(say(*options, "--unknown-below", repr(score)))


def test_a_folder_without_images_is_one_line(say, tmp_path):
    code, _, err = say(tmp_path)
    assert (code, err) == (
        2,
        f"error: {tmp_path} has no images; give it some, or choose another folder\n",
    )


def test_no_image_at_all_is_one_line(say):
    code, _, err = say()
    assert (code, err.count("\n")) == (2, 1)


def test_a_photo_that_lies_on_its_side_is_turned_as_in_training(say, noise_folder, tmp_path):
    image = Image.open(noise_folder / "test" / "cyan" / "0.png")
    upright, turned = tmp_path / "upright.jpg", tmp_path / "turned.jpg"
    image.save(upright, quality=100, subsampling=0)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = image.transpose(Image.Transpose.ROTATE_90)
    stored.save(turned, quality=100, subsampling=0, exif=exif)
    one, other = rows_of(say(upright, turned, "--json"))
    assert one["scores"] == pytest.approx(other["scores"], abs=0.02)


def test_in_python_it_takes_paths_and_arrays(trained, noise_folder):
    files = [noise_folder / "test" / name / "0.png" for name in NAMES]
    loaded = trainer.load(trained)
    of_files = loaded.predict(files)
    pixels = np.stack([np.asarray(Image.open(file)) for file in files]).astype(np.float32) / 255
    of_arrays = loaded.predict(pixels)
    assert of_files.predicted == of_arrays.predicted
    np.testing.assert_allclose(of_files.scores, of_arrays.scores, atol=1e-5)
    assert of_files.images == tuple(map(str, files))


def test_in_python_predictions_are_a_table(trained, noise_folder):
    predictions = trainer.load(trained).predict([noise_folder / "test" / "cyan" / "0.png"])
    assert str(predictions).splitlines()[0].split() == ["image", "predicted", "score"]
    assert predictions._repr_html_().startswith("<table><tr><th>image</th>")


def test_a_folder_within_the_folder_counts_and_notes_do_not(say, noise_folder, tmp_path):
    shutil.copytree(noise_folder / "test" / "cyan", tmp_path / "all" / "deep" / "er")
    (tmp_path / "all" / "notes.txt").write_text("mine")
    assert len(rows_of(say(tmp_path / "all", "--json"))) == 10


def test_images_become_squares_as_the_run_has_them(say, trained, tmp_path, capfd):
    pixels = np.random.default_rng(0).integers(0, 256, [8, 24, 3]).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    Image.fromarray(pixels[:, 8:16]).save(tmp_path / "square.png")
    cropping = shutil.copytree(trained, tmp_path / "run")
    options = json.loads((cropping / "config.json").read_text())
    assert options["resize"] == "squash"
    (cropping / "config.json").write_text(json.dumps(options | {"resize": "crop"}))
    [square] = rows_of(say(tmp_path / "square.png", "--json"))
    [squashed] = rows_of(say(tmp_path / "wide.png", "--json"))
    arguments = [str(cropping), str(tmp_path / "wide.png"), "--json"]
    [cropped] = rows_of((command_line.exit_code(predict.main, arguments), *capfd.readouterr()))
    assert cropped["scores"] == square["scores"] != squashed["scores"]


def test_averaged_scores_are_those_of_an_evaluation(say, trained, noise_folder, tmp_path):
    path = tmp_path / "test.csv"
    trainer.load(trained).evaluate(tta=3).write_predictions(path)
    with path.open(newline="") as file:
        expected = {row["image"]: row for row in csv.DictReader(file)}
    rows = rows_of(say(noise_folder / "test", "--json", "--tta", 3))
    assert {row["image"] for row in rows} == set(expected)
    for row in rows:
        scores = {name: float(expected[row["image"]][name]) for name in NAMES}
        assert row["scores"] == pytest.approx(scores, abs=1e-5)


def test_averaged_scores_of_an_image_do_not_depend_on_the_others(say, noise_folder):
    all_rows = rows_of(say(noise_folder / "test", "--json", "--tta", 4))
    [alone] = rows_of(say(all_rows[-1]["image"], "--json", "--tta", 4))
    assert alone["scores"] == pytest.approx(all_rows[-1]["scores"], abs=1e-6)
    [plain] = rows_of(say(all_rows[-1]["image"], "--json"))
    assert alone["scores"] != plain["scores"]
