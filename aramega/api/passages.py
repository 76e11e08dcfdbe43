"""Passages as a researcher reads them: lazily, with their current texts and labels, as a table, as a dataset.

The current answer to a field is what people settled (`ws.resolve`), else what machines drafted: the same rule by
which rows are published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from aramega.records import DraftedPassage, ResolvedPassage
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    import datasets
    import numpy as np
    import pandas as pd

    from aramega.store import Store


@dataclass(frozen=True)
class PassageView:
    """A passage with where it came from, what was drafted for it, and the current answer to each field."""

    drafted: DraftedPassage
    resolved: ResolvedPassage
    """The answers with their provenance: `resolved.summary.verified`, `.how`, `.annotators`."""
    folder: WorkspaceFolder

    def __repr__(self) -> str:
        return f"<PassageView {self.id}: {self.seconds:.1f} s, {self.title or self.text[:40]!r}>"

    @property
    def id(self) -> str:
        return self.drafted.id

    @property
    def recording(self) -> str:
        """The file's name."""
        return self.drafted.recording.name

    @property
    def start(self) -> float:
        """In seconds of the recording."""
        return self.drafted.passage.start

    @property
    def end(self) -> float:
        return self.drafted.passage.end

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def text(self) -> str:
        """The transcript."""
        return self.resolved.transcript.value

    @property
    def summary(self) -> str:
        return self.resolved.summary.value

    @property
    def title(self) -> str:
        return self.resolved.title.value

    @property
    def topics(self) -> tuple[str, ...]:
        return self.resolved.topics

    @property
    def dialect(self) -> str:
        return self.resolved.dialect.value

    @property
    def emotion(self) -> str:
        return self.resolved.emotion.value

    @property
    def labels(self) -> dict[str, str]:
        """Dialect and emotion; empty where nobody and no model said."""
        return {"dialect": self.dialect, "emotion": self.emotion}

    @property
    def accepted(self) -> bool:
        """Whether it would be published, as far as checks and people said."""
        return self.resolved.accepted

    @property
    def is_reviewed(self) -> bool:
        """Whether a person's review is in the answers."""
        return bool(self.resolved.reviews)

    @property
    def clip(self) -> Path:
        """Its sound, as FLAC (16 kHz, mono)."""
        return self.folder.root / self.drafted.passage.clip

    def audio(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Its samples, 16 kHz mono between -1 and 1; fetched first where the workspace keeps its clips elsewhere."""
        import soundfile

        with self.folder.borrow(self.drafted.passage.clip) as clip:
            samples: np.ndarray[Any, np.dtype[np.float32]] = soundfile.read(clip, dtype="float32")[0]
        return samples

    def to_dict(self) -> dict[str, Any]:
        """One row of a table: texts, labels, provenance, and what was measured."""
        return {name: column.read(self) for name, column in COLUMNS.items()}


@dataclass(frozen=True)
class Column:
    """A column of a table of passages: what it holds, as `datasets` calls it, and where that is taken from."""

    kind: Literal["string", "float64", "int64", "bool", "list"]
    read: Callable[[PassageView], Any]


COLUMNS = {
    "id": Column("string", lambda view: view.id),
    "recording": Column("string", lambda view: view.recording),
    "title_of_recording": Column("string", lambda view: view.drafted.recording.metadata.title),
    "programme": Column("string", lambda view: view.drafted.recording.metadata.programme),
    "start": Column("float64", lambda view: view.start),
    "end": Column("float64", lambda view: view.end),
    "seconds": Column("float64", lambda view: round(view.seconds, 3)),
    "text": Column("string", lambda view: view.text),
    "summary": Column("string", lambda view: view.summary),
    "title": Column("string", lambda view: view.title),
    "topics": Column("list", lambda view: list(view.topics)),
    "dialect": Column("string", lambda view: view.dialect),
    "emotion": Column("string", lambda view: view.emotion),
    "accepted": Column("bool", lambda view: view.accepted),
    "reviewed": Column("bool", lambda view: view.is_reviewed),
    "verified_text": Column("bool", lambda view: view.resolved.transcript.verified),
    "verified_summary": Column("bool", lambda view: view.resolved.summary.verified),
    "asr_model": Column("string", lambda view: getattr(view.drafted.draft.transcript, "model", "")),
    "summary_model": Column("string", lambda view: getattr(view.drafted.draft.summary, "model", "")),
    "decision": Column("string", lambda view: getattr(view.drafted.draft.verdict, "decision", "")),
    "priority": Column("float64", lambda view: getattr(view.drafted.draft.verdict, "priority", None)),
    "score": Column("float64", lambda view: getattr(view.drafted.draft.verdict, "score", None)),
    "confidence": Column("float64", lambda view: getattr(view.drafted.draft.verdict, "confidence", None)),
    "words": Column("int64", lambda view: getattr(view.drafted.draft.check, "words", None)),
    "snr_db": Column("float64", lambda view: view.drafted.passage.snr_db),
}
"""The columns of a table of passages, in their order."""


@dataclass(frozen=True)
class Passages:
    """The passages of a workspace for which a condition is true, in the order of their ids; read as you iterate."""

    folder: WorkspaceFolder
    where: str = ""

    def __iter__(self) -> Iterator[PassageView]:
        from aramega.settle.policies import current_answer
        from aramega.store.drafts import find_passages
        from aramega.store.passages import LOADED, load_passages
        from aramega.store.reviews import load_resolved

        with self._open() as store:
            names = find_passages(store, self.where)
            while batch := list(islice(names, LOADED)):
                resolved = load_resolved(store, batch)
                for drafted in load_passages(store, batch):
                    yield PassageView(drafted, current_answer(drafted, resolved.get(drafted.id)), self.folder)

    def __len__(self) -> int:
        return len(self.ids())

    def ids(self) -> list[str]:
        """Only their ids, which is quick."""
        from aramega.store.drafts import find_passages

        with self._open() as store:
            return list(find_passages(store, self.where))

    def to_pandas(self) -> pd.DataFrame:
        """One row a passage, texts included."""
        import pandas

        return pandas.DataFrame([view.to_dict() for view in self], columns=list(COLUMNS))

    def to_dataset(self) -> datasets.Dataset:
        """The same rows with a column `audio`, as a Hugging Face dataset. Clips stay files and are read when asked for."""
        import datasets

        columns: dict[str, list[Any]] = {name: [] for name in (*COLUMNS, "audio")}
        for view in self:
            self.folder.bring(view.clip)
            for name, value in (view.to_dict() | {"audio": str(view.clip)}).items():
                columns[name].append(value)
        kinds = {name: _feature(column.kind) for name, column in COLUMNS.items()} | {
            "audio": datasets.Audio(sampling_rate=16000)
        }
        return datasets.Dataset.from_dict(columns, features=datasets.Features(kinds))

    def _open(self) -> Store:
        from aramega.store import Store

        return Store.open(self.folder)


def _feature(kind: str) -> Any:
    import datasets

    return datasets.List(datasets.Value("string")) if kind == "list" else datasets.Value(kind)
