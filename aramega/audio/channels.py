"""Channels: what a recording has on its channels, and how they become the one that is listened to.

A plain average is silence where the second channel is the first one upside down, babel where each channel has a
language of its own, and half as loud where one is empty. So the channels are looked at while they are decoded, over the
whole recording and in the same pass:

- Two channels are averaged, and each half second in which they cancel each other has the second one turned over. That
  is decided within the half second alone, so it holds wherever the phase changes, and for workers on ranges.
- What can only be told of the whole (an empty channel, a tone or time code, two languages, a surround sound's centre)
  is counted in whole numbers, which add up over ranges to what one worker counts. Where the count asks for another
  downmix than the one the pass was made with, the recording is decoded once more. That is rare.

What was found and done stands in the recording's record, and clips are cut from the same downmix. It does not separate
voices, and does not follow a programme that changes its language from one channel to the other midway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from aramega.records import RATE, ChannelLayout, Downmix

Samples = npt.NDArray[np.int16]
Counts = npt.NDArray[np.int64]

Asked = Literal["auto", "mean", "left", "right"]

PART = RATE // 2
"""Samples within which it is decided whether channels cancel each other: shorter than a pause, and it divides every
length that decoders and ranges work in, so that the same samples are always looked at together."""
_EVERY = 5
"""One sample in five is looked at: a fifth of the time, and energies and likeness are what they are of all."""
_FRAME = RATE // 10 // _EVERY
_CANCELS = 4.0
"""The difference of the channels holds this many times the energy of their sum: -6 dB and more would be lost."""
_QUIET = 2 * (32768 * 10 ** (-60 / 20)) ** 2 * PART // _EVERY
"""Sum of squares of both channels (-60 dBFS each) below which a part says nothing of their relation."""
_STEP = 3
"""Decibels in a class of levels; class 0 is -90 dBFS and below."""
_CLASSES = 31

_WITH_A_CENTRE = ("3.0", "3.1", "4.0", "4.1", "5.0", "5.1", "6.0", "6.1", "7.0", "7.1")
_WITHOUT_ONE = ("6.0(front)", "6.1(front)", "3.0(back)")


@dataclass(frozen=True)
class ChannelCounts:
    """What was counted of two channels; of two ranges, the sum is what is counted of both."""

    opposed: int = 0
    """Parts in which the channels cancel each other."""
    unrelated: int = 0
    same: int = 0
    parts: int = 0
    """All parts that are not quiet."""
    levels: Counts = field(default_factory=lambda: np.zeros((_CLASSES, _CLASSES), np.int64))
    """How many tenths of a second had each level in the first channel and each in the second."""

    def __add__(self, other: ChannelCounts) -> ChannelCounts:
        return ChannelCounts(
            self.opposed + other.opposed,
            self.unrelated + other.unrelated,
            self.same + other.same,
            self.parts + other.parts,
            self.levels + other.levels,
        )


@dataclass(frozen=True)
class Verdict:
    """What a recording has on its channels, and what is listened to."""

    layout: ChannelLayout
    downmix: Downmix


def first_guess(channels: int, layout: str, asked: Asked) -> Downmix:
    """What the first pass is made with."""
    if channels == 1:
        return "only"
    if asked in ("left", "right"):
        return asked
    if channels == 2:
        return "mean"
    has_centre = layout.startswith(_WITH_A_CENTRE) and layout not in _WITHOUT_ONE
    return "centre" if has_centre and asked == "auto" else "all"


def mix(pairs: Samples, counted: slice) -> tuple[Samples, ChannelCounts]:
    """The average of two channels, (samples, 2), and what there is to count of the parts in `counted`."""
    left, right = (_in_parts(pairs[:, i]) for i in (0, 1))
    counts, opposed = _count(left, right, counted)
    if not opposed.any():
        total = np.add(pairs[:, 0], pairs[:, 1], dtype=np.int32)
        total += 1
        total >>= 1
        return total.astype(np.int16), counts
    turned = np.where(np.repeat(opposed, PART)[: len(pairs)], -1, 1).astype(np.int32)
    mixed = (pairs[:, 0] + pairs[:, 1] * turned + 1) >> 1
    return np.minimum(mixed, 32767).astype(np.int16), counts


def count(pairs: Samples, counted: slice) -> ChannelCounts:
    """The same counts, for two channels that are not averaged."""
    return _count(_in_parts(pairs[:, 0]), _in_parts(pairs[:, 1]), counted)[0]


Parts = npt.NDArray[np.float64]


def _in_parts(samples: Samples) -> Parts:
    """Of float64, in which sums of squares of 16-bit samples are exact on any machine."""
    looked_at = samples[::_EVERY]
    parts = np.zeros((-(-len(samples) // PART), PART // _EVERY), np.float64)
    parts.reshape(-1)[: len(looked_at)] = looked_at
    return parts


def _count(left: Parts, right: Parts, counted: slice) -> tuple[ChannelCounts, npt.NDArray[np.bool_]]:
    """The counts, and which of all parts are opposed."""
    frames = (len(left), -1, _FRAME)
    squares = [np.einsum("pfs,pfs->pf", x.reshape(frames), x.reshape(frames)) for x in (left, right)]
    ll, rr = (s.sum(axis=1) for s in squares)
    lr = np.einsum("ps,ps->p", left, right)
    loud = ll + rr > _QUIET
    opposed = ll + rr - 2 * lr > _CANCELS * (ll + rr + 2 * lr)
    likeness = np.abs(lr) / np.sqrt(np.maximum(ll * rr, 1.0))
    same = ll + rr - 2 * lr < 1e-4 * (ll + rr)
    levels = [_classes(s[counted]).reshape(-1) for s in squares]
    joint = np.bincount(levels[0] * _CLASSES + levels[1], minlength=_CLASSES**2).reshape(_CLASSES, _CLASSES)
    cancelling, strangers, alike, all_loud = (
        int(np.count_nonzero((which & loud)[counted])) for which in (opposed, likeness < 0.3, same, loud)
    )
    return ChannelCounts(cancelling, strangers, alike, all_loud, joint.astype(np.int64)), opposed


def _classes(squares: Parts) -> Counts:
    decibels = 10 * np.log10(np.maximum(squares / _FRAME, 1e-3) / 32768.0**2)
    classes: Counts = np.clip(np.floor(decibels / _STEP) + _CLASSES - 1, 0, _CLASSES - 1).astype(np.int64)
    return classes


def judge(channels: int, guess: Downmix, asked: Asked, counts: ChannelCounts) -> Verdict:
    """What to listen to, by what was counted in a pass made with `guess`."""
    if channels == 1:
        return Verdict("mono", "only")
    if guess == "centre":
        return Verdict("centre voice", "centre") if _centre_speaks(counts.levels) else Verdict("surround", "all")
    if channels > 2:
        return Verdict("surround", guess)
    layout = _layout_of_two(counts)
    return Verdict(layout, _DOWNMIX.get(layout, "mean") if asked == "auto" else guess)


_DOWNMIX: dict[ChannelLayout, Downmix] = {
    "left only": "left",
    "right only": "right",
    "tone on the left": "right",
    "tone on the right": "left",
    "two programmes": "left",
}
"""Of two programmes it is the one with more speech, which whoever hears them settles."""


def _layout_of_two(counts: ChannelCounts) -> ChannelLayout:
    if not counts.parts:
        return "stereo"
    loud = [_percentile(counts.levels.sum(axis=1 - side), 0.95) for side in (0, 1)]
    if abs(loud[0] - loud[1]) * _STEP >= _EMPTY:
        return "left only" if loud[0] > loud[1] else "right only"
    if counts.opposed >= 0.5 * counts.parts:
        return "inverted"
    if counts.same >= 0.98 * counts.parts:
        return "dual mono"
    if counts.unrelated >= 0.9 * counts.parts and (layout := _layout_of_strangers(counts.levels, loud)):
        return layout
    return "partly inverted" if counts.opposed >= max(2, _SOME * counts.parts) else "stereo"


_SOME = 0.02
"""Share of the parts that must be opposed for it to be worth a word; wide music has some."""
_EMPTY = 30
"""Decibels by which a channel is below the other when it holds noise or a little of the other."""
_STEADY = 6
"""Decibels between soft and loud in a tone, a hum or a time code; speech has 20 and more."""
_ACTIVE = 18
"""Decibels below its loud moments down to which a channel is at work."""


def _layout_of_strangers(levels: Counts, loud: list[int]) -> ChannelLayout | None:
    """Of two channels whose waveforms have nothing in common; None where their levels rise and fall together, as those
    of two microphones in one room do."""
    soft = [_percentile(levels.sum(axis=1 - side), 0.2) for side in (0, 1)]
    steady = [(loud[side] - soft[side]) * _STEP <= _STEADY for side in (0, 1)]
    if steady[0] != steady[1]:
        return "tone on the left" if steady[0] else "tone on the right"
    active = [np.arange(_CLASSES) * _STEP >= level * _STEP - _ACTIVE for level in loud]
    either = levels[active[0][:, None] | active[1][None, :]].sum()
    both = levels[active[0][:, None] & active[1][None, :]].sum()
    if _correlation(levels) > 0.5:
        return None
    return "two programmes" if both > _TOGETHER * either else "two speakers"


_TOGETHER = 0.35
"""Share of the time in which two channels are both at work: people who take turns have a tenth to a quarter, a speaker
and an interpreter, or two programmes, a half and more."""


def _centre_speaks(levels: Counts) -> bool:
    """Whether the centre (first) is not far below all channels together (second)."""
    return (_percentile(levels.sum(axis=0), 0.95) - _percentile(levels.sum(axis=1), 0.95)) * _STEP <= 12


def _percentile(counts: Counts, share: float) -> int:
    """The class that this share of the frames is at or below."""
    return int(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def _correlation(levels: Counts) -> float:
    at = np.arange(_CLASSES)
    total = levels.sum()
    x, y = levels.sum(axis=1), levels.sum(axis=0)
    mean_x, mean_y = (x @ at) / total, (y @ at) / total
    spread = np.sqrt((x @ (at - mean_x) ** 2) * (y @ (at - mean_y) ** 2))
    together = (at - mean_x) @ levels @ (at - mean_y)
    return float(together / spread) if spread else 0.0
