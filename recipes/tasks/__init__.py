"""Tasks: one audio language model, several things to ask of it.

Each task is one file here. Importing this package imports them all, so a new file that defines a class
under `@register` is a new task: nothing else has to be edited.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable

from recipes.tasks.base import REGISTRY, Kind, Modality, Task, TaskError, TaskOptions
from recipes.tasks.labels import DIALECTS, EMOTION_LEVELS, EMOTIONS, Inventory, Label

__all__ = [
    "DIALECTS",
    "EMOTIONS",
    "EMOTION_LEVELS",
    "Inventory",
    "Kind",
    "Label",
    "Modality",
    "Task",
    "TaskError",
    "TaskOptions",
    "build_tasks",
    "task_names",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def task_names() -> tuple[str, ...]:
    return tuple(sorted(REGISTRY))


def build_tasks(names: Iterable[str] = (), options: TaskOptions | None = None) -> dict[str, Task]:
    """The tasks of these names (all of them where none is named), in the order named."""
    options = options or TaskOptions()
    return {name: _kind(name)(options) for name in (tuple(names) or task_names())}


def _kind(name: str) -> type[Task]:
    if name in REGISTRY:
        return REGISTRY[name]
    close = difflib.get_close_matches(name, REGISTRY, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise TaskError(f"no task is called {name!r}.{hint} Known: {', '.join(task_names())}.")
