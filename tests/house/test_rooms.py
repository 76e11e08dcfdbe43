"""The rooms of the package: CONTRIBUTING's table, the linter's contract and the folders themselves name the same."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
NOT_ROOMS = {"__init__", "__main__"}


def rooms_of_the_linter() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "layers")
    return [room.removeprefix("aramega.") for layer in contract["layers"] for room in layer.split(" | ")]


def test_contributing_and_the_linter_name_the_same_rooms_in_the_same_order():
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Rooms")[1].split("`recipes/`")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == rooms_of_the_linter()


def test_every_module_of_the_package_lies_in_a_room():
    package = ROOT / "aramega"
    found = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    assert found - NOT_ROOMS == set(rooms_of_the_linter())


def test_recipes_may_import_no_room_but_text():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["type"] == "forbidden")
    named = {room.removeprefix("aramega.") for room in contract["forbidden_modules"]}
    assert named == set(rooms_of_the_linter()) - {"text", "errors"}
