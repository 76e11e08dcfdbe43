"""A page of its own: a small set as one HTML file that needs no server, to keep or to mail.

Sound goes in as small mp3 copies, as far as a limit allows; the page says of the rest that it has none. A
large set is refused with the way to see it: browsers open a page of a gigabyte, but nobody should have to.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aramega.audio.clips import write_preview
from aramega.cores import count_cores
from aramega.desk.entries import Entry, Library
from aramega.desk.index import Index
from aramega.desk.page import page_facts, render_alone
from aramega.desk.shown import whole_of
from aramega.records import AramegaError
from aramega.workspace import whole_file

MOST_PASSAGES = 2000
"""Some 20 MB of text: what a phone still opens in a moment."""
MEGABYTE = 1_000_000
AT_ONCE = 8
"""Sounds made at a time; what is over the limit by then is thrown away."""


@dataclass(frozen=True)
class Written:
    passages: int
    with_sound: int
    silent: Sequence[str]
    """Why passages that have sound are without it here."""


def write_alone(library: Library, index: Index, path: Path, *, sound_mb: float) -> Written:
    """Write the page to `path`, whole or not at all."""
    total = index.count()
    if total > MOST_PASSAGES:
        raise AramegaError(
            f"{library.name}: {total:,} passages are too many for one file (at most {MOST_PASSAGES:,}). "
            "Without --to they are served page by page."
        )
    entries = list(index.entries())
    sounds, silent = _collect_sounds(library, entries, round(sound_mb * MEGABYTE))
    facts = {
        **page_facts(library, index),
        "passages": [whole_of(entry) for entry in entries],
        "sounds": sounds,
        "silent": silent,
    }
    with whole_file(path) as part:
        part.write_text(render_alone(facts), encoding="utf-8")
    return Written(total, len(sounds), tuple(dict.fromkeys(silent.values())))


def _collect_sounds(library: Library, entries: Sequence[Entry], limit: int) -> tuple[dict[str, str], dict[str, str]]:
    """By id: the sound as base64, and why others have none. The first come first, up to the limit."""
    sounds: dict[str, str] = {}
    silent: dict[str, str] = {}
    size = 0
    waiting = iter([entry for entry in entries if entry.sound])
    with ThreadPoolExecutor(min(AT_ONCE, count_cores())) as pool:
        while group := list(islice(waiting, AT_ONCE)):
            if size >= limit:
                silent |= dict.fromkeys((entry.id for entry in group), _over(limit))
                continue
            for entry, preview in zip(group, pool.map(lambda e: _preview(library, e), group), strict=True):
                if isinstance(preview, AramegaError):
                    silent[entry.id] = str(preview)
                    continue
                size += len(preview)
                if size <= limit:
                    sounds[entry.id] = preview
                else:
                    silent[entry.id] = _over(limit)
    return sounds, silent


def _over(limit: int) -> str:
    return f"Left out: this file carries at most {limit / MEGABYTE:g} MB of sound."


def _preview(library: Library, entry: Entry) -> str | AramegaError:
    """A passage's mp3 in base64. One clip that is gone is no reason to write no page; it is told on it."""
    from pydub.exceptions import CouldntDecodeError

    with tempfile.TemporaryDirectory(prefix="aramega-browse-") as folder:
        clip, preview = Path(folder, "clip.flac"), Path(folder, "clip.mp3")
        try:
            clip.write_bytes(library.sound(entry.sound))
            write_preview(clip, preview, "mp3")
        except AramegaError as error:
            return error
        except CouldntDecodeError:
            return AramegaError("Its sound cannot be decoded.")
        return base64.b64encode(preview.read_bytes()).decode("ascii")
