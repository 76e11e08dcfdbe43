"""Sidecars: reads what a downloader knows of a recording from the file it left beside it.

yt-dlp's `NAME.info.json` gives title, channel, date and address. It is a stranger's file: read up to a size, each value
taken only if it is what it should be, and one line of it. What a curator's manifest says goes before it, column by
column. Subtitles beside a recording are `stages/transcribe`'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aramega.errors import AramegaError
from aramega.records import Metadata, Source
from aramega.remote import is_address

_MOST_BYTES = 64_000_000
"""With all comments of a much discussed broadcast a file has some ten million."""
_MOST_CHARACTERS = 500
_JOINERS = {"\u200c", "\u200d"}
"""Not printable by Python's book, and part of how words are spelt."""


def with_sidecar(source: Source) -> Source:
    """The source, what its metadata leaves open filled from the `NAME.info.json` beside it, if there is one."""
    path = f"{os.path.splitext(source.path)[0]}.info.json"
    if is_address(source.path) or not os.path.isfile(path):
        return source
    beside = read_info_json(Path(path))
    filled = {f.name: getattr(source.metadata, f.name) or getattr(beside, f.name) for f in fields(Metadata)}
    return replace(source, metadata=Metadata(**filled))


def read_info_json(path: Path) -> Metadata:
    """What yt-dlp knew; AramegaError for a file that is none of its own."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise AramegaError(f"{path}: passed over: {path.stat().st_size / 1e6:,.0f} MB are too much to read.")
        info = json.loads(path.read_bytes())
    except OSError as error:
        raise AramegaError(f"{path}: passed over: {(error.strerror or 'cannot be read').lower()}.") from None
    except (ValueError, RecursionError):
        raise AramegaError(f"{path}: passed over: not valid JSON.") from None
    if not isinstance(info, Mapping):
        raise AramegaError(f"{path}: passed over: not what yt-dlp writes, a JSON object.")
    return Metadata(
        title=_line(info, "title", "fulltitle"),
        channel=_line(info, "channel", "uploader"),
        date=_date(info, "release_date", "upload_date"),
        url=_url(info, "webpage_url", "original_url"),
    )


def _line(info: Mapping[str, Any], *keys: str) -> str:
    """The first of the values that is a text, on one line that obeys no mark in it."""
    for key in keys:
        value = info.get(key)
        if isinstance(value, str):
            words = " ".join(value[: 2 * _MOST_CHARACTERS].split())
            text = "".join(c for c in words if c.isprintable() or c in _JOINERS)
            if text.strip():
                return text[:_MOST_CHARACTERS].strip()
    return ""


def _date(info: Mapping[str, Any], *keys: str) -> str:
    """yt-dlp's 20240301 as 2024-03-01."""
    for key in keys:
        value = info.get(key)
        if isinstance(value, str) and len(value) == 8 and value.isascii() and value.isdigit():
            try:
                return datetime.strptime(value, "%Y%m%d").date().isoformat()
            except ValueError:
                continue
    return ""


def _url(info: Mapping[str, Any], *keys: str) -> str:
    """An address of the web, whole: half of one leads nowhere, or elsewhere. None that holds a password."""
    for key in keys:
        value = info.get(key)
        if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or " " in value:
            continue
        try:
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname and not parts.password:
                return value
        except ValueError:
            continue
    return ""
