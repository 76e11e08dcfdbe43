"""Notes: what a curator should know of a plan, a line each. They may name recordings, so they are never published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aramega.publish.selection import SelectedPassage, Selection
from aramega.publish.splits import Assignment

RESERVED = "kept for test and validation until a person has reviewed them"
HELD_BACK = "would tie two splits together"
LEAKED = "said in another split already"


def notes_for(
    selection: Selection,
    assignment: Assignment,
    funnel: Mapping[str, int],
    rows: Mapping[str, Sequence[SelectedPassage]],
) -> Iterator[str]:
    """Everything that could be missed in what is published."""
    yield from _about_splits(selection, assignment, funnel, has_test=bool(rows["test"]))
    unsummarized = sum(not passage.summarized for passages in rows.values() for passage in passages)
    yield from _about_passages(selection, unsummarized)
    if selection.unknown_withdrawals:
        names = selection.unknown_withdrawals
        yield f"{len(names)} withdrawn names are no recording's here: {', '.join(names[:3])}. Is one misspelt?"
    if "unknown" in selection.licences:
        recordings = selection.licences["unknown"]
        yield f"{len(recordings)} recordings have no licence in the manifest: the card says unknown."


def _about_splits(
    selection: Selection, assignment: Assignment, funnel: Mapping[str, int], *, has_test: bool
) -> Iterator[str]:
    reserved = funnel.get(RESERVED)
    if reserved:
        yield (
            f"{reserved} passages are {RESERVED}: `aramega review` brings them in; "
            "--no-test-verified-only takes them unreviewed."
        )
    if not has_test:
        yield "there is no test split yet: " + (
            "no reviewed passage belongs to it." if reserved else "too few recordings to spare one."
        )
    if assignment.held_back:
        names = [selection.recordings[number].name for number in sorted(assignment.held_back)]
        between = " and ".join(next(iter(assignment.held_back.values())))
        yield (
            f"{len(names)} recordings are held back, for their speaker and their programme are in different splits "
            f"({between}): {', '.join(names[:3])}{', …' if len(names) > 3 else ''}. Correct the manifest if that is "
            "wrong; published rows never move."
        )


def _about_passages(selection: Selection, unsummarized: int) -> Iterator[str]:
    if selection.unresolved:
        yield (
            f"{selection.unresolved} passages have reviews that came after they were resolved, or were never resolved: "
            "`aramega review resolve` brings them in."
        )
    if unsummarized:
        yield f"{unsummarized} passages have no summary: they are in asr only, and in raw."
    if selection.without_lines:
        yield (
            f"{selection.without_lines} passages have a transcript that was not laid onto their segments: "
            "they have no rows in asr."
        )
