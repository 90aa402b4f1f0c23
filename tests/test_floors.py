"""The architecture: every import points down, and no two files import each other."""

import ast
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS = (
    "trainer.core",
    "trainer.config",
    "trainer.remote",
    "trainer.task",
    "trainer.samples",
    "trainer.data",
    "trainer.extractors",
    "trainer.features",
    "trainer.optimization",
    "trainer.distribution",
    "trainer.evaluation",
    "trainer.report",
    "trainer.machine",
    "trainer.loop",
    "trainer.checkpoints",
    "trainer.hooks",
    "trainer.results",
    "trainer.setup",
    "trainer.reviewing",
    "trainer.trained",
    "trainer.exporting",
    "trainer.runs",
    "trainer.sweeping",
    "trainer",
)
"""The rooms from the ground up; the last is the top of the package, with a door for each command.

A room may import those before it. docs/architecture.md shows the same order.
"""

DATA_FLOORS = (
    "trainer.data.labels",
    "trainer.data.own_data",
    "trainer.data.splits",
    "trainer.data.json_cache",
    "trainer.data.images",
    "trainer.data.pipeline",
    "trainer.data.thumbnails",
    "trainer.data.selection",
    "trainer.data.checks",
    "trainer.data.readers",
    "trainer.data.downloads",
    "trainer.data.available",
    "trainer.data.sources",
)
"""The same within the room of the data, which has rooms of its own."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    module_name(path): path
    for folder in ("trainer", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
}

IN_ROOMS = [name for name in MODULES if name.startswith("trainer.")]


@functools.cache
def imports_of(name: str) -> set[str]:
    """The modules that a file imports, for types alone and within functions too."""
    found = itertools.chain.from_iterable(
        _imported(node) for node in ast.walk(ast.parse(MODULES[name].read_text()))
    )
    return {module for module in found if module in MODULES} - {name}


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in MODULES else node.module


def floor_of(module: str, floors: tuple[str, ...]) -> int:
    """The number of the floor that has the module's name, or that of a package around it."""
    around = module
    while around and around not in floors:
        around = around.rpartition(".")[0]
    assert around, f"{module} is on no floor"
    return floors.index(around)


@pytest.mark.parametrize("module", IN_ROOMS)
def test_imports_point_down(module):
    above = {
        name
        for name in imports_of(module) - {"tasks"}
        if floor_of(name, FLOORS) > floor_of(module, FLOORS)
    }
    assert not above


@pytest.mark.parametrize("module", [m for m in IN_ROOMS if m.startswith("trainer.data.")])
def test_imports_within_the_data_point_down(module):
    within = {name for name in imports_of(module) if name.startswith("trainer.data.")}
    here = floor_of(module, DATA_FLOORS)
    assert not {name for name in within if floor_of(name, DATA_FLOORS) > here}


def test_no_files_import_each_other_in_a_circle():
    reachable = {name: _reachable(name) for name in MODULES}
    assert not {name for name in MODULES if name in reachable[name]}


def _reachable(start: str) -> set[str]:
    found, to_visit = set[str](), set(imports_of(start))
    while to_visit:
        name = to_visit.pop()
        if name not in found and name != "trainer":  # whoever imports a module imports its package
            found.add(name)
            to_visit |= imports_of(name)
    return found


def test_rooms_have_at_most_a_dozen_modules():
    counts = {
        folder: sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in {path.parent for path in MODULES.values()}
    }
    most = {folder: 16 if folder == ROOT / "trainer" else 12 for folder in counts}
    assert not {folder: n for folder, n in counts.items() if n > most[folder]}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("tasks.")])
def test_tasks_import_the_package_and_nothing_within_it(module):
    assert not {name for name in imports_of(module) if name.startswith("trainer.")}


@pytest.mark.parametrize("module", IN_ROOMS)
def test_a_module_holds_one_idea_in_about_three_hundred_lines(module):
    # The loop is read from top to bottom, and what a hook may do stands beside it.
    most = 405 if module == "trainer.loop.trainer" else 300
    assert len(MODULES[module].read_text().splitlines()) <= most
