"""A source: one split of one dataset under our column names, its audio undecoded until asked for.

`datasets` keeps the rows in memory-mapped Arrow; we only rename, turn class numbers back into names, and
measure what the dataset doesn't say itself: each clip's length and content key. That one pass over the
audio is cached by `datasets` for anything that lives on disk.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipes.data.audio import audio_bytes, cut, decode, measure
from recipes.data.marks import Marks, read_marks

if TYPE_CHECKING:
    import datasets

CANONICAL = (
    "id",
    "audio",
    "transcription",
    "summary",
    "title",
    "topics",
    "dialect",
    "emotion",
    "speaker",
    "recording",
    "seconds",
    "start",
    "snr_db",
    "clip",
)
"""`start`: where in its file a segment begins, for manifests over long recordings."""

CHUNK = 1000
"""Rows read at a time: memory stays flat however large the dataset is."""


@dataclass(frozen=True)
class DatasetSource:
    """One split of one dataset: columns by row, audio on request."""

    name: str
    rows: datasets.Dataset
    labels: Mapping[str, str]
    """This dataset's label → the inventory's, for `dialect` and `emotion`."""
    marks: Marks = "clean"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def column_names(self) -> list[str]:
        return list(self.rows.column_names)

    @cached_property
    def _facts(self) -> datasets.Dataset:
        return self.rows.remove_columns([c for c in self.column_names if c == "audio"])

    @cached_property
    def _audio(self) -> datasets.Dataset:
        return self.rows.select_columns(["audio"])

    @cached_property
    def _class_names(self) -> dict[str, Sequence[str]]:
        """Columns that hold class numbers, with the classes' names."""
        return {name: kind.names for name, kind in self.rows.features.items() if getattr(kind, "names", None)}

    def columns(self, row: int) -> dict[str, Any]:
        """Everything the row says, except its audio."""
        return self._readable(row, self._facts[row])

    def all_columns(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self), CHUNK):
            yield from self.columns_of(range(start, min(start + CHUNK, len(self))))

    def columns_of(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """Many rows at once, which Arrow gives some five times faster than one by one."""
        table = self._facts[list(rows)]
        return [self._readable(row, {name: table[name][i] for name in table}) for i, row in enumerate(rows)]

    def audio(self, row: int) -> np.ndarray:
        cell, facts = self._audio[row]["audio"], self.columns(row)
        name = f"{self.name}, row {facts['id']}"
        if facts.get("start") is not None:
            return cut(cell["path"], float(facts["start"]), float(facts["seconds"]), name=name)
        return decode(audio_bytes(cell, name=name), name=name)

    def _readable(self, row: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """A row as tasks read it: classes and numbers from their codes and texts, labels mapped, marks handled."""
        cells = dict(values)
        cells["id"] = str(cells.get("id", row))
        for column, names in self._class_names.items():
            if isinstance(cells.get(column), int):
                # -1 is how ClassLabel says that a row has no label.
                cells[column] = names[cells[column]] if cells[column] >= 0 else None
        for column in ("seconds", "start", "snr_db"):
            # Tables on disk hold text; an empty cell is an unknown.
            if isinstance(cells.get(column), str):
                cells[column] = float(cells[column]) if cells[column].strip() else None
        for column in ("dialect", "emotion"):
            if cells.get(column) is not None:
                cells[column] = self.labels.get(str(cells[column]), str(cells[column]))
        return cells | read_marks(cells, self.marks)


def with_own_ids(rows: datasets.Dataset) -> datasets.Dataset:
    """Give every row an `id` of its own: its number where it has none; the second "a" becomes "a#2".

    Answers are paired by name, and files of one name in two folders are two examples. Ids that are told apart
    already stay as they are.
    """
    ids = [str(value) for value in rows["id"]] if "id" in rows.column_names else list(map(str, range(len(rows))))
    times: Counter[str] = Counter()
    own: list[str] = []
    for name in ids:
        times[name] += 1
        own.append(name if times[name] == 1 else f"{name}#{times[name]}")
    if "id" in rows.column_names:
        if own == ids:
            return rows
        rows = rows.remove_columns("id")
    return rows.add_column("id", own)


def sample(rows: datasets.Dataset, size: int, *, seed: int) -> datasets.Dataset:
    """Draw so many rows at random, kept in order: the first rows of a sorted set are one speaker or one dialect.

    A larger sample of the same seed holds the smaller one.
    """
    if size >= len(rows):
        return rows
    return rows.select(np.sort(np.random.default_rng(seed).permutation(len(rows))[:size]))


def with_measures(rows: datasets.Dataset, *, name: str) -> datasets.Dataset:
    """Add `seconds` and `clip` to rows that have audio and don't say them."""
    if "audio" not in rows.column_names:
        return rows
    wanted = [column for column in ("seconds", "clip") if column not in rows.column_names]
    if not wanted:
        return rows
    cuts = {"start", "seconds"} <= set(rows.column_names)
    inputs = ["audio", "start", "seconds"] if cuts else ["audio"]
    return rows.map(
        _measure_cut if cuts else _measure_whole,
        input_columns=inputs,
        fn_kwargs={"name": name, "wanted": wanted},
        desc=f"measuring the clips of {name}",
    )


def _measure_whole(cell: dict[str, Any], *, name: str, wanted: list[str]) -> dict[str, Any]:
    seconds, clip = measure(audio_bytes(cell, name=name), name=name)
    return {key: value for key, value in (("seconds", seconds), ("clip", clip)) if key in wanted}


def _measure_cut(
    cell: dict[str, Any], start: float | None, seconds: float, *, name: str, wanted: list[str]
) -> dict[str, Any]:
    """Key a segment of a long file by the file and its times: to hash the file for each would read it a thousand times."""
    file = Path(cell["path"])
    identity = f"{file.name} {file.stat().st_size if file.is_file() else 0} {start} {seconds}"
    return {"clip": hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()}
