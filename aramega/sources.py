"""Sources: from what a curator names on the command line to the files of a build.

A file, a folder (searched through), a glob, or a manifest (.txt, .csv, .tsv, .jsonl) whose columns
carry what is known of each recording. Nothing is opened here but manifests; a file that is missing or
broken becomes a recorded failure when its turn comes, so that one bad row never stops the rest.
"""

from __future__ import annotations

import csv
import glob
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from aramega.records import AramegaError, Metadata, Source

_PATH_COLUMNS = ("path", "file", "filename", "audio", "audio_filepath", "wav")
"""`audio_filepath` is NeMo's name for it, `audio` Hugging Face's."""
_METADATA = tuple(f.name for f in fields(Metadata))
_SPELLINGS = {"program": "programme", "license": "licence", "licence_url": "licence", "source_url": "url"}


@dataclass(frozen=True)
class Problem:
    """Something named that cannot become a source: where, and why."""

    where: str
    why: str


def find_sources(named: Sequence[str], extensions: Sequence[str]) -> Iterator[Source | Problem]:
    """Every file meant by `named`, in a stable order, once each (the last metadata given wins)."""
    found: dict[str, Source] = {}
    for name in named:
        for source in _expand(name, {e.lower() for e in extensions}):
            if isinstance(source, Problem):
                yield source
            elif not _is_utf8(source.path):
                shown = source.path.encode("utf-8", "backslashreplace").decode()
                yield Problem(shown, "its name is not UTF-8. Rename it.")
            else:
                found[source.path] = source
    yield from (found[path] for path in sorted(found))


def _expand(name: str, extensions: set[str]) -> Iterator[Source | Problem]:
    path = Path(name)
    if "://" in name:
        raise AramegaError(
            f"{name}: a URL. aramega does not fetch; download it first (curl, yt-dlp), then name the file."
        )
    if path.is_dir():
        yield from _search(path, extensions)
    elif path.suffix.lower() in _READERS and path.is_file():
        yield from _read_manifest(path)
    elif path.is_file() or path.is_symlink():
        yield _source(name)
    elif matches := sorted(glob.glob(name, recursive=True)):
        for match in matches:
            yield from _expand(match, extensions) if not glob.has_magic(match) else iter([_source(match)])
    else:
        raise AramegaError(
            f"{name}: no such file or folder{', and nothing matches it' if glob.has_magic(name) else ''}."
        )


def _search(folder: Path, extensions: set[str]) -> Iterator[Source | Problem]:
    """Recordings below `folder`, hidden ones and other builds' workspaces left out."""
    problems: list[Problem] = []

    def note(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"{(error.strerror or 'cannot be read').lower()}."))

    for root, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not _is_workspace(Path(root, f)))
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower().lstrip(".") in extensions:
                yield _source(os.path.join(root, file))
    yield from problems


def _is_workspace(folder: Path) -> bool:
    return (folder / "aramega.db").exists()


def _read_manifest(manifest: Path) -> Iterator[Source | Problem]:
    try:
        text = manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{manifest}: cannot be read as UTF-8 text ({error}).") from None
    for line, row in _READERS[manifest.suffix.lower()](text, manifest):
        yield _source_of(row, manifest, line) if isinstance(row, Mapping) else Problem(f"{manifest}:{line}", row)


Rows = Iterator[tuple[int, Mapping[str, Any] | str]]
"""Line number and columns, or what is wrong with the line."""


def _text_rows(text: str, _: Path) -> Rows:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, {"path": line.strip()}


def _csv_rows(text: str, manifest: Path, delimiter: str = ",") -> Rows:
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
    columns = [c for c in (reader.fieldnames or []) if c]
    if not {c.strip().lower() for c in columns} & set(_PATH_COLUMNS):
        found = f" (found: {', '.join(columns)})" if columns else ""
        raise AramegaError(f"{manifest}: no column `path`{found}. The first line must name the columns.")
    try:
        for row in reader:
            yield reader.line_num, {k: v for k, v in row.items() if k}
    except csv.Error as error:
        yield reader.line_num, f"not valid CSV ({error})."


def _tsv_rows(text: str, manifest: Path) -> Rows:
    return _csv_rows(text, manifest, "\t")


def _json_rows(text: str, _: Path) -> Rows:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            yield number, "not valid JSON."
            continue
        yield number, row if isinstance(row, dict) else "not a JSON object."


_READERS: dict[str, Callable[[str, Path], Rows]] = {
    ".txt": _text_rows,
    ".csv": _csv_rows,
    ".tsv": _tsv_rows,
    ".jsonl": _json_rows,
}


def _source_of(row: Mapping[str, Any], manifest: Path, line: int) -> Source | Problem:
    columns = {
        str(k).strip().lower(): str(v).strip() for k, v in row.items() if v is not None and not isinstance(v, list)
    }
    columns |= {
        right: columns[wrong] for wrong, right in _SPELLINGS.items() if wrong in columns and right not in columns
    }
    path = next((columns[c] for c in _PATH_COLUMNS if columns.get(c)), "")
    if not path or "\0" in path:
        return Problem(f"{manifest}:{line}", "no file is named in this row.")
    if "://" in path:
        return Problem(f"{manifest}:{line}", f"{path} is a URL. aramega does not fetch; download it first.")
    metadata = Metadata(**{name: columns.get(name, "") for name in _METADATA})
    return _source(str(manifest.parent / path), metadata)


def _source(path: str, metadata: Metadata | None = None) -> Source:
    """Absolute, so that a build can be resumed from any folder; links are kept as they are named."""
    return Source(os.path.abspath(path), metadata or Metadata())


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
