"""Other stacks: the same rows and splits as webdataset tars, or as lhotse's and NeMo's manifests over clips.

The manifests are those of `aramega.export`, over the clips that are published and with the words that were
settled; paths are relative to the folder, so that it may be moved. Everything else (which rows, which split,
index, changelog, resuming, the swap into place) is as for parquet.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from aramega.export.contents import Contents, TextOf
from aramega.export.jsonl import json_line
from aramega.export.lhotse import lhotse_recordings, lhotse_supervisions
from aramega.export.nemo import nemo_entries
from aramega.publish.audio import read_clip
from aramega.publish.configurations import CONFIGURATIONS
from aramega.publish.materials import read_materials
from aramega.publish.plan import Plan, Row
from aramega.publish.shards import MEGABYTE
from aramega.publish.splits import SPLITS
from aramega.publish.survey import Kept
from aramega.store import Store
from aramega.workspace import WorkspaceFolder, whole_file

Write = Callable[[Plan, Store, WorkspaceFolder, Path], Iterator[str]]
"""Writes a format into a folder and names its files as they are whole."""


def write_webdataset(plan: Plan, store: Store, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """Tars of `ID.flac` and `ID.json`, about `shard_mb` each."""
    for split in SPLITS:
        kept = plan.of(CONFIGURATIONS["ssum"], split)
        parts = _parts(kept, plan.options.shard_mb * MEGABYTE)
        for number, part in enumerate(parts):
            name = f"{split}-{number:06d}.tar"
            if not (folder / name).exists():
                _write_tar(plan, workspace, folder / name, part)
            yield name


def _parts(kept: Iterable[Kept], limit: int) -> list[list[Kept]]:
    parts: list[list[Kept]] = []
    size = limit
    for one in kept:
        if size + one.clip_bytes > limit:
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += one.clip_bytes
    return parts


def _write_tar(plan: Plan, workspace: WorkspaceFolder, path: Path, kept: Iterable[Kept]) -> None:
    with whole_file(path) as part, tarfile.open(part, "w", format=tarfile.USTAR_FORMAT) as tar:
        for _, line in plan.found.read(kept):
            row = _named_labels(line["passage"], plan)
            for suffix, content in (("flac", read_clip(workspace, line)), ("json", json_line(row).encode())):
                member = tarfile.TarInfo(f"{row['id']}.{suffix}")  # no time and no owner: same rows, same bytes
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def _named_labels(row: Row, plan: Plan) -> Row:
    """Outside of `datasets` nobody knows what class 3 is."""
    named = {kind: None if row[kind] is None else labels[row[kind]] for kind, labels in plan.inventories.items()}
    return {**row, **named}


def write_lhotse(plan: Plan, store: Store, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """A RecordingSet and a SupervisionSet of segments for each split, over `clips/`."""
    yield from _write_manifests(
        plan,
        store,
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


def write_nemo(plan: Plan, store: Store, workspace: WorkspaceFolder, folder: Path) -> Iterator[str]:
    """Manifests of segments (`text`) and of passages (`text`, `summary`) for each split, over `clips/`."""
    yield from _write_manifests(
        plan,
        store,
        workspace,
        folder,
        {
            "{split}_segments.json": lambda contents, _: nemo_entries(contents, "segments"),
            "{split}_passages.json": lambda contents, rows: _with_summary(nemo_entries(contents, "passages"), rows, ""),
        },
    )


FORMATS: Mapping[str, Write] = {"webdataset": write_webdataset, "lhotse": write_lhotse, "nemo": write_nemo}

Rows = Mapping[str, Row]
Lines = Callable[[Contents, Rows], Iterable[str]]


def _write_manifests(
    plan: Plan, store: Store, workspace: WorkspaceFolder, folder: Path, files: Mapping[str, Lines]
) -> Iterator[str]:
    for split in SPLITS:
        if not plan.rows[split]:
            continue
        with ExitStack() as stack:
            opened = {
                name.format(split=split): (stack.enter_context(_LineFile(folder / name.format(split=split))), lines)
                for name, lines in files.items()
            }
            for contents, rows in _contents(plan, store, split):
                _copy_clips(plan, workspace, folder, rows)
                for file, lines in opened.values():
                    file.write(lines(contents, rows))
        yield from opened


def _contents(plan: Plan, store: Store, split: str) -> Iterator[tuple[Contents, dict[str, Row]]]:
    """Each recording with its published passages only, saying what was settled; and its lines of the spool, by passage."""
    by_recording: dict[str, list[Kept]] = {}
    for one in plan.rows[split]:
        by_recording.setdefault(one.recording, []).append(one)
    for number, kept in by_recording.items():
        lines = {line["passage"]["id"]: line for _, line in plan.found.read(kept)}
        words = {row["id"]: row["transcription"] for line in lines.values() for row in line["segments"]}
        materials = [m.drafted for m in read_materials(store, plan.found.recordings[number]) if m.drafted.id in lines]
        segments = tuple(s for drafted in materials for s in drafted.segments if s.id in words)
        said = {s.id for s in segments}
        passages = tuple(
            replace(d.passage, segments=tuple(s for s in d.passage.segments if s in said)) for d in materials
        )
        recording = plan.found.recordings[number]
        contents = Contents(recording, (), (), segments, passages, Path(), _said(words))
        yield contents, lines


def _said(words: Mapping[str, str]) -> TextOf:
    return lambda segment: words[segment.id]


def _copy_clips(plan: Plan, workspace: WorkspaceFolder, folder: Path, lines: Rows) -> None:
    for line in lines.values():
        path = folder / line["clip"]
        if not path.exists():
            content = read_clip(workspace, line)
            with whole_file(path) as part:
                part.write_bytes(content)


def _with_summary(lines: Iterable[str], rows: Rows, inside: str) -> Iterator[str]:
    """The lines of passages, with the whole transcript as it was settled, and the summary beside it."""
    for line in lines:
        told = json.loads(line)
        row = rows[told["id"]]["passage"]
        told["text"] = row["transcription"]
        more = {name: row[name] for name in ("summary", "title", "topics") if row[name]}
        if inside:
            told[inside] = {**told[inside], **more}
        else:
            told |= more
        yield json_line(told)


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
