"""The architecture one can see: every import of ours points down."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS = [
    ["trainer.core.errors", "trainer.core.text", "trainer.core.signals"],
    ["trainer.config.durations", "trainer.config.conditions"],
    [
        "trainer.config",
        "trainer.config.bounds",
        "trainer.config.transfer",
        "trainer.core.tensorflow_import",
        "trainer.core.atomic",
    ],
    ["trainer.core.cache_folder", "trainer.core.run_folder", "trainer.task"],
    ["trainer.runs.resume"],
    ["trainer"],
    ["trainer.data"],
    ["trainer.extractors"],
    ["trainer.features.arrays"],
    ["trainer.features.features"],
    ["trainer.features.store"],
    ["trainer.report"],
    ["trainer.loop"],
    ["trainer.command_line"],
    ["trainer.run", "trainer.cache", "trainer.__main__"],
]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor(module: str) -> int:
    """The number of the floor whose room, or a folder around it, has the module's name."""
    rooms = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    while module not in rooms:
        module = module.rpartition(".")[0]
    return rooms[module]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_imported(node.module, alias.name) for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("trainer", "tasks")}


def _imported(module: str, name: str) -> str:
    path = ROOT / module.replace(".", "/")
    return (
        f"{module}.{name}" if (path / name).is_dir() or (path / f"{name}.py").is_file() else module
    )


MODULES = sorted((ROOT / "trainer").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_down(path):
    here = module_name(path)
    if here == "trainer":
        return
    above = {name for name in imports(path) - {"tasks"} if floor(name) > floor(here)}
    assert not above


@pytest.mark.parametrize("path", sorted((ROOT / "tasks").glob("*.py")), ids=module_name)
def test_tasks_import_trainer_and_nothing_deeper(path):
    assert not {name for name in imports(path) if name.startswith("trainer.")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_holds_one_idea_in_about_three_hundred_lines(path):
    assert len(path.read_text().splitlines()) <= 300
