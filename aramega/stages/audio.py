"""The decoded samples of a recording, and of a passage's clip, for the stages that cut or listen after ingest.

Within one build they lie in the scratch file ingest wrote. In a later build, after an option changed,
they are gone, and the recording is decoded once more from any of the files that hold it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aramega.audio.decode import AudioError, Decoder, probe
from aramega.locks import wait_and_hold
from aramega.records import RATE, AramegaError, Passage, Recording, SegmentedRecording
from aramega.remote import fetch, file_at, is_address
from aramega.workspace import WorkspaceFolder, whole_file


@contextmanager
def local_copy(path: str, workspace: WorkspaceFolder) -> Iterator[str]:
    """The file itself; of one in an object store a copy, which stays until `drop_copy`. Workers of one machine that
    want the same fetch it once."""
    if not is_address(path):
        yield path
        return
    entry = file_at(path)
    if entry is None:
        raise AudioError("no such file.")
    copy = workspace.fetched(path, entry.stamp)
    copy.parent.mkdir(parents=True, exist_ok=True)
    with wait_and_hold(copy.with_suffix(".lock")):
        if not copy.exists():
            with whole_file(copy) as part:
                fetch(entry, part)
    yield str(copy)


def drop_copy(path: str, workspace: WorkspaceFolder) -> None:
    """Nobody needs the copy any more."""
    if is_address(path):
        workspace.drop_fetched(path)


def decoded_audio(item: SegmentedRecording, workspace: WorkspaceFolder) -> Path:
    """The scratch file of `item`'s samples, made again where it is missing."""
    audio = workspace.audio(item.id, item.recording.audio_stream)
    if not audio.exists():
        _decode_again(item, audio, workspace)
    return audio


def _decode_again(item: SegmentedRecording, audio: Path, workspace: WorkspaceFolder) -> None:
    for path in item.paths:
        try:
            with local_copy(path, workspace) as here:
                if Path(here).exists() and hash_file(here)[0] == item.recording.sha256:
                    return _decode_to(audio, here, item.recording)
        except AramegaError:  # gone from its store; perhaps another of its names is there
            if path == item.paths[-1]:
                raise
        finally:
            drop_copy(path, workspace)
    raise AudioError(f"its file is gone or is another now ({', '.join(item.paths)}). Put it back to cut clips from it.")


def _decode_to(audio: Path, path: str, recording: Recording) -> None:
    stream = recording.audio_stream
    decoder = Decoder(path, probe(path, audio_stream=stream), audio_stream=stream, downmix=recording.downmix)
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


def clip_sound(passage: Passage, workspace: WorkspaceFolder) -> npt.NDArray[np.float32]:
    """The samples of a passage's clip, between -1 and 1."""
    import soundfile

    with workspace.borrow(passage.clip) as clip:
        try:
            samples, rate = soundfile.read(clip, dtype="float32")
        except (OSError, RuntimeError) as error:
            gone = "is gone" if not clip.exists() else f"cannot be read ({error})"
            raise AramegaError(f"{passage.clip}: this clip {gone}. Restore it, from a backup for example.") from None
    if rate != RATE or samples.ndim != 1:
        raise AramegaError(f"{passage.clip}: not the clip we made, which is 16 kHz mono. Restore it.")
    return np.asarray(samples, np.float32)
