"""JSON lines: everything that is known, one passage or one segment a line.

Each line stands alone: the recording is repeated in it, so that `jq`, pandas or a spreadsheet need no
join. `clip` is relative to the workspace, as in its database, so that a workspace may be moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from aramega.export.contents import Contents, Unit, length, offset_in_clip
from aramega.records import Passage, Segment


def json_records(contents: Contents, unit: Unit) -> Iterator[str]:
    recording = {**asdict(contents.recording), "sources": list(contents.paths)}
    if unit == "segments":
        for segment in contents.segments:
            yield json_line({**_segment(contents, segment), "recording": recording})
    else:
        for passage in contents.passages:
            yield json_line({**_passage(contents, passage), "recording": recording})


def json_line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _segment(contents: Contents, segment: Segment) -> dict[str, Any]:
    passage = contents.passage_of.get(segment.id)
    return {
        **asdict(segment),
        "seconds": length(segment),
        "text": contents.text(segment),
        "passage": passage.id if passage else None,
        "clip": passage.clip if passage else None,
        "clip_start": offset_in_clip(segment, passage) if passage else None,
    }


def _passage(contents: Contents, passage: Passage) -> dict[str, Any]:
    repeated_from_passage = ("recording", "passage", "clip")
    segments = [_segment(contents, segment) for segment in contents.inside(passage)]
    return {
        **asdict(passage),
        "seconds": length(passage),
        "text": contents.text(passage),
        "segments": [{k: v for k, v in s.items() if k not in repeated_from_passage} for s in segments],
    }
