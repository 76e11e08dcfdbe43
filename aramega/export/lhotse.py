"""lhotse: a RecordingSet over the clips, and a SupervisionSet over their segments or whole passages.

What lhotse calls a recording is one passage's clip, for that is the audio the workspace keeps; where it
lies in the broadcast it was cut from is in the supervisions' `custom`. Written without lhotse, whose
import takes torch along; its own `validate` reads the result in the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from aramega.export.contents import Contents, Unit, length, offset_in_clip
from aramega.export.jsonl import json_line
from aramega.records import RATE, Passage, Segment, milliseconds


def lhotse_recordings(contents: Contents) -> Iterator[str]:
    for passage in contents.passages:
        samples = (milliseconds(passage.end) - milliseconds(passage.start)) * RATE // 1000
        yield json_line(
            {
                "id": passage.id,
                "sources": [{"type": "file", "channels": [0], "source": contents.clip(passage)}],
                "sampling_rate": RATE,
                "num_samples": samples,
                "duration": samples / RATE,
                "channel_ids": [0],
            }
        )


def lhotse_supervisions(contents: Contents, unit: Unit) -> Iterator[str]:
    for passage in contents.passages:
        for stretch in contents.inside(passage) if unit == "segments" else [passage]:
            yield json_line(_supervision(contents, passage, stretch))


def _supervision(contents: Contents, passage: Passage, stretch: Segment | Passage) -> dict[str, Any]:
    metadata = contents.recording.metadata
    facts = {"text": contents.text(stretch), "speaker": metadata.speaker}
    return {
        "id": stretch.id,
        "recording_id": passage.id,
        "start": offset_in_clip(stretch, passage) if isinstance(stretch, Segment) else 0.0,
        "duration": length(stretch),
        "channel": 0,
        **{name: value for name, value in facts.items() if value},
        "language": "ar",
        "custom": {
            "broadcast": contents.recording.id,
            "broadcast_name": contents.recording.name,
            "broadcast_start": stretch.start,
            "snr_db": stretch.snr_db,
            "loudness_lufs": stretch.loudness_lufs,
            "bandwidth_hz": stretch.bandwidth_hz,
            **{name: value for name, value in asdict(metadata).items() if value and name != "speaker"},
        },
    }
