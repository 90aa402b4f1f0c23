"""Bad input, through the command: one line that says what is wrong, code 2, nothing left behind."""

import os

import pytest
from PIL import Image

THREE_SPLITS = {f"{split}/{x}": 2 for split in ("train", "valid", "test") for x in ("cat", "dog")}

PIXELS = """
import keras
from trainer import ImageClassification

class Pixels(ImageClassification):
    dataset = "cats_vs_dogs"

    def head(self, classes):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])
"""


@pytest.fixture
def refused(run_command, tmp_path, vector_module):
    """Runs the command with a quick extractor; gives its one line of error, without "error: "."""

    def run(*options):
        done = run_command("--extractor", vector_module, "--epochs", 1, *options)
        assert done.code == 2
        assert done.err.startswith("error: ")
        assert done.err.count("\n") == 1
        assert "Traceback" not in done.out
        assert not list(tmp_path.glob("logs/*/*"))
        return done.err.removeprefix("error: ").rstrip("\n")

    return run


@pytest.fixture
def three_splits(class_folders):
    """A folder with splits of its own."""
    return class_folders(THREE_SPLITS)


@pytest.fixture
def truncated_jpeg(encoded):
    """Puts the beginning of a JPEG, so much of it, into a folder; gives its path."""

    def put(folder, kept):
        content = encoded(Image.linear_gradient("L").convert("RGB"), "JPEG")
        path = folder / "cut.jpg"
        path.write_bytes(content[: int(len(content) * kept)])
        return path

    return put


# Options.


def test_an_unknown_task(refused):
    assert refused("--task", "flower").startswith("unknown task 'flower': did you mean flowers?")


@pytest.mark.parametrize(
    ("option", "value", "bound"),
    [
        ("--epochs", 0, "at least 1"),
        ("--epochs", -3, "at least 1"),
        ("--batch-size", 0, "at least 1"),
        ("--image-size", 0, "at least 1"),
        ("--learning-rate", -0.1, "at least 0"),
        ("--learning-rate", "nan", "at least 0"),
        ("--learning-rate", "inf", "at most"),
        ("--seed", -1, "at least 0"),
        ("--steps-per-epoch", 0, "at least 1"),
        ("--validation-steps", 0, "at least 1"),
        ("--patience", 0, "at least 1"),
        ("--max-minutes", 0, "a number above 0"),
        ("--max-minutes", "inf", "a number above 0"),
    ],
)
def test_a_number_out_of_bounds(refused, option, value, bound):
    assert refused(option, value).startswith(f"{option} must be {bound}")


@pytest.mark.parametrize("target", ["accuracy", "accuracy=0.9", "test/accuracy>=0.9", "loss<low"])
def test_a_target_that_is_none(refused, target):
    message = refused("--stop-at", "loss<0.1", target)
    assert message.startswith("--stop-at must be a metric and its bound, like accuracy>=0.9, ")
    assert message.endswith(f", not {target}")


def test_a_target_of_a_metric_that_there_is_not(refused, cats_and_dogs):
    message = refused("--data", cats_and_dogs, "--stop-at", "validation/f1>=0.9")
    assert message == (
        "--stop-at validation/f1>=0.9: validation has no metric 'f1'; there are loss, accuracy"
    )


@pytest.mark.parametrize("every", ["0", "often", "-1epoch", "200%"])
def test_checkpoints_never_or_at_no_known_times(refused, every):
    assert refused(f"--checkpoint-every={every}").startswith("--checkpoint-every must be ")


def test_a_trainer_that_does_not_exist(refused, cats_and_dogs):
    message = refused("--data", cats_and_dogs, "--trainer", "no_such_module:Trainer")
    assert message.startswith("--trainer no_such_module:Trainer: there is no module")


@pytest.mark.parametrize("in_the_way", ["afile", "afile/below"])
def test_a_log_folder_that_cannot_be_written(refused, tmp_path, cats_and_dogs, in_the_way):
    (tmp_path / "afile").touch()
    message = refused("--data", cats_and_dogs, "--log-dir", tmp_path / in_the_way)
    assert message.startswith(f"--log-dir {tmp_path / in_the_way}: no run folder can be made")


# Data.


def test_a_folder_that_does_not_exist(refused, tmp_path):
    folder = tmp_path / "nowhere"
    missing = "there is no such folder; choose a folder of class folders"
    assert refused("--data", folder) == f"--data {folder}: {missing}"


def test_a_folder_of_one_class(refused, class_folders):
    assert "found only 'cat'" in refused("--data", class_folders({"cat": 6}))


def test_a_folder_of_no_class(refused, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "found none" in refused("--data", tmp_path / "empty")


def test_an_empty_split(refused, class_folders):
    folder = class_folders(THREE_SPLITS | {"valid/cat": 0, "valid/dog": 0})
    assert "the validation split" in refused("--data", folder)


def test_more_classes_than_the_task_tells_apart(refused, class_folders):
    folder = class_folders({"cat": 6, "dog": 6, "horse": 6})
    assert "two classes" in refused("--task", "horses", "--data", folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"a text", "is not an image of a supported format", id="a-text"),
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(
            b"\xff\xd8\xff\xe0\x00\x10", "is a JPEG file that ends before", id="a-beginning"
        ),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x4e\x20\x00\x00\x4e\x20" + bytes(40),
            "has 20,000 x 20,000 pixels, more than the limit of 178,956,970",
            id="a-bomb",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(90), "cannot be read as an image", id="damage"),
    ],
)
def test_a_file_that_is_no_image(refused, cats_and_dogs, content, reason):
    path = cats_and_dogs / "cat" / "x.jpg"
    path.write_bytes(content)
    assert refused("--data", cats_and_dogs).startswith(f"{path} {reason}")


def test_a_folder_called_like_an_image(refused, cats_and_dogs):
    (cats_and_dogs / "cat" / "x.jpg").mkdir()
    message = refused("--data", cats_and_dogs)
    assert f"there are folders in {cats_and_dogs / 'cat'}, not images alone" in message
    assert "--skip-bad-images" not in message


def test_a_link_to_an_image_that_is_gone(refused, cats_and_dogs):
    path = cats_and_dogs / "cat" / "x.jpg"
    path.symlink_to("gone.jpg")
    assert refused("--data", cats_and_dogs).startswith(f"{path} cannot be read (No such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read any file")
def test_an_image_that_may_not_be_read(refused, cats_and_dogs):
    path = next((cats_and_dogs / "cat").iterdir())
    path.chmod(0)
    assert refused("--data", cats_and_dogs).startswith(f"{path} cannot be read (Permission denied)")


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        pytest.param(0.8, "cannot be read as an image", id="in-its-pixels"),
        pytest.param(0.2, "is a JPEG file that ends before", id="in-its-header"),
    ],
)
def test_a_truncated_jpeg_below_an_extractor(refused, cats_and_dogs, truncated_jpeg, kept, reason):
    path = truncated_jpeg(cats_and_dogs / "cat", kept)
    assert refused("--data", cats_and_dogs).startswith(f"{path} {reason}")


def test_a_truncated_jpeg_in_training(refused, three_splits, truncated_jpeg, user_module):
    user_module("my_pixels", PIXELS)
    path = truncated_jpeg(three_splits / "train" / "cat", 0.8)
    options = ["--task", "my_pixels:Pixels", "--extractor", "none", "--image-size", 8]
    message = refused("--data", three_splits, *options)
    assert message.startswith(f"{path} cannot be read as an image")


@pytest.mark.slow
def test_images_that_no_memory_holds(refused, three_splits, user_module):
    user_module("my_pixels", PIXELS)
    options = ["--task", "my_pixels:Pixels", "--extractor", "none", "--image-size", 200_000]
    message = refused("--data", three_splits, *options)
    assert message.startswith("there is not enough memory (")
    assert message.endswith("; choose a smaller --batch-size or --image-size")


def test_a_dataset_that_is_not_prepared_without_network(refused, tmp_path, offline):
    message = refused("--data", "tfds", "--data-dir", tmp_path / "tfds")
    assert message.startswith(f"tf_flowers is not prepared in {tmp_path / 'tfds'}")


def test_a_folder_task_without_a_folder(refused):
    message = refused("--task", "folder")
    assert message.startswith("--task folder has no data of its own; choose a folder")


def test_a_dataset_that_tfds_does_not_know(refused, tmp_path):
    message = refused("--task", "tfds:cifar_10", "--data-dir", tmp_path / "tfds")
    assert message == "TFDS has no dataset 'cifar_10'; did you mean cifar10?"


def test_a_dataset_of_boxes(refused, tmp_path):
    message = refused("--task", "tfds:coco", "--data-dir", tmp_path / "tfds")
    assert message == (
        "coco of TFDS is not an image classification dataset: its examples have no class label"
    )


def test_a_dataset_that_was_not_downloaded(refused, tmp_path, offline):
    message = refused("--task", "tfds:cifar10", "--data-dir", tmp_path / "tfds")
    assert "--data tfds downloads cifar10" in message


def test_a_download_that_cannot_be_had(refused, tmp_path, offline):
    message = refused("--task", "tfds:cifar10", "--data", "tfds", "--data-dir", tmp_path / "tfds")
    assert message.startswith(f"cifar10 is not prepared in {tmp_path / 'tfds'} and http")


@pytest.mark.parametrize("examples", [24, 1001])
def test_a_part_of_the_sample_that_it_does_not_have(refused, examples):
    message = refused("--data", "sample", "--sample-examples", examples)
    assert message.endswith("choose from 25 to 1,000")


# Extractors.


def test_an_unknown_extractor(refused, cats_and_dogs):
    message = refused("--data", cats_and_dogs, "--extractor", "mobilenet")
    assert message.startswith("--extractor mobilenet: did you mean mobilenet_v2?")


def test_a_module_that_cannot_be_loaded(refused, cats_and_dogs, tmp_path):
    message = refused("--data", cats_and_dogs, "--extractor", tmp_path)
    assert message.startswith(f"--extractor {tmp_path} cannot be loaded")


def test_a_module_that_cannot_be_reached(refused, cats_and_dogs, closed_port):
    url = f"http://127.0.0.1:{closed_port}/module"
    message = refused("--data", cats_and_dogs, "--extractor", url)
    assert message.startswith(f"--extractor {url} cannot be loaded")


def test_a_module_that_gives_no_features(refused, cats_and_dogs, tiny_modules):
    message = refused("--data", cats_and_dogs, "--extractor", tiny_modules / "dict")
    assert "gives a dict, neither a vector nor a feature map" in message


def test_an_image_size_that_the_module_does_not_take(refused, cats_and_dogs):
    message = refused("--data", cats_and_dogs, "--image-size", 9)
    assert "choose another --image-size" in " ".join(message.split())


def test_a_head_of_features_that_is_given_images(refused, cats_and_dogs):
    options = ["--extractor", "none", "--image-size", 8]
    assert "--extractor" in refused("--data", cats_and_dogs, *options)


# And with nothing wrong.


@pytest.mark.slow
def test_good_input_is_not_refused(run_command, tmp_path, cats_and_dogs, vector_module):
    done = run_command("--extractor", vector_module, "--epochs", 1, "--data", cats_and_dogs)
    assert (done.code, done.err) == (0, "")
    assert len(list(tmp_path.glob("logs/flowers/*/result.json"))) == 1
