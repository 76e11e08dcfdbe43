"""NeMo: a manifest over the clips, one JSON object a line, as its ASR models and tools read it.

A segment is a stretch of its passage's clip, by `offset` and `duration`; segments without a passage have
no clip and are left out. `pred_text` is NeMo's to add when it transcribes, so it is not here. Nor is the
sampling rate: given one, NeMo's lhotse loader takes `duration` for the whole file's, and an offset fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from aramega.export.contents import Contents, Unit, length, offset_in_clip
from aramega.export.jsonl import json_line
from aramega.records import Passage, Segment


def nemo_entries(contents: Contents, unit: Unit) -> Iterator[str]:
    for passage in contents.passages:
        for stretch in contents.inside(passage) if unit == "segments" else [passage]:
            yield json_line(
                {
                    "audio_filepath": contents.clip(passage),
                    "offset": _offset(stretch, passage),
                    "duration": length(stretch),
                    "text": contents.text(stretch),
                    "id": stretch.id,
                    "recording": contents.recording.id,
                }
            )


def _offset(stretch: Segment | Passage, passage: Passage) -> float:
    return offset_in_clip(stretch, passage) if isinstance(stretch, Segment) else 0.0
