"""The rooms of the package and of the recipes: CONTRIBUTING's table, the linter's contract and the folders themselves name the same."""

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PACKAGES = ("aramega", "recipes")
NOT_ROOMS = {"__init__", "__main__"}


def rooms_of_the_linter(package: str) -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    layers = next(c["layers"] for c in contracts if c["layers"][0].startswith(f"{package}."))
    return [room.strip().removeprefix(f"{package}.") for layer in layers for room in layer.split("|")]


def rooms_of_contributing(package: str) -> list[str]:
    """The first table is the package's, the second that of the recipes."""
    ours, _, recipes = (
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Rooms")[1].partition("`recipes/`")
    )
    return re.findall(r"^\| `(\w+)` \|", {"aramega": ours, "recipes": recipes}[package], re.MULTILINE)


@pytest.mark.parametrize("package", PACKAGES)
def test_contributing_and_the_linter_name_the_same_rooms_in_the_same_order(package: str):
    assert rooms_of_contributing(package) == rooms_of_the_linter(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_lies_in_a_room(package: str):
    folder = ROOT / package
    rooms = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    assert rooms - NOT_ROOMS == set(rooms_of_the_linter(package))


def test_every_command_of_the_recipes_is_run_by_its_name():
    commands = rooms_of_the_linter("recipes")[:6]
    for name in commands:
        assert "\ndef main(" in (ROOT / "recipes" / f"{name}.py").read_text(encoding="utf-8")


def test_recipes_may_import_no_room_but_text():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "forbidden")
    named = {room.removeprefix("aramega.") for room in contract["forbidden_modules"]}
    assert named == set(rooms_of_the_linter("aramega")) - {"text", "errors"}
