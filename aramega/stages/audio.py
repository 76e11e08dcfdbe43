"""The decoded samples of a recording, for the stages that cut or listen after ingest.

Within one build they lie in the scratch file ingest wrote. In a later build, after an option changed,
they are gone, and the recording is decoded once more from any of the files that hold it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from aramega.audio.decode import AudioError, Decoder, probe
from aramega.records import SegmentedRecording
from aramega.workspace import Workspace, whole_file


def decoded_audio(item: SegmentedRecording, workspace: Workspace) -> Path:
    """The scratch file of `item`'s samples, made again where it is missing."""
    audio = workspace.audio(item.id, item.recording.audio_stream)
    if not audio.exists():
        _decode_again(item, audio)
    return audio


def _decode_again(item: SegmentedRecording, audio: Path) -> None:
    present = next((p for p in item.paths if Path(p).exists() and hash_file(p)[0] == item.recording.sha256), None)
    if present is None:
        raise AudioError(
            f"its file is gone or is another now ({', '.join(item.paths)}). Put it back to cut clips from it."
        )
    stream = item.recording.audio_stream
    found = probe(present, audio_stream=stream)
    decoder = Decoder(present, found, audio_stream=stream)
    with decoder, whole_file(audio) as part, part.open("wb") as scratch:
        for block in decoder:
            scratch.write(block.data)


def hash_file(path: str) -> tuple[str, int]:
    """The sha256 of a file's bytes, and how many there are."""
    digest, size = hashlib.sha256(), 0
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
