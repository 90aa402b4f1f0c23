"""What comes from others, files and names, cannot run, reach or destroy anything."""

import ast
import contextlib
import io
import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from trainer import Config, Trainer, UserError, cache, command_line, run
from trainer.core.cache_folder import clear, entries
from trainer.data.readers.folder import folder_source
from trainer.setup.plugins import load_class

CHECKOUT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for folder in ("trainer", "tasks", "benchmarks", "tools", "examples")
    for path in (CHECKOUT / folder).rglob("*.py")
)

# The source.

EXECUTES_WHAT_IT_READS = {
    *("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"),
    *("eval", "exec", "compile", "__import__"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("yaml.load", "yaml.unsafe_load", "pandas.read_pickle"),
    *("keras.models.load_model", "keras.saving.load_model", "tf.keras.models.load_model"),
    *("keras.config.enable_unsafe_deserialization", "tempfile.mktemp"),
}
"""load_model builds layers out of the file, by its own word; weights alone are numbers."""

UNSAFE = {"shell": True, "allow_pickle": True, "safe_mode": False, "weights_only": False}
TO_BE_SAID = {
    "np.load": {"allow_pickle": False},
    "np.save": {"allow_pickle": False},
    "torch.load": {"weights_only": True},
}


def dotted(node):
    """`os.system` of the node that says so; None of anything but names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return None


def what_executes(source):
    """Every import and call that may run what a file or a name says."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & EXECUTES_WHAT_IT_READS
        elif isinstance(node, ast.ImportFrom):
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            yield from names & EXECUTES_WHAT_IT_READS
        elif isinstance(node, ast.Call):
            said = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            yield from {dotted(node.func)} & EXECUTES_WHAT_IT_READS
            yield from (
                f"{name}={value}" for name, value in said.items() if _is_unsafe(name, value)
            )
            wanted = TO_BE_SAID.get(dotted(node.func), {})
            yield from (dotted(node.func) for name, v in wanted.items() if said.get(name) is not v)


def _is_unsafe(name, value):
    return name in UNSAFE and value is UNSAFE[name]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_source_executes_what_it_reads(path):
    assert list(what_executes(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from os import system",
        "eval(text)",
        "os.system(command)",
        "subprocess.run(command, shell=True)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "keras.models.load_model(path)",
    ],
)
def test_a_source_that_did_would_be_found(source):
    assert list(what_executes(source))


# Names.

NAMES = [
    "$(touch pwned)",
    "; touch pwned #",
    "\x1b[31mred\x9b0m",
    "two\nlines",
    "[red]:cat:",
    "--clear",
    os.fsdecode(b"caf\xe9"),
]
"""Of classes: what a shell runs, a terminal obeys, rich and options mean, and what is no UTF-8."""


def is_harmless(printed):
    return all(character.isprintable() or character == "\n" for character in printed)


@pytest.fixture(scope="module")
def strange(tmp_path_factory, picture, vector_module, noisy_imports):
    """A run on classes of strange names in strange folders: the folder of all, and what it said."""
    place = tmp_path_factory.mktemp("strange")
    data = place / "photos \x1b[31m $(touch pwned)[" / "red]"
    for number, name in enumerate(sorted(NAMES)):
        for split in ("train", "valid", "test"):
            (data / split / name).mkdir(parents=True)
            picture(10 * number + len(split)).save(data / split / name / "\x1b[2J.png")
    options = [
        *("--task", "folder", "--data", data, "--extractor", vector_module, "--epochs", "1"),
        *("--log-dir", place / "logs[1]; touch pwned", "--cache-dir", place / "cache"),
    ]
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patched.chdir(place)
        code = command_line.exit_code(run.main, [str(option) for option in options])
    assert code == 0, err.getvalue()
    return place, out.getvalue() + err.getvalue()


def test_a_strange_name_reaches_the_terminal_as_text(strange):
    _, printed = strange
    assert is_harmless(printed)


def test_the_result_has_every_name_as_it_is(strange):
    [result] = strange[0].glob("logs*/folder/*/result.json")
    assert json.loads(result.read_text())["data"]["classes"] == sorted(NAMES)


def test_a_strange_name_makes_no_file(strange):
    place, _ = strange
    assert sorted(path.name[:4] for path in place.iterdir()) == ["cach", "logs", "phot"]
    ours = [path for path in place.rglob("*") if not path.is_relative_to(next(place.glob("ph*")))]
    assert not [path for path in ours if any(name in path.name for name in NAMES)]


def test_the_tensorboard_command_is_one_for_a_shell_and_for_this_machine_alone(strange):
    place, printed = strange
    command = printed.partition("next: ")[2].splitlines()[0]
    logs = str(place / "logs[1]; touch pwned")
    assert shlex.split(command) == ["tensorboard", "--host", "localhost", "--logdir", logs]


def test_a_strange_name_is_listed_as_text(strange, capsys):
    cache.main(["--cache-dir", str(strange[0] / "cache")])
    assert is_harmless(capsys.readouterr().out)


def test_a_strange_name_is_told_as_text_in_an_error(strange, tmp_path, run_command):
    (tmp_path / "data" / "\x1b[31mred").mkdir(parents=True)
    (tmp_path / "data" / "\x1b[31mred" / "two\nlines").write_text("no image")
    outcome = run_command("--task", "folder", "--data", tmp_path / "data")
    assert outcome.code == 2
    assert is_harmless(outcome.err) and len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["../../up", "/root/up", "up/../../../x:1.0.0"])
def test_a_dataset_s_name_is_one_folder_of_runs(name):
    from tasks.tfds import Tfds

    try:
        folder = Tfds(name).name
    except UserError:
        return
    assert Path(folder).name == folder


# Links in data.


@pytest.fixture
def outside(tmp_path, picture):
    """A folder of pictures beside the data."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for number in range(6):
        picture(200 + number).save(folder / f"{number}.png")
    return folder


def test_a_link_to_an_image_or_to_a_class_is_followed(cats_and_dogs, outside):
    (cats_and_dogs / "fish").symlink_to(outside)
    (cats_and_dogs / "cat" / "linked.png").symlink_to(outside / "0.png")
    assert sum(folder_source(cats_and_dogs).examples.values()) == 27


def test_links_that_lead_in_circles_are_refused(cats_and_dogs):
    (cats_and_dogs / "dog" / "again").symlink_to(cats_and_dogs)
    with pytest.raises(UserError, match=r"there are folders in .*dog, not images alone"):
        folder_source(cats_and_dogs)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("itself.png", "cannot be read"),
        ("nowhere", "cannot be read"),
        ("/dev/zero", "is not a regular file"),
    ],
)
def test_a_link_to_no_file_is_refused(cats_and_dogs, target, reason):
    (cats_and_dogs / "dog" / "itself.png").symlink_to(target)
    with pytest.raises(UserError, match=f"itself.png {reason}"):
        folder_source(cats_and_dogs)


def test_a_pipe_among_the_images_is_not_waited_for(cats_and_dogs):
    os.mkfifo(cats_and_dogs / "dog" / "pipe.png")
    with pytest.raises(UserError, match=r"pipe.png is not a regular file"):
        folder_source(cats_and_dogs)


# Links in the cache.


@pytest.fixture
def precious(tmp_path):
    """A folder of the user's, with one file in it."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    return folder


@pytest.fixture
def cache_folder(tmp_path):
    """A cache with its two rooms."""
    folder = tmp_path / "cache"
    for room in ("features", "datasets"):
        (folder / room).mkdir(parents=True)
    return folder


def is_whole(precious):
    return [path.read_text() for path in precious.iterdir()] == ["years of work"]


def test_clearing_follows_no_link_in_place_of_an_entry(cache_folder, precious):
    (cache_folder / "features" / (32 * "a")).symlink_to(precious)
    assert entries(cache_folder) == []
    clear(cache_folder)
    assert is_whole(precious)


def test_clearing_follows_no_link_within_an_entry(cache_folder, precious):
    entry = cache_folder / "features" / (32 * "a")
    entry.mkdir()
    (entry / "folder").symlink_to(precious)
    (entry / "file").symlink_to(precious / "thesis.tex")
    clear(cache_folder)
    assert is_whole(precious) and not entry.exists()


def test_clearing_follows_no_link_in_place_of_a_room(cache_folder, precious):
    ours = precious / (32 * "a")
    ours.mkdir()
    (cache_folder / "features").rmdir()
    (cache_folder / "features").symlink_to(precious)
    clear(cache_folder)
    assert ours.is_dir()


def test_clearing_writes_through_no_lock_that_is_a_link(cache_folder, precious):
    (cache_folder / "features" / (32 * "a")).mkdir()
    (cache_folder / "features" / f"{32 * 'a'}.lock").symlink_to(precious / "thesis.tex")
    with contextlib.suppress(UserError):
        clear(cache_folder)
    assert is_whole(precious)


@pytest.mark.parametrize("name", ["features/" + 32 * "a", "datasets/" + 64 * "a" + ".json"])
def test_clearing_leaves_what_is_not_of_the_kind_that_we_keep_there(cache_folder, name):
    """A file where we keep folders, a folder where we keep files."""
    theirs = cache_folder / name
    theirs.mkdir() if name.endswith(".json") else theirs.touch()
    clear(cache_folder)
    assert theirs.exists()


# Weights of others.


@pytest.mark.filterwarnings("ignore")  # Keras', of layers that the file lacks
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_a_file_of_weights_runs_no_code(tmp_path, suffix):
    import keras

    from trainer.extractors.keras_models import load_keras_network
    from trainer.extractors.names import parse_extractor

    ran, path = tmp_path / "ran", tmp_path / f"model{suffix}"
    model = keras.Sequential([keras.Input([32, 32, 3]), keras.layers.Lambda(_leaving(str(ran)))])
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    ran.unlink()
    with pytest.raises(UserError, match="--weights"):
        load_keras_network(parse_extractor("keras:MobileNet"), 32, str(path))
    assert not ran.exists()


def test_a_file_of_weights_reads_no_other_file(tmp_path):
    import h5py
    import keras

    from trainer.extractors.keras_models import load_keras_network
    from trainer.extractors.names import parse_extractor

    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15):
        pytest.skip("an older Keras follows links from one HDF5 file to another")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink("other.h5", "/model_weights")
    with pytest.raises(UserError, match="ExternalLink"):
        load_keras_network(parse_extractor("keras:MobileNet"), 32, str(tmp_path / "linked.h5"))


def _leaving(path):
    """A function that leaves a file behind when it runs."""
    return lambda images: (open(path, "w"), images)[1]  # noqa: PTH123


# The current folder.


def test_the_current_folder_is_looked_into_only_for_a_module_of_the_user_s(tmp_path, monkeypatch):
    """Among the data of others may lie a requests.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert load_class("--trainer", Config.trainer, Trainer) is Trainer
    assert str(tmp_path) not in sys.path
    (tmp_path / "trainers_of_mine.py").write_text("from trainer import Trainer as Mine")
    assert load_class("--trainer", "trainers_of_mine:Mine", Trainer) is Trainer
