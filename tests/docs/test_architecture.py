"""docs/architecture.md is true: its rooms are those that are tested, its files exist."""

import re
from pathlib import Path

import pytest

from tests.test_floors import FLOORS, MODULES, imports_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS, BATCH = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)


def arrows_of(picture: str) -> list[tuple[str, str]]:
    """(from, to) of every arrow of a mermaid flowchart; `a & b --> c` has two."""
    bare = re.sub(r'\["[^"]*"\]', "", picture)
    lines = re.findall(r"^ *([\w &]+) --> ([\w &]+)$", bare, re.MULTILINE)
    return [(a, b) for left, right in lines for a in left.split(" & ") for b in right.split(" & ")]


def test_its_rooms_are_the_floors_in_their_order():
    assert tuple(re.findall(r"^\| `(trainer[\w.]*)` \|", PAGE, re.MULTILINE)) == FLOORS


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:trainer|tests)/[\w/.]*)`", PAGE))))
def test_the_files_that_it_names_exist(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"<br/>([\w/.]+)", BATCH))))
def test_the_files_in_the_picture_of_a_batch_exist(path):
    assert (ROOT / "trainer" / path).is_file()


@pytest.mark.parametrize(("above", "below"), arrows_of(ROOMS))
def test_the_arrows_between_rooms_point_down(above, below):
    floors = {floor.rpartition(".")[2]: number for number, floor in enumerate(FLOORS)}
    floors["commands"] = floors.pop("trainer")
    assert floors[below] < floors[above]


@pytest.mark.parametrize(("above", "below"), arrows_of(ROOMS))
def test_the_arrows_between_rooms_are_imports(above, below):
    room = "trainer." if above == "commands" else f"trainer.{above}"
    files = [name for name in MODULES if name == room or re.match(rf"{room}\w*(\.|$)", name)]
    imported = {module for name in files for module in imports_of(name)}
    assert any(f"{module}.".startswith(f"trainer.{below}.") for module in imported)


def test_every_room_is_in_the_picture():
    drawn = {room for arrow in arrows_of(ROOMS) for room in arrow} - {"commands"}
    assert drawn == {floor.removeprefix("trainer.") for floor in FLOORS} - {"trainer"}
