"""Notes: lists what is no failure and a curator should know all the same, each once, with how many items it is true of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aramega.records import ChannelLayout
from aramega.store import Store
from aramega.store.summaries import count_channel_layouts, list_transcript_notes, names_with_layout

SHOWN_NOTES = 50
SHOWN_NAMES = 20

_CHANNELS: dict[ChannelLayout, tuple[str, str]] = {
    "inverted": ("the channels are each other's inverse and would cancel", "the second was turned over"),
    "partly inverted": ("in places the channels cancel each other", "there the second was turned over"),
    "left only": ("only the left channel holds anything", "it was taken"),
    "right only": ("only the right channel holds anything", "it was taken"),
    "tone on the left": ("the left channel holds a tone, a hum or a time code", "the right was taken"),
    "tone on the right": ("the right channel holds a tone, a hum or a time code", "the left was taken"),
    "two speakers": ("each channel has speakers of its own, who take turns", "both were taken"),
    "two programmes": (
        "each channel has something else at the same time, perhaps another language",
        "the {} was taken",
    ),
    "centre voice": ("surround sound with the voices in its centre", "the centre was taken"),
    "surround": ("more than two channels and no centre with voices", "all were taken"),
}
"""Of recordings whose channels are not simply averaged: what they hold, and what was done."""
_ONE_OF_TWO = ("left only", "right only", "tone on the left", "tone on the right", "two programmes")


@dataclass(frozen=True)
class Note:
    """A sentence, and the recordings it is about: how many, and the first of their names."""

    text: str
    count: int
    names: tuple[str, ...]


def gather_notes(store: Store) -> tuple[Note, ...]:
    """All notes of a workspace."""
    return (*_channels(store), *_passed_over(store))


def _channels(store: Store) -> Iterator[Note]:
    """What recordings have on their channels, and what was listened to, where that was a choice."""
    for layout, downmix, number in count_channel_layouts(store):
        if layout in _CHANNELS:
            names = names_with_layout(store, layout, downmix, SHOWN_NAMES)
            yield Note(_sentence(layout, downmix), number, tuple(names))


def _sentence(layout: ChannelLayout, downmix: str) -> str:
    held, done = _CHANNELS[layout]
    if layout in _ONE_OF_TWO and downmix == "mean":
        done = "both were taken, as ingest.downmix says"
    return f"Channels: {held}; {done.format(downmix)}."


def _passed_over(store: Store) -> Iterator[Note]:
    """Files of a recording's name that hold no transcript."""
    for note, name in list_transcript_notes(store, SHOWN_NOTES):
        yield Note(f"{note}. Drafts were made without it.", 1, (name,))
