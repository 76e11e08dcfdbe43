"""Verify: load what was published as a stranger would, through `datasets`, and compare it with what was meant.

Every row is read: its texts and labels must hash to what the index says, its audio to the row's own `clip`,
and each split must have its rows, all of them and no more. A sample of the audio is decoded. Streamed, so
that it costs no disk and no more memory than a row group.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aramega.publish.configurations import CONFIGURATIONS, Configuration
from aramega.publish.index import read_index
from aramega.publish.index_rows import CHANGES, index_row
from aramega.publish.versions import Version
from aramega.records import RATE, AramegaError

DECODED = 20
"""Clips decoded in each split: the first, and others evenly after it."""
SHOWN = 5


@dataclass
class Verified:
    """What was looked at."""

    rows: int = 0
    decoded: int = 0
    problems: list[str] = field(default_factory=list)


def verify(version: Version, place: str, revision: str | None = None) -> Verified:
    """Compare what `load_dataset(place, …)` gives with the version's own index; raise for what differs."""
    verified = Verified()
    for name, counts in version.manifest["rows"].items():
        configuration = CONFIGURATIONS[name]
        index = read_index(version.indexes.get(configuration.view_of or name))
        for split, rows in counts.items():
            loaded = _stream(place, name, split, revision)
            verified.problems += _compare(configuration, split, rows, loaded, index, verified)
    if verified.problems:
        more = f" and {len(verified.problems) - SHOWN} more" if len(verified.problems) > SHOWN else ""
        raise AramegaError(f"{place}: is not what was published: {'; '.join(verified.problems[:SHOWN])}{more}.")
    return verified


def _stream(place: str, name: str, split: str, revision: str | None) -> Iterator[Mapping[str, Any]]:
    import datasets

    rows = datasets.load_dataset(place, name, split=split, streaming=True, revision=revision)
    if "audio" in rows.features:
        rows = rows.cast_column("audio", datasets.Audio(decode=False))
    yield from rows


def _compare(
    configuration: Configuration,
    split: str,
    expected: int,
    loaded: Iterator[Mapping[str, Any]],
    index: Mapping[str, tuple[str, bytes]],
    verified: Verified,
) -> Iterator[str]:
    where = f"{configuration.name}/{split}"
    step = max(1, expected // DECODED)
    seen = 0
    for row in loaded:
        if row["id"] not in index or index[row["id"]][0] != split:
            yield f"{where}: {row['id']} should not be there"
        elif not configuration.view_of and (changed := _changed(configuration, row, index[row["id"]][1])):
            yield f"{where}: {row['id']} differs in {', '.join(changed)}"
        elif configuration.label and row[configuration.label] is None:
            yield f"{where}: {row['id']} has no {configuration.label}"
        if configuration.has_audio:
            yield from _check_audio(where, row, decode=seen % step == 0, verified=verified)
        seen += 1
    verified.rows += seen
    if seen != expected:
        yield f"{where}: {seen} rows in place of {expected}"


def _changed(configuration: Configuration, row: Mapping[str, Any], expected: bytes) -> list[str]:
    """The parts of a row that are not what the index says; its audio is checked by itself."""
    now = index_row(configuration, row, clip="")
    hashes = {name: expected[8 * i : 8 * i + 8] for i, name in enumerate(CHANGES) if name != "audio"}
    return [name for name, expected_hash in hashes.items() if getattr(now, name) != expected_hash]


def _check_audio(where: str, row: Mapping[str, Any], *, decode: bool, verified: Verified) -> Iterator[str]:
    import soundfile

    content = row["audio"]["bytes"]
    if hashlib.sha256(content).hexdigest() != row["clip"]:
        yield f"{where}: the audio of {row['id']} is not the clip it says"
    elif decode:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="int16")
        verified.decoded += 1

        if rate != RATE or abs(len(samples) / RATE - row["seconds"]) > 0.01:
            yield f"{where}: the audio of {row['id']} is {len(samples) / rate:.2f} s in place of {row['seconds']:.2f} s"
