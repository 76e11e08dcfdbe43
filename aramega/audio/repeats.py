"""Repeats: stretches of a recording that were heard before, in it or in others.

The landmarks of the new recording are put into four tables by a quarter of their bits each; those of the archive are
looked up in them, so that the archive needs no index and streams past. Landmarks that agree in a quarter and nearly in
all bits are pairs; pairs that follow each other at one speed, within 6 % of the original, are a chain. A chain counts
only if enough of *all* landmarks along its line agree: chance makes one landmark in four hundred agree, a copy in
noise more than one in two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aramega.audio.landmarks import Landmarks
from aramega.audio.mel import FRAMES_PER_SECOND

Integers = npt.NDArray[np.int64]

_QUARTERS = 4
_PAIR_BITS = 12
"""Bits that a pair's landmarks may differ in, of 64: of landmarks of different sounds, 1 in 10,000 differs in fewer."""
_MATE_BITS = 18
"""… where the line says which two landmarks to compare."""
_MATE_FRAMES = 4
_CROWD = 200
"""So many landmarks with one quarter are a tone or a hum, which is like itself everywhere."""
_CHAIN_GAP = 12 * FRAMES_PER_SECOND
_LINE_GAP = 6 * FRAMES_PER_SECOND
_DRIFT = 0.06
_MIN_CHAIN = 3
_MIN_MATES = 5
_MIN_SHARE = 0.35
_OWN_DISTANCE = 10 * FRAMES_PER_SECOND
"""A recording repeats itself at this distance at least: a held note is like itself a moment later."""


@dataclass(frozen=True)
class Match:
    """A stretch of the new recording, and where in the archive the same was heard; in seconds."""

    start: float
    end: float
    of: str
    of_start: float
    of_end: float
    share: float
    """Of the landmarks, those that agree."""

    @property
    def seconds(self) -> float:
        return self.end - self.start


def find_matches(
    new: Landmarks, archive: Iterable[tuple[str, Landmarks]], *, own_id: str = "", min_seconds: float = 4.0
) -> list[Match]:
    """All stretches of at least `min_seconds` that are in the archive too, which may hold the recording itself, as
    `own_id`."""
    tables = [_Table.of(_quarter(new.bits, number)) for number in range(_QUARTERS)]
    matches: list[Match] = []
    for name, old in archive:
        pairs = _pairs(new, old, tables)
        if name == own_id:
            distance = new.frames[pairs[:, 0]].astype(np.int64) - old.frames[pairs[:, 1]]
            pairs = pairs[distance > _OWN_DISTANCE]
        lines = (_fit(new, old, pairs[chain]) for chain in _chains(new, old, pairs))
        matches += _distinct(match for line in lines if (match := _follow(new, old, name, line, min_seconds)))
    return matches


@dataclass(frozen=True)
class _Table:
    """Where the values of 16 bits are in an array: sorted places, and where each value's begin."""

    places: Integers
    begins: Integers

    @classmethod
    def of(cls, values: npt.NDArray[np.uint16]) -> _Table:
        begins = np.zeros((1 << 16) + 1, np.int64)
        np.cumsum(np.bincount(values, minlength=1 << 16), out=begins[1:])
        return cls(np.argsort(values, kind="stable"), begins)

    def find(self, values: npt.NDArray[np.uint16]) -> Integers:
        """All (place in the table, place in `values`) with the same value."""
        begin = self.begins[values]
        counts = self.begins[values.astype(np.int64) + 1] - begin
        counts[counts > _CROWD] = 0
        theirs = np.repeat(np.arange(len(values)), counts)
        within = np.arange(len(theirs)) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.stack((self.places[begin[theirs] + within], theirs), axis=1)


def _quarter(bits: npt.NDArray[np.uint64], number: int) -> npt.NDArray[np.uint16]:
    quarter: npt.NDArray[np.uint16] = (bits >> np.uint64(16 * number)).astype(np.uint16)
    return quarter


def _pairs(new: Landmarks, old: Landmarks, tables: Sequence[_Table]) -> Integers:
    """(place in new, place in old) of the landmarks that are alike, in the new ones' order."""
    alike = np.concatenate([table.find(_quarter(old.bits, number)) for number, table in enumerate(tables)])
    close = alike[differing_bits(new.bits[alike[:, 0]], old.bits[alike[:, 1]]) <= _PAIR_BITS]
    pairs: Integers = np.unique(close, axis=0)
    return pairs


def differing_bits(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """In how many of 64 bits the values differ; by halves of a byte would be slower, numpy 1 has no bit count."""
    halves = (a ^ b).view(np.uint16).reshape(len(a), 4)
    counted: npt.NDArray[np.uint8] = _BITS_SET[halves].sum(axis=1, dtype=np.uint8)
    return counted


_BITS_SET = np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).sum(
    axis=1, dtype=np.uint8
)


def _chains(new: Landmarks, old: Landmarks, pairs: Integers) -> Iterator[Integers]:
    """Places of pairs that follow each other at nearly one speed, each pair in one chain at most."""
    at_new = new.frames[pairs[:, 0]].astype(np.int64)
    at_old = old.frames[pairs[:, 1]].astype(np.int64)
    open_chains: list[list[int]] = []
    for place in range(len(pairs)):
        done = [chain for chain in open_chains if at_new[place] - at_new[chain[-1]] > _CHAIN_GAP]
        for chain in done:
            open_chains.remove(chain)
            if len(chain) >= _MIN_CHAIN:
                yield np.array(chain)
        for chain in reversed(open_chains):
            step = int(at_new[place] - at_new[chain[-1]])
            drift = abs(int(at_old[place] - at_old[chain[-1]]) - step)
            if step > 0 and drift <= _DRIFT * step + _MATE_FRAMES:
                chain.append(place)
                break
        else:
            open_chains.append([place])
    yield from (np.array(chain) for chain in open_chains if len(chain) >= _MIN_CHAIN)


@dataclass(frozen=True)
class _Line:
    """Where in the old recording a frame of the new one should be: `speed * frame + offset`, near these frames."""

    speed: float
    offset: float
    first: int
    last: int


def _fit(new: Landmarks, old: Landmarks, pairs: Integers) -> _Line:
    x = new.frames[pairs[:, 0]].astype(np.float64)
    y = old.frames[pairs[:, 1]].astype(np.float64)
    spread = float(np.var(x))
    speed = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread if spread else 1.0
    speed = min(max(speed, 1 - _DRIFT), 1 + _DRIFT)
    return _Line(speed, float(np.median(y - speed * x)), int(x.min()), int(x.max()))


def _follow(new: Landmarks, old: Landmarks, name: str, line: _Line, min_seconds: float) -> Match | None:
    """The whole stretch along the line where landmarks agree; None where too few do."""
    at = new.frames.astype(np.float64)
    agrees = _agreeing(new, old, line)
    first, last = _stretch(new.frames[agrees].astype(np.int64), line)
    inside = (at >= first) & (at <= last)
    mates, of_all = int(agrees[inside].sum()), int(inside.sum())
    seconds = (last - first) / FRAMES_PER_SECOND
    if mates < _MIN_MATES or mates < _MIN_SHARE * of_all or seconds < min_seconds:
        return None
    of_start, of_end = (max(0.0, line.speed * frame + line.offset) / FRAMES_PER_SECOND for frame in (first, last))
    return Match(
        round(first / FRAMES_PER_SECOND, 3),
        round(last / FRAMES_PER_SECOND, 3),
        name,
        round(of_start, 3),
        round(of_end, 3),
        round(mates / of_all, 3),
    )


def _agreeing(new: Landmarks, old: Landmarks, line: _Line) -> npt.NDArray[np.bool_]:
    """Which of the new landmarks have one like them in the old recording where the line says."""
    wanted = line.speed * new.frames.astype(np.float64) + line.offset
    after = np.clip(np.searchsorted(old.frames, wanted), 1, max(1, len(old) - 1))
    agrees = np.zeros(len(new), np.bool_)
    for place in (after - 1, np.minimum(after, len(old) - 1)):
        is_near = np.abs(old.frames[place] - wanted) <= _MATE_FRAMES
        agrees |= is_near & (differing_bits(new.bits, old.bits[place]) <= _MATE_BITS)
    return agrees


def _stretch(mates: Integers, line: _Line) -> tuple[int, int]:
    """From the first to the last mate around the line's own frames that the next is not far from."""
    if not len(mates):
        return line.first, line.first
    breaks = np.flatnonzero(np.diff(mates) > _LINE_GAP)
    groups = np.split(mates, breaks + 1)
    middle = (line.first + line.last) / 2
    nearest = min(groups, key=lambda group: max(group[0] - middle, middle - group[-1], 0))
    return int(nearest[0]), int(nearest[-1])


def _distinct(matches: Iterable[Match]) -> list[Match]:
    """Without those that lie in another of the same place: two chains of one stretch."""
    distinct: list[Match] = []
    for match in sorted(matches, key=lambda match: -match.seconds):
        offset = match.of_start - match.start
        if not any(
            match.start < other.end and other.start < match.end and abs(other.of_start - other.start - offset) < 2.0
            for other in distinct
        ):
            distinct.append(match)
    return distinct


def as_values(match: Match) -> dict[str, Any]:
    """For JSON."""
    return {name: getattr(match, name) for name in ("start", "end", "of", "of_start", "of_end", "share")}
