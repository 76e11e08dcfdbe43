"""Merge: several workspaces into one, for teams that shard by hand.

Recording by recording: its clips and frames first, as links where the disk allows it, then all its rows in one
transaction. So a merge that is killed goes on where it stopped, and one that is run again adds nothing. What two
workspaces know differently is settled by rule and said by name; see `aramega.store.merge_choices`.

The configuration stays the target's, or is the first one's where the target is new, and what differs is said: what
came from a workspace with other options is outdated in the target, and a build there does it anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from aramega.backends.llm.journal import Journal
from aramega.config import Config, load_config
from aramega.maintenance.link_or_copy import How, carry
from aramega.maintenance.references import checked_path, clip_path, frame_paths
from aramega.maintenance.small_files import find_papers
from aramega.records import AramegaError
from aramega.store.merge_choices import Choice
from aramega.store.merge_rows import Conflict
from aramega.store.merging import Merging
from aramega.workspace import WorkspaceFolder, whole_file

Wanted = Callable[[str], bool]
"""Whether a recording, by its id, or a file that is none yet, by its path, is to be merged."""
Carry = Callable[[Path, Path], How]
"""Brings a file to a place, and says how; raises FileNotFoundError where there is none."""


@dataclass
class Merged:
    """What one workspace brought."""

    workspace: str
    recordings: int = 0
    """New in the target."""
    passages: int = 0
    reviews: int = 0
    clips: int = 0
    """Linked or copied."""
    bytes: int = 0
    """Of those that had to be copied."""
    missing: list[str] = field(default_factory=list)
    """Clips that a row names and that were not there."""
    conflicts: list[Conflict] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    """Options that differ from the target's: key, theirs, ours."""


def everything(_: str) -> bool:
    return True


def merge(
    source: WorkspaceFolder, target: WorkspaceFolder, wanted: Wanted = everything, *, carry: Carry = carry
) -> Merged:
    """Bring into `target` what `source` holds of the recordings that are `wanted`. Hold `building` around it."""
    if source.root.resolve() == target.root.resolve():
        raise AramegaError(f"{source.root}: cannot be merged into itself.")
    merged = Merged(str(source.root))
    with Merging.open(source, target) as merging:
        _merge_papers(source, target, merged)
        _merge_answers(source, target)
        before = merging.count()
        for recording in filter(wanted, merging.list_recordings()):
            if merging.brings_news(recording):
                _merge_recording(merging, recording, source, target, merged, carry)
        merging.take_the_rest(wanted)
        after = merging.count()
    merged.recordings = after.recordings - before.recordings
    merged.passages = after.passages - before.passages
    merged.reviews = after.reviews - before.reviews
    merged.conflicts = merging.conflicts
    return merged


def _merge_recording(
    merging: Merging,
    recording: str,
    source: WorkspaceFolder,
    target: WorkspaceFolder,
    merged: Merged,
    carry: Carry,
) -> None:
    cut = merging.choose_cut(recording)
    if cut.side == "theirs" and not cut.is_new:
        merging.retract_cut(recording)
    for path in _clips(merging, recording, cut, source):
        _bring(source.root / path, target.root / path, path, merged, carry)
    for path in frame_paths(source, recording):
        if (source.root / path).exists() and (cut.side == "theirs" or not (target.root / path).exists()):
            carry(source.root / path, target.root / path)
    merging.take_recording(recording, cut)


def _clips(merging: Merging, recording: str, cut: Choice, source: WorkspaceFolder) -> list[str]:
    """The clips of the passages that are taken, and of those that people of theirs have worked on."""
    taken = map(checked_path, merging.clips_of_passages(recording)) if cut.side == "theirs" else ()
    in_hands = [clip_path(source, passage) for passage in merging.passages_in_hands(recording, cut)]
    return [*taken, *(path for path in in_hands if (source.root / path).exists())]


def _bring(source: Path, target: Path, path: str, merged: Merged, carry: Carry) -> None:
    try:
        how = carry(source, target)
    except FileNotFoundError:
        merged.missing.append(path)
        return
    merged.clips += how != "there"
    merged.bytes += source.stat().st_size if how == "copied" else 0


def _merge_papers(source: WorkspaceFolder, target: WorkspaceFolder, merged: Merged) -> None:
    """What was withdrawn from any is withdrawn from all; of everything else the target's own stays."""
    for paper in find_papers(source):
        if not (target.root / paper).exists():
            with whole_file(target.root / paper) as part:
                shutil.copy2(source.root / paper, part)
    merged.options = compare_options(source, target)
    theirs, ours = source.withdrawn, target.withdrawn
    if theirs.exists():
        lines = ours.read_text(encoding="utf-8-sig").splitlines()
        added = [line for line in theirs.read_text(encoding="utf-8-sig").splitlines() if line not in lines]
        if added:
            with whole_file(ours) as part:
                part.write_text("".join(f"{line}\n" for line in [*lines, *added]), encoding="utf-8")


def compare_options(source: WorkspaceFolder, target: WorkspaceFolder) -> list[str]:
    """Each option that two workspaces were last built with differently."""
    theirs, ours = (load_config(w.config) if w.config.exists() else Config() for w in (source, target))
    flat = [{(s, k): v for s, options in c.model_dump().items() for k, v in options.items()} for c in (theirs, ours)]
    # A table of a plugin may stand in one of the files alone.
    return [
        f"{'.'.join(name)} is {flat[0].get(name)!r} there and {flat[1].get(name)!r} in {target.config.name} here"
        for name in dict.fromkeys([*flat[0], *flat[1]])
        if flat[0].get(name) != flat[1].get(name)
    ]


def _merge_answers(source: WorkspaceFolder, target: WorkspaceFolder) -> None:
    """What language models answered, and what that has cost."""
    if source.answers.exists():
        with closing(Journal(target.answers)) as journal:
            journal.take_from(source.answers)
