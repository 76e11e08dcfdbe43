"""Other stacks: the same rows and splits as webdataset tars, or as lhotse's and NeMo's manifests over clips.

The manifests are those of `aramega.export`, over the clips that are published and with the words that were
settled; paths are relative to the folder, so that it may be moved. Everything is read from the selection, as for
parquet: what is written to the workspace meanwhile changes nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from aramega.export.contents import Contents
from aramega.export.jsonl import json_line
from aramega.export.lhotse import lhotse_recordings, lhotse_supervisions
from aramega.export.nemo import nemo_entries
from aramega.publish.audio import read_clip
from aramega.publish.configurations import CONFIGURATIONS
from aramega.publish.fingerprints import values_in_order
from aramega.publish.plan import Plan, segment_numbers
from aramega.publish.rows import PassageRow
from aramega.publish.selection import SelectedPassage
from aramega.publish.shards import MEGABYTE, part_by_size
from aramega.publish.splits import SPLITS
from aramega.publish.tables import PASSAGES, SEGMENTS, passage_rows, segment_rows
from aramega.records import Passage, Segment
from aramega.workspace import WorkspaceFolder, whole_file

Write = Callable[[Plan, WorkspaceFolder, Path], Iterator[str]]
"""Writes a format into a folder and names its files as they are whole."""


def write_webdataset(plan: Plan, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """Tars of `ID.flac` and `ID.json`, about `shard_mb` each."""
    for split in SPLITS:
        passages = plan.passages(CONFIGURATIONS["ssum"], split)
        parts = part_by_size(passages, (p.clip_bytes for p in passages), plan.options.shard_mb * MEGABYTE)
        for number, part in enumerate(parts):
            name = f"{split}-{number:06d}.tar"
            if not (folder / name).exists():
                _write_tar(plan, workspace, folder / name, part)
            yield name


def _write_tar(plan: Plan, workspace: WorkspaceFolder, path: Path, selected: Iterable[SelectedPassage]) -> None:
    with whole_file(path) as part, tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for passage, row in _read_passages(plan, selected):
            values = _with_named_labels(row, plan)
            for suffix, content in (("flac", read_clip(workspace, passage)), ("json", json_line(values).encode())):
                member = tarfile.TarInfo(f"{passage.id}.{suffix}")  # no time and no owner: same rows, same bytes
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def _with_named_labels(row: PassageRow, plan: Plan) -> dict[str, Any]:
    """Outside of `datasets` nobody knows what class 3 is."""
    values = values_in_order(row)
    named = {kind: None if values[kind] is None else labels[values[kind]] for kind, labels in plan.inventories.items()}
    return {**values, **named}


def _read_passages(plan: Plan, selected: Iterable[SelectedPassage]) -> Iterator[tuple[Passage, PassageRow]]:
    numbers = [passage.number for passage in selected]
    cache, rows = plan.selection.cache, passage_rows()
    return zip(cache.read(PASSAGES, numbers, Passage), cache.read(rows, numbers, rows.kind), strict=True)


def write_lhotse(plan: Plan, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """A RecordingSet and a SupervisionSet of segments for each split, over `clips/`."""
    yield from _write_manifests(
        plan,
        workspace,
        folder,
        {
            "{split}_recordings.jsonl.gz": lambda contents, _: lhotse_recordings(contents),
            "{split}_supervisions.jsonl.gz": lambda contents, _: lhotse_supervisions(contents, "segments"),
            "{split}_summaries.jsonl.gz": lambda contents, rows: _with_summary(
                lhotse_supervisions(contents, "passages"), rows, "custom"
            ),
        },
    )


def write_nemo(plan: Plan, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """Manifests of segments (`text`) and of passages (`text`, `summary`) for each split, over `clips/`."""
    yield from _write_manifests(
        plan,
        workspace,
        folder,
        {
            "{split}_segments.json": lambda contents, _: nemo_entries(contents, "segments"),
            "{split}_passages.json": lambda contents, rows: _with_summary(nemo_entries(contents, "passages"), rows, ""),
        },
    )


FORMATS: Mapping[str, Write] = {"webdataset": write_webdataset, "lhotse": write_lhotse, "nemo": write_nemo}

Rows = Mapping[str, PassageRow]
Lines = Callable[[Contents, Rows], Iterable[str]]


def _write_manifests(plan: Plan, workspace: WorkspaceFolder, folder: Path, files: Mapping[str, Lines]) -> Iterator[str]:
    for split in SPLITS:
        if not plan.rows[split]:
            continue
        with ExitStack() as stack:
            opened = {
                name.format(split=split): (stack.enter_context(_LineFile(folder / name.format(split=split))), lines)
                for name, lines in files.items()
            }
            for contents, rows in _recordings(plan, split):
                _copy_clips(contents.passages, workspace, folder)
                for file, lines in opened.values():
                    file.write(lines(contents, rows))
        yield from opened


@dataclass(frozen=True)
class _SegmentText:
    id: str
    transcription: str


def _recordings(plan: Plan, split: str) -> Iterator[tuple[Contents, Rows]]:
    """Each recording with its published passages only, saying what was settled; and the passages' rows, by id."""
    cache = plan.selection.cache
    for recording, group in groupby(plan.rows[split], key=lambda passage: passage.recording):
        selected = list(group)
        read = list(_read_passages(plan, selected))
        numbers = list(chain.from_iterable(map(segment_numbers, selected)))
        words = {row.id: row.transcription for row in cache.read(segment_rows(), numbers, _SegmentText)}
        segments = {segment.id: segment for segment in cache.read(SEGMENTS, numbers, Segment) if segment.id}
        passages = tuple(
            replace(passage, segments=tuple(s for s in passage.segments if s in segments)) for passage, _ in read
        )
        yield (
            Contents(
                plan.selection.recordings[recording],
                (),
                (),
                tuple(segments.values()),
                passages,
                Path(),
                lambda segment, words=words: words[segment.id],  # type: ignore[misc]
            ),
            {row.id: row for _, row in read},
        )


def _copy_clips(passages: Iterable[Passage], workspace: WorkspaceFolder, folder: Path) -> None:
    for passage in passages:
        path = folder / passage.clip
        if not path.exists():
            content = read_clip(workspace, passage)
            with whole_file(path) as part:
                part.write_bytes(content)


def _with_summary(lines: Iterable[str], rows: Rows, inside: str) -> Iterator[str]:
    """The lines of passages, with the whole transcript as it was settled, and the summary beside it."""
    for line in lines:
        entry = json.loads(line)
        row = rows[entry["id"]]
        entry["text"] = row.transcription
        summary = {"summary": row.summary, "title": row.title, "topics": row.topics}
        more = {name: value for name, value in summary.items() if value}
        if inside:
            entry[inside] = {**entry[inside], **more}
        else:
            entry |= more
        yield json_line(entry)


class _LineFile:
    """A file of lines that appears when it is whole; `.gz` is compressed without a time in its header."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()

    def __enter__(self) -> _LineFile:
        raw = self._stack.enter_context(self._stack.enter_context(whole_file(self._path)).open("wb"))
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if self._path.suffix == ".gz" else raw
        self._out = self._stack.enter_context(packed)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._out.write(line.encode())
