"""What a schedule sees of the training data: five columns of numbers, one row an example.

No audio, no text, no model: so that a million rows are a few megabytes, and a schedule can be planned,
drawn and tested without any of them. Embeddings, where a schedule wants them, are a separate array with
the same rows.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.errors import RecipeError

MODALITIES = ("speech", "text", "foreign")
SPEECH, TEXT, FOREIGN = range(3)


@dataclass(frozen=True)
class ScheduleTable:
    """Columnar; row i is example i."""

    task: np.ndarray  # int16, index into `tasks`
    tasks: tuple[str, ...]
    label: np.ndarray  # int32, index into `labels`: the class, or for generative tasks the source or length band
    labels: tuple[str, ...]
    tokens: np.ndarray  # int32, length of the whole sequence, audio tokens and text
    modality: np.ndarray  # int8, index into MODALITIES

    def __post_init__(self) -> None:
        columns = {"task": self.task, "label": self.label, "tokens": self.tokens, "modality": self.modality}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise RecipeError(f"schedule table: columns of different length: {lengths}")
        for name, limit in (("task", len(self.tasks)), ("label", len(self.labels)), ("modality", len(MODALITIES))):
            column = columns[name]
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < limit:
                raise RecipeError(
                    f"schedule table: {name} has values from {column.min()} to {column.max()}, but only {limit} are named"
                )
        if len(self) and int(self.tokens.min()) < 1:
            raise RecipeError(f"schedule table: row {int(self.tokens.argmin())} is {self.tokens.min()} tokens long")

    def __len__(self) -> int:
        return len(self.task)

    def task_index(self, name: str) -> int:
        """The index of a task; an unknown name is an error that gives the nearest right one."""
        if name not in self.tasks:
            raise RecipeError(f"schedule: no task {name!r} in the data{nearest(name, self.tasks)}")
        return self.tasks.index(name)

    def digest(self) -> str:
        """A short hash of everything in the table, to know it again when a run is resumed."""
        state = hashlib.blake2b(repr((self.tasks, self.labels)).encode(), digest_size=8)
        for column in (self.task, self.label, self.tokens, self.modality):
            state.update(np.ascontiguousarray(column, dtype=np.int32).data)
        return state.hexdigest()

    def save(self, path: Path | str) -> None:
        """Write the table as one `.npz` file, for `python -m recipes.schedule --table`."""
        np.savez_compressed(
            path,
            task=self.task,
            tasks=np.array(self.tasks, dtype=np.str_),
            label=self.label,
            labels=np.array(self.labels, dtype=np.str_),
            tokens=self.tokens,
            modality=self.modality,
        )

    @classmethod
    def load(cls, path: Path | str) -> ScheduleTable:
        """Read what `save` wrote."""
        path = Path(path)
        if not path.is_file():
            raise RecipeError(f"{path}: no such table")
        with np.load(path, allow_pickle=False) as stored:
            missing = {"task", "tasks", "label", "labels", "tokens", "modality"} - set(stored.files)
            if missing:
                raise RecipeError(f"{path}: not a schedule table, it lacks {', '.join(sorted(missing))}")
            return cls(
                task=stored["task"],
                tasks=tuple(str(name) for name in stored["tasks"]),
                label=stored["label"],
                labels=tuple(str(name) for name in stored["labels"]),
                tokens=stored["tokens"],
                modality=stored["modality"],
            )


def nearest(name: str, names: Collection[str]) -> str:
    """The tail of a message about a wrong name: the nearest right one, and all of them."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"{f'. Did you mean {near[0]!r}?' if near else ''} (known: {', '.join(names)})"
