"""Bad images, through the command: skipped on request, and nothing else changes."""

import json

import pytest
from PIL import Image

COLOURS = Image.linear_gradient("L").resize((40, 24)).convert("RGB")


@pytest.fixture
def trained(run_command, tmp_path, vector_module):
    """Runs the command with a quick extractor; returns what it printed, and its result."""

    def run(*options):
        before = set(tmp_path.glob("logs/*/*/result.json"))
        done = run_command("--extractor", vector_module, "--epochs", 1, *options)
        assert (done.code, done.err) == (0, "")
        [path] = set(tmp_path.glob("logs/*/*/result.json")) - before
        return done.out, json.loads(path.read_bytes())

    return run


@pytest.fixture
def bad_files(cats_and_dogs, encoded):
    """Adds a text, an empty file and a truncated PNG to the images of a folder."""
    contents = {"a.jpg": b"a text", "b.jpg": b"", "c.jpg": encoded(COLOURS, "PNG")[:-30]}

    def add():
        for name, content in contents.items():
            (cats_and_dogs / "cat" / name).write_bytes(content)
        return {str(cats_and_dogs / "cat" / name) for name in contents}

    return add


def test_bad_images_are_skipped_named_and_change_nothing_else(trained, cats_and_dogs, bad_files):
    _, before = trained("--data", cats_and_dogs)
    paths = bad_files()
    out, result = trained("--data", cats_and_dogs, "--skip-bad-images")
    for key in ("weights_digest", "metrics", "data"):
        assert result[key] == before[key]
    assert "\nskipped: 3 images that cannot be read, such as " in out
    assert result["skipped_images"]["count"] == 3
    assert {entry["file"] for entry in result["skipped_images"]["files"]} == paths


@pytest.mark.slow
def test_without_the_option_the_result_has_no_skipped_images(trained, cats_and_dogs):
    _, result = trained("--data", cats_and_dogs)
    assert "skipped_images" not in result


@pytest.mark.slow
def test_unusual_but_valid_images_are_trained_on(trained, cats_and_dogs, encoded):
    rotated = Image.Exif()
    rotated[0x0112] = 6
    clear = COLOURS.convert("RGBA")
    clear.putalpha(100)
    animation = {"save_all": True, "append_images": [COLOURS.rotate(90)]}
    contents = {
        "a-png.jpg": encoded(COLOURS, "PNG"),
        "of-one-pixel.png": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
        "wide.jpg": encoded(Image.new("RGB", (20_000, 4), "red"), "JPEG"),
        "animated.gif": encoded(COLOURS, "GIF", **animation),
        "animated.png": encoded(COLOURS, "PNG", **animation),
        "animated.webp": encoded(clear, "WEBP", **animation),
        "rotated.jpg": encoded(COLOURS, "JPEG", exif=rotated),
    }
    for name, content in contents.items():
        (cats_and_dogs / "dog" / name).write_bytes(content)
    _, result = trained("--data", cats_and_dogs)
    assert sum(result["data"]["examples"].values()) == 20 + len(contents)
