"""The decoded samples of a recording, and of a passage's clip, for the stages that cut or listen after ingest.

Within one build they lie in the scratch file ingest wrote. In a later build, after an option changed,
they are gone, and the recording is decoded once more from any of the files that hold it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aramega.audio.decode import AudioError, Decoder, probe
from aramega.records import RATE, AramegaError, Passage, SegmentedRecording
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


def clip_sound(passage: Passage, workspace: Workspace) -> npt.NDArray[np.float32]:
    """The samples of a passage's clip, between -1 and 1."""
    import soundfile

    clip = workspace.root / passage.clip
    try:
        samples, rate = soundfile.read(clip, dtype="float32")
    except (OSError, RuntimeError) as error:
        gone = "is gone" if not clip.exists() else f"cannot be read ({error})"
        raise AramegaError(f"{passage.clip}: this clip {gone}. Restore it, from a backup for example.") from None
    if rate != RATE or samples.ndim != 1:
        raise AramegaError(f"{passage.clip}: not the clip we made, which is 16 kHz mono. Restore it.")
    return np.asarray(samples, np.float32)
