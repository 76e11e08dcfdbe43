"""Options that name files: what counts is what the file holds, not where it lies."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from itertools import islice
from pathlib import Path

from aramega.display import visible
from aramega.errors import AramegaError

_SAMPLE = 256 * 1024
_SAMPLES = 64
_MOST_FILES = 2000


def content_key(name: str) -> str:
    """`name`, or a hash of the file or folder it names, so that results are known again wherever it is moved to."""
    prefix, colon, rest = name.partition(":")
    place = os.path.expanduser(rest if colon else name)
    if not place or not (os.path.isfile(place) or os.path.isdir(place)):  # a device or a pipe has no end to hash
        return name
    path, digest = Path(place), hashlib.sha256()
    try:
        for file in _files_of(path):
            about = file.stat()
            digest.update(f"{file.relative_to(path) if path.is_dir() else ''}:".encode())
            digest.update(_file_key(file, about.st_size, about.st_mtime_ns).encode())
    except OSError as error:
        raise AramegaError(f"{visible(name)}: cannot be read ({(error.strerror or str(error)).lower()}).") from None
    return f"{prefix + colon if colon else ''}sha256:{digest.hexdigest()[:16]}"


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = list(islice((p for p in path.rglob("*") if p.is_file()), _MOST_FILES + 1))
    if len(files) > _MOST_FILES:
        raise AramegaError(f"{visible(path)}: no model is made of {_MOST_FILES:,} files. Name the model's own folder.")
    return sorted(files)


@lru_cache
def _file_key(file: Path, size: int, mtime_ns: int) -> str:
    """A hash of 16 MB spread over the file: two checkpoints of gigabytes differ everywhere, and this takes no time."""
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as content:
        if size <= _SAMPLE * _SAMPLES:
            digest.update(content.read())
        else:
            for i in range(_SAMPLES):
                content.seek((size - _SAMPLE) * i // (_SAMPLES - 1))
                digest.update(content.read(_SAMPLE))
    return digest.hexdigest()
