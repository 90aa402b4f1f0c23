"""`python -m tools.samples`: the package has what is drawn, and any difference is found."""

import json

import pytest

from tools.samples.__main__ import PACKAGE, first_difference, replace_all, report_difference

FIRST_PICTURES = """
import hashlib, json, os
from tools.samples.__main__ import PLAIN_ARITHMETIC
os.environ.update(PLAIN_ARITHMETIC)
from tools.samples.build import SAMPLES, examples
first = {name: examples(s, "test", len(s.classes)) for name, s in SAMPLES.items()}
digest = lambda example: hashlib.sha256(example["image"]).hexdigest()
print(json.dumps({name: list(map(digest, pictures)) for name, pictures in first.items()}))
"""


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with one sample, of the files and contents that are given."""

    def make(name, **files):
        for file, content in files.items():
            path = tmp_path / name / "birds" / "1.0.0" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path / name

    return make


def test_the_pictures_of_the_package_are_those_that_are_drawn(python):
    from trainer.core.hashing import sha256
    from trainer.data.json_cache import JsonCache
    from trainer.data.readers.sample import sample_source

    drawn = python("-c", FIRST_PICTURES)
    assert drawn.code == 0, drawn.err
    for name, digests in json.loads(drawn.out).items():
        split = sample_source(name, None, JsonCache()).splits["test"].slice(0, len(digests))
        kept = [sha256(image) for image, _ in split.references().as_numpy_iterator()]
        assert digests == kept, name


def test_the_package_has_every_sample_that_can_be_built():
    from tools.samples.build import SAMPLES, VERSION

    built = {f"{name}/{VERSION}" for name in SAMPLES}
    assert {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/*.*.*")} == built


def test_equal_folders_have_no_difference(folder):
    built, package = folder("built", train="1", test="2"), folder("package", train="1", test="2")
    assert first_difference(built, package) is None
    assert report_difference(built, package) == 0


@pytest.mark.parametrize(
    "kept", [{"train": "1", "test": "3"}, {"train": "1"}, {"train": "1", "test": "2", "stray": "0"}]
)
def test_the_first_file_that_differs_is_named(folder, kept, capsys):
    built, package = folder("built", train="1", test="2"), folder("package", **kept)
    name = "stray" if "stray" in kept else "test"
    assert report_difference(built, package) == 1
    assert f"{package / 'birds' / '1.0.0' / name} differs" in capsys.readouterr().err


def test_rebuilding_replaces_a_sample_whole(folder):
    built, package = folder("built", train="new"), folder("package", train="old", stray="0")
    replace_all(built, package)
    assert first_difference(built, package) is None
