"""Sources: finds the files of a build from what a curator names on the command line.

A file, a folder (searched through), a glob, an address in an object store of any of these (s3://bucket/archive),
or a manifest (.txt, .csv, .tsv, .jsonl) whose columns carry what is known of each recording. Nothing is opened
here but manifests; a file that is missing or broken becomes a recorded failure when its turn comes, so that one bad
row never stops the rest.
"""

from __future__ import annotations

import csv
import difflib
import glob
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from aramega.display import visible
from aramega.errors import AramegaError
from aramega.records import Metadata, Source
from aramega.remote import checked_address, find_files, is_address

_PATH_COLUMNS = ("path", "file", "filename", "file_name", "audio", "audio_filepath", "wav")
"""`audio_filepath` is NeMo's name for it, `audio` Hugging Face's."""
_METADATA = tuple(f.name for f in fields(Metadata))
_SPELLINGS = {"program": "programme", "license": "licence", "licence_url": "licence", "source_url": "url"}


@dataclass(frozen=True)
class Problem:
    """Something named that cannot become a source: where, and why."""

    where: str
    why: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", self.where.encode("utf-8", "backslashreplace").decode())


def find_sources(named: Sequence[str], extensions: Sequence[str]) -> Iterator[Source | Problem]:
    """Every file meant by `named`, once each, in the order of their paths, and before them what was wrong."""
    sources: dict[str, Source] = {}
    for name in named:
        for source in _expand(name, {e.lower() for e in extensions}):
            if isinstance(source, Problem):
                yield source
            elif not _is_utf8(source.path):
                yield Problem(source.path, "its name is not UTF-8. Rename it.")
            elif source.path not in sources or source.metadata != Metadata():
                sources[source.path] = source
    yield from (sources[path] for path in sorted(sources))


def _expand(name: str, extensions: set[str]) -> Iterator[Source | Problem]:
    name = name.removeprefix("file://")
    path = Path(name)
    if is_address(name):
        yield from _search_address(name, extensions)
    elif path.is_dir():
        yield from _search(path, extensions)
    elif path.suffix.lower() in _READERS and path.is_file():
        yield from _read_manifest(path)
    elif path.is_file() or path.is_symlink():
        yield _source(name)
    elif matches := sorted(glob.glob(name, recursive=True)):
        for match in matches:  # each exists, so this goes no deeper
            yield from _expand(match, extensions)
    else:
        raise AramegaError(
            f"{name}: no such file or folder{', and nothing matches it' if glob.has_magic(name) else ''}."
        )


def _search(folder: Path, extensions: set[str]) -> Iterator[Source | Problem]:
    """Recordings below `folder`, links followed, hidden ones and other builds' workspaces left out."""
    if _is_workspace(folder):
        raise AramegaError(f"{folder}: is a workspace, not a folder of recordings. Did you mean --workspace {folder}?")
    problems: list[Problem] = []
    seen: set[str] = set()

    def note(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"{(error.strerror or 'cannot be read').lower()}."))

    for root, folders, files in os.walk(folder, onerror=note, followlinks=True):
        if os.path.realpath(root) in seen:  # a link that leads back
            folders[:] = []
            continue
        seen.add(os.path.realpath(root))
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not _is_workspace(Path(root, f)))
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower().lstrip(".") in extensions:
                yield _source(os.path.join(root, file))
    yield from problems


def _search_address(address: str, extensions: set[str]) -> Iterator[Source]:
    """The recording of this address, or those below it, hidden ones left out."""
    entries = find_files(address)
    if [entry.address for entry in entries] == [checked_address(address)]:
        if Path(address).suffix.lower() in _READERS:
            raise AramegaError(
                f"{address}: manifests are read from this machine. Download it; its rows may name addresses."
            )
        yield Source(entries[0].address)
        return
    if not entries:
        raise AramegaError(f"{address}: nothing is there.")
    for entry in entries:
        parts = entry.address.removeprefix(address).split("/")
        if Path(entry.address).suffix.lower().lstrip(".") in extensions and not any(p.startswith(".") for p in parts):
            yield Source(entry.address)


def _is_workspace(folder: Path) -> bool:
    return (folder / "aramega.db").exists()


def _read_manifest(manifest: Path) -> Iterator[Source | Problem]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{manifest}: cannot be read as UTF-8 text ({error}).") from None
    for line, row in _READERS[manifest.suffix.lower()](text, manifest):
        where = f"{os.path.abspath(manifest)}:{line}"
        yield _source_of(row, manifest, where) if isinstance(row, Mapping) else Problem(where, row)


Rows = Iterator[tuple[int, Mapping[str, Any] | str]]
"""Line number and columns, or what is wrong with the line."""


def _text_rows(text: str, manifest: Path) -> Rows:
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    paths = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if paths and not any(is_address(line) or os.path.exists(manifest.parent / line) for _, line in paths):
        raise AramegaError(f"{manifest}: no line of it names a file that is there. It should hold a path a line.")
    for number, path in paths:
        yield number, {"path": path}


def _csv_rows(text: str, manifest: Path, delimiter: str = ",") -> Rows:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [c for c in (reader.fieldnames or []) if c]
    except csv.Error as error:
        raise AramegaError(
            f"{manifest}: its first line, which must name the columns, is not valid CSV ({visible(error)})."
        ) from None
    if not {c.strip().lower() for c in columns} & set(_PATH_COLUMNS):
        columns_found = f" (found: {visible(', '.join(columns))})" if columns else ""
        hint = " and be separated by commas" if len(columns) == 1 and ";" in columns[0] else ""
        raise AramegaError(f"{manifest}: no column `path`{columns_found}. The first line must name the columns{hint}.")
    _refuse_misspelt(columns, manifest)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not valid CSV ({visible(error)})."
        else:
            yield reader.line_num, {k: v for k, v in row.items() if k}


def _refuse_misspelt(columns: Sequence[str], manifest: Path) -> None:
    """A column of ours with a slip in it would be passed over in silence, and a year later nobody knows the licence."""
    ours = [*_PATH_COLUMNS, *_METADATA, *_SPELLINGS]
    for column in (c.strip().lower() for c in columns):
        near = difflib.get_close_matches(column, ours, n=1, cutoff=0.8)
        if near and column not in ours and column.rstrip("s") != near[0]:
            raise AramegaError(
                f"{manifest}: column `{visible(column)}`: did you mean `{near[0]}`? Rename it, or take it out."
            )


def _tsv_rows(text: str, manifest: Path) -> Rows:
    return _csv_rows(text, manifest, "\t")


def _json_rows(text: str, _: Path) -> Rows:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "not valid JSON."
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object."


_READERS: dict[str, Callable[[str, Path], Rows]] = {
    ".txt": _text_rows,
    ".csv": _csv_rows,
    ".tsv": _tsv_rows,
    ".jsonl": _json_rows,
}


def _source_of(row: Mapping[str, Any], manifest: Path, where: str) -> Source | Problem:
    columns = {
        str(k).strip().lower(): str(v).strip() for k, v in row.items() if v is not None and not isinstance(v, list)
    }
    columns |= {
        right: columns[wrong] for wrong, right in _SPELLINGS.items() if wrong in columns and right not in columns
    }
    path = next((columns[c] for c in _PATH_COLUMNS if columns.get(c)), "")
    if not path or "\0" in path:
        return Problem(where, "no file is named in this row.")
    if not all(map(_is_utf8, columns.values())):
        return Problem(where, "holds half a character (a lone surrogate).")
    metadata = {name: columns.get(name, "") for name in _METADATA}
    if metadata["transcript"]:
        metadata["transcript"] = os.path.abspath(manifest.parent / metadata["transcript"])
    if not is_address(path):
        return _source(str(manifest.parent / path), Metadata(**metadata))
    try:
        return Source(checked_address(path), Metadata(**metadata))
    except AramegaError as error:
        return Problem(where, visible(str(error)))


def _source(path: str, metadata: Metadata | None = None) -> Source:
    """Absolute, so that a build can be resumed from any folder; links are kept as they are named."""
    return Source(os.path.abspath(path), metadata or Metadata())


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
