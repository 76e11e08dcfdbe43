"""Sample: chooses a few passages to listen to, spread over quality and over recordings.

Passages are ranked by their signal-to-noise ratio and cut into as many equal groups as there are
players; each group gives one, from the recording that was heard least so far. The choice depends on the
passages alone, so the same workspace gives the same page.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aramega.audio.clips import write_preview
from aramega.records import Passage
from aramega.report.pictures import data_uri, picture_of_sound
from aramega.store import Store
from aramega.store.coverage import candidates_by_quality
from aramega.workspace import WorkspaceFolder

CANDIDATES = 16
"""Per group, to choose a less heard recording from."""


@dataclass(frozen=True)
class Preview:
    """What a player needs, or why there is none."""

    sound: str = ""
    """A small mp3, the one format every browser plays, as a data URI."""
    picture: str = ""
    """Its mel spectrogram, as a data URI."""
    missing: str = ""


def choose_sample(store: Store, number: int) -> list[str]:
    """The ids of `number` passages or of all there are, the cleanest first."""
    return spread(candidates_by_quality(store, number, CANDIDATES))


def spread(candidates: Iterable[tuple[int, str, str]]) -> list[str]:
    """From (group, passage, recording), one passage a group, of the recording that was chosen least so far."""
    groups: dict[int, list[tuple[str, str]]] = {}
    for group, passage, recording in candidates:
        groups.setdefault(group, []).append((passage, recording))
    times_chosen: Counter[str] = Counter()
    chosen = []
    for members in groups.values():
        passage, recording = min(members, key=lambda member: times_chosen[member[1]])
        times_chosen[recording] += 1
        chosen.append(passage)
    return chosen


def make_previews(passages: Sequence[Passage], workspace: WorkspaceFolder) -> list[Preview]:
    """Encode and picture each passage; a clip that cannot be read costs its player, not the page."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        # The encoder is a process of its own, so threads do.
        sounds = [
            pool.submit(_encode, workspace, workspace.root / p.clip, Path(folder, f"{i}.mp3"))
            for i, p in enumerate(passages)
        ]
        previews = []
        for passage, sound in zip(passages, sounds, strict=True):
            try:
                previews.append(Preview(sound.result(), picture_of_sound(workspace.root / passage.clip)))
            except Exception as error:  # noqa: BLE001  a damaged clip may fail in any layer of any decoder
                previews.append(Preview(missing=_why(workspace.root / passage.clip, passage.clip, error)))
        return previews


def _encode(workspace: WorkspaceFolder, clip: Path, preview: Path) -> str:
    workspace.bring(clip)
    write_preview(clip, preview, "mp3")
    return data_uri("audio/mpeg", preview.read_bytes())


def _why(clip: Path, name: str, error: Exception) -> str:
    if not clip.exists():
        return f"{name} is gone from the workspace."
    return f"{name} cannot be read ({type(error).__name__})."
