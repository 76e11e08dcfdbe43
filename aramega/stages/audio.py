"""The decoded samples of a recording, for the stages that cut or listen after ingest.

Within one build they lie in the scratch file ingest wrote. In a later build, after an option changed,
they are gone, and the recording is decoded once more from any of the files that hold it.
"""

from __future__ import annotations

from pathlib import Path

from aramega.audio.decode import AudioError, Decoder, probe
from aramega.records import RATE, SegmentedRecording
from aramega.workspace import Workspace, whole_file


def decoded_audio(item: SegmentedRecording, workspace: Workspace) -> Path:
    """The scratch file of `item`'s samples, made again where it is missing."""
    audio = workspace.audio(item.id)
    if not audio.exists():
        _decode_again(item, audio)
    return audio


def _decode_again(item: SegmentedRecording, audio: Path) -> None:
    present = next((p for p in item.paths if Path(p).exists()), None)
    if present is None:
        raise AudioError(f"its file is gone ({', '.join(item.paths)}). Put it back to cut new clips from it.")
    stream = item.recording.audio_stream
    found = probe(present, audio_stream=stream)
    with Decoder(present, found, audio_stream=stream) as decoder, whole_file(audio) as part:
        with part.open("wb") as scratch:
            samples = 0
            for block in decoder:
                samples += block.size
                scratch.write(block.data)
        if samples != round(item.recording.seconds * RATE):
            raise AudioError(
                f"{present} is not the file it was: {samples / RATE:.1f} s of sound, {item.recording.seconds:.1f} s before."
            )
