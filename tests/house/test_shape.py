"""The shape of the house: no circles, short modules and functions, names that say what they hold."""

from __future__ import annotations

from statistics import median

from tests.house.code import bound_names, circles, long_functions, modules

VAGUE = {"told", "said", "one", "known", "found", "made", "kept", "there"}
"""Names that could hold anything."""


def test_no_module_imports_itself_by_way_of_others():
    assert circles() == []


def test_modules_are_chapters():
    assert median(module.lines for module in modules()) <= 150
    assert [module.path for module in modules() if module.lines > 400] == []


def test_functions_say_one_thing():
    assert long_functions(40) == {}


def test_names_say_what_they_hold():
    vague = {module.room for module in modules() if VAGUE & set(bound_names(module))}
    assert vague == set()
