"""A published folder as a library: its rows from the parquet shards, its sound one row group at a time.

Any folder that holds `ssum/*.parquet` as we write it will do, also one fetched from the Hub. Where `raw` was
published too, drafts and reviews come from there, and passages that are in no split are shown as such.
Audio columns are not touched until somebody listens.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aramega.desk.entries import LABELS, TEXTS, Entry, Voice, facts_line, farthest, joined, voice_of_review
from aramega.desk.workspace import final_voice, verified_fields
from aramega.publish.as_json import to_json
from aramega.publish.columns import shown_on_the_desk
from aramega.publish.configurations import CONFIGURATIONS, Configuration
from aramega.records import AramegaError, ResolvedPassage, Review, from_dict

if TYPE_CHECKING:
    import pyarrow as pa

VERIFIED = ("transcription", "summary", "dialect", "emotion")
"""What the desk shows as verified or not."""

UNREAD = ("audio", "draft")
"""Columns that are large, and that nobody looks at in a list."""

Row = Mapping[str, Any]


class PublishedLibrary:
    kind = "published"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.absolute().name
        self.shards = sorted(folder.glob("ssum/*.parquet"))
        self.raw = sorted(folder.glob("raw/*.parquet"))
        self._group = lru_cache(maxsize=2)(self._read_sounds)  # 32 MB each, as published by default

    def entries(self, scratch: Path) -> Iterator[Entry]:
        with closing(sqlite3.connect(scratch / "raw.db", isolation_level=None)) as aside:
            aside.execute("PRAGMA journal_mode = OFF")
            aside.execute("CREATE TABLE raw (id TEXT PRIMARY KEY, row BLOB) WITHOUT ROWID")
            aside.execute("BEGIN")
            for path in self.raw:
                rows = (row for _, row in _rows(path, CONFIGURATIONS["raw"]))
                aside.executemany("INSERT OR REPLACE INTO raw VALUES (?, ?)", ((r["id"], _pack(r)) for r in rows))
            yield from self._published(aside)
            for (row,) in aside.execute("SELECT row FROM raw ORDER BY id"):
                yield raw_entry(_unpack(row))

    def _published(self, aside: sqlite3.Connection) -> Iterator[Entry]:
        """The rows of `ssum`; what was set aside for them is taken away, so that the rest is in no split."""
        for number, path in enumerate(self.shards):
            split = path.name.partition("-")[0]
            for place, row in _rows(path, CONFIGURATIONS["ssum"]):
                raw = aside.execute("SELECT row FROM raw WHERE id = ?", (row["id"],)).fetchone()
                aside.execute("DELETE FROM raw WHERE id = ?", (row["id"],))
                yield published_entry(row, _unpack(raw[0]) if raw else {}, split, f"{number}/{place}")

    def sound(self, place: str) -> bytes:
        shard, group, row = map(int, place.split("/"))
        content = self._group(shard, group)[row]["bytes"].as_py()
        if content is None:
            raise AramegaError(f"{self.shards[shard]}: holds no audio for this row.")
        return bytes(content)

    def _read_sounds(self, shard: int, group: int) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.shards[shard]) as file:
                return file.read_row_group(group, columns=["audio.bytes"]).column("audio")
        except (OSError, pa.ArrowException, KeyError) as error:
            raise AramegaError(f"{self.shards[shard]}: its audio cannot be read ({error}).") from None


def published_entry(row: Row, raw: Row, split: str, sound: str) -> Entry:
    """A row of `ssum`, with what `raw` knows of it."""
    final = Voice(
        "final",
        title=row.get("title"),
        summary=row.get("summary"),
        transcript=row.get("transcription"),
        dialect=row.get("dialect"),
        emotion=row.get("emotion"),
        note=final_voice(_resolved(raw)).note if raw.get("resolved") else "",
    )
    verified = tuple(name for name in VERIFIED if row.get(f"verified_{name}"))
    return Entry(
        **_place(row, CONFIGURATIONS["ssum"]),
        final=final,
        draft=_draft(raw, joined([row.get("asr_model"), row.get("summary_model")])),
        reviews=_reviews(raw),
        topics=tuple(row.get("topics") or ()),
        split=split,
        decision=row.get("decision") or "",
        accepted=True if raw.get("resolved") else None,
        score=row.get("score", row.get("confidence")),
        changed=farthest(row.get("distance_transcription"), row.get("distance_summary")),
        verified=tuple("transcript" if name == "transcription" else name for name in verified),
        sound=sound,
    )


def raw_entry(raw: Row) -> Entry:
    """A passage that is in no split: what was said of it is all there is; its sound was not published."""
    resolved = _resolved(raw) if raw.get("resolved") else None
    draft = _draft(raw, "")
    drafted = Voice("final", *(getattr(draft, name) for name in TEXTS)) if draft else Voice("final")
    return Entry(
        **_place(raw, CONFIGURATIONS["raw"]),
        final=final_voice(resolved) if resolved else drafted,
        draft=draft,
        reviews=_reviews(raw),
        topics=resolved.topics if resolved else (),
        decision=raw.get("decision") or "",
        accepted=raw.get("accepted") if resolved else None,
        changed=farthest(resolved.transcript.distance, resolved.summary.distance) if resolved else None,
        verified=verified_fields(resolved) if resolved else (),
    )


def _place(row: Row, configuration: Configuration) -> dict[str, Any]:
    return {
        "id": row["id"],
        "about": facts_line(row.get(column.name) for column in shown_on_the_desk(configuration.columns)),
        "name": row.get("recording") or "",
        "start": row.get("recording_start") or 0.0,
        "seconds": row.get("seconds") or 0.0,
    }


def _draft(raw: Row, made_by: str) -> Voice | None:
    texts = {name: raw.get(f"draft_{name}") for name in ("title", "summary", "transcription")}
    if not any(texts.values()):
        return None
    return Voice("draft", texts["title"], texts["summary"], texts["transcription"], note=made_by)


def _reviews(raw: Row) -> tuple[Voice, ...]:
    undated = {"updated_at": ""}  # when somebody worked is not published
    return tuple(voice_of_review(from_dict(Review, undated | values)) for values in _from_json(raw, "reviews") or ())


def _resolved(raw: Row) -> ResolvedPassage:
    return from_dict(ResolvedPassage, _from_json(raw, "resolved"))


def _from_json(raw: Row, column: str) -> Any:
    try:
        values = json.loads(raw.get(column) or "null")
    except ValueError as error:
        raise AramegaError(
            f"raw, {raw['id']}: its `{column}` is no JSON ({error}). Fetch or publish it anew."
        ) from None
    # JSON may spell half a character, which neither SQLite nor a browser would take.
    return json.loads(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"))


def _rows(path: Path, configuration: Configuration) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row of a shard without its sound and its whole draft, class numbers as labels, with its row group and its
    place in there. A set of an older version may lack columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            classes = _classes(file.schema_arrow)
            present = [name for name in configuration.names if name in file.schema_arrow.names and name not in UNREAD]
            if "id" not in present:
                raise AramegaError(f"{path}: has no column `id`, so that it is none of our shards.")
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=present)
                for place, row in enumerate(table.to_pylist()):
                    row |= {label: _label(row[label], classes.get(label, [])) for label in LABELS if label in row}
                    yield f"{group}/{place}", row
    except (OSError, pa.ArrowException) as error:
        raise AramegaError(f"{path}: cannot be read as parquet ({error}). Fetch or publish it anew.") from None


def _classes(schema: pa.Schema) -> dict[str, list[str]]:
    """The names behind the numbers of `dialect` and `emotion`, as `datasets` is told them."""
    metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = metadata.get("info", {}).get("features", {})
    return {name: list(map(str, features[name]["names"])) for name in LABELS if "names" in features.get(name, {})}


def _label(value: int | str | None, names: Sequence[str]) -> str | None:
    """A class by its name; a number nobody named is shown as it is."""
    named = isinstance(value, int) and 0 <= value < len(names)
    return names[value] if named else None if value is None else str(value)  # type: ignore[index]


def _pack(row: Row) -> bytes:
    return zlib.compress(to_json(row).encode(), 1)


def _unpack(row: bytes) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(zlib.decompress(row))
    return values
