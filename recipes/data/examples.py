"""Examples: what training and evaluation iterate over. One example is one task asked of one dataset row.

A row serves every task its columns allow, so a passage with transcript, summary and dialect is three
examples over one clip. Examples are light (a few words each, no audio); `load` fetches audio and columns
when the example's turn comes. Rows that can't serve are left out and counted in `notes`, which scripts
print; a dataset that can't serve at all is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from recipes.data.audio import RATE
from recipes.tasks import Modality, Task

if TYPE_CHECKING:
    from recipes.data.sources import DatasetSource
    from recipes.schedule.table import ScheduleTable

MODALITY_CODES: dict[Modality, int] = {"speech": 0, "text": 1, "foreign": 2}


@dataclass(frozen=True, slots=True)
class Example:
    """One task asked of one row of a dataset."""

    task: str
    modality: Modality
    label: str
    """The class, or for generative tasks the length band or source that stands for one."""
    source: str
    seconds: float
    clip: str
    """Content key of the audio, the same wherever the clip occurs; "" for text-only examples."""
    row: int
    dataset: int
    language: str = "ar"
    """What the answer is written in."""
    cut: bool = False
    """Whether only the first `seconds` of the clip are heard."""


@dataclass(frozen=True)
class LoadedExample:
    """An example with its audio and its row's columns."""

    example: Example
    audio: np.ndarray | None
    """float32, 16 kHz, mono; None where the input is text."""
    columns: Mapping[str, Any]

    @property
    def document(self) -> str:
        """The text to work on, where there is no audio to hear."""
        return "" if self.audio is not None else str(self.columns.get("transcription") or "")

    def named(self, column: str) -> str:
        """The row's recording or speaker, with its dataset's name before it; empty where the row has none."""
        value = self.columns.get(column)
        return "" if value is None or value == "" else f"{self.example.source}/{value}"


CountTokens = Callable[[Sequence[Example], Sequence[str]], Sequence[int]]
"""Lengths of whole sequences, from examples (seconds of audio, task) and their texts (document and target)."""


class Examples(Sequence[Example]):
    """Examples over one or more datasets, with the tasks that ask of them."""

    def __init__(
        self,
        sources: Sequence[DatasetSource],
        items: Sequence[Example],
        tasks: Mapping[str, Task],
        notes: Iterable[str] = (),
    ) -> None:
        self.sources = sources
        self.items = items
        self.tasks = tasks
        self.notes = tuple(notes)
        """What was left out and why, a line each, for people."""

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, i: int) -> Example: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[Example]: ...
    def __getitem__(self, i: int | slice) -> Example | Sequence[Example]:
        return self.items[i]

    def load(self, i: int) -> LoadedExample:
        """The example with its audio (unless its input is text) and its row's columns."""
        example = self.items[i]
        source = self.sources[example.dataset]
        audio = None if example.modality == "text" else source.audio(example.row)
        if audio is not None and example.cut:
            audio = audio[: round(example.seconds * RATE)]
        return LoadedExample(example, audio, source.columns(example.row))

    def text(self, i: int) -> LoadedExample:
        """The example without its audio: enough for its target, its label and its slices."""
        example = self.items[i]
        return LoadedExample(example, None, self.sources[example.dataset].columns(example.row))

    def target(self, i: int) -> str:
        return self.tasks[self.items[i].task].target(self.text(i))

    def name(self, i: int) -> str:
        """Task, dataset and row id: the same in every run, so that two runs' answers can be paired."""
        example = self.items[i]
        source = self.sources[example.dataset]
        kind = "" if example.modality == "speech" else f"+{example.modality}"
        return f"{example.task}{kind}/{source.name}/{source.columns(example.row)['id']}"

    def subset(self, indices: Iterable[int]) -> Examples:
        return Examples(self.sources, [self.items[i] for i in indices], self.tasks, self.notes)

    def clips(self) -> dict[str, int]:
        """Every different clip, with the index of an example that holds it, in order of first use."""
        first: dict[str, int] = {}
        for i, example in enumerate(self.items):
            if example.clip:
                first.setdefault(example.clip, i)
        return first

    def schedule_table(self, count_tokens: CountTokens, *, batch: int = 1024) -> ScheduleTable:
        """What a schedule sees of these examples: numbers only, one row each."""
        from recipes.schedule.table import ScheduleTable

        tasks = tuple(self.tasks)
        labels = tuple(sorted({example.label for example in self.items}))
        task_code = {name: i for i, name in enumerate(tasks)}
        label_code = {name: i for i, name in enumerate(labels)}
        tokens: list[int] = []
        for start in range(0, len(self), batch):
            chunk = self.items[start : start + batch]
            tokens.extend(count_tokens(chunk, self._texts(chunk)))
        return ScheduleTable(
            task=np.array([task_code[e.task] for e in self.items], dtype=np.int16),
            tasks=tasks,
            label=np.array([label_code[e.label] for e in self.items], dtype=np.int32),
            labels=labels,
            tokens=np.array(tokens, dtype=np.int32),
            modality=np.array([MODALITY_CODES[e.modality] for e in self.items], dtype=np.int8),
        )

    def _texts(self, chunk: Sequence[Example]) -> list[str]:
        """Document and target of each example, rows of one dataset fetched together."""
        texts = [""] * len(chunk)
        for number, source in enumerate(self.sources):
            places = [k for k, example in enumerate(chunk) if example.dataset == number]
            rows = source.columns_of([chunk[k].row for k in places]) if places else []
            for k, columns in zip(places, rows, strict=True):
                loaded = LoadedExample(chunk[k], None, columns)
                target = self.tasks[chunk[k].task].target(loaded)
                texts[k] = f"{loaded.document}\n{target}" if chunk[k].modality == "text" else target
        return texts
