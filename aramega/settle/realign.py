"""Realign: a corrected transcript goes back to the segments it was heard in.

Annotators correct a passage as one text, but recognizers are trained on segments. Words that the draft and
the correction share are anchors (a longest common subsequence, so that a segment nobody touched keeps all
its words); what lies between two anchors is cut at the segment's edge where the characters of draft and
correction agree best. Where words are simply new there is nothing to compare: they go to the segments in
which nothing had been heard, by their length, else to the neighbour that was changed, else to the slower one.
No word is ever lost, doubled or moved past another. Nothing here listens to the audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rapidfuzz.distance import LCSseq, Levenshtein

from aramega.records import Line, Region, Segment, SettledLine
from aramega.settle.word_diff import LARGEST_ALIGNMENT, word_key

LONGEST_STRETCH = 400
"""Words between two anchors that are still compared letter by letter; beyond, only lengths are. A passage has
300 words at most, so that more is not a correction but another text."""


def spread_transcript(segments: Sequence[Segment], lines: Sequence[Line], text: str) -> tuple[SettledLine, ...]:
    """One settled line a segment; their words, in order, are the words of `text`."""
    heard = _heard(lines)
    spread = spread_words([heard.get(s.id, []) for s in segments], [s.seconds for s in segments], text.split())
    return tuple(SettledLine(s.id, s.start, s.end, " ".join(words)) for s, words in zip(segments, spread, strict=True))


def spread_regions(
    segments: Sequence[Segment], lines: Sequence[Line], regions: Sequence[Region]
) -> tuple[SettledLine, ...]:
    """One settled line a segment, from stretches an annotator moved, split or joined.

    A region belongs to the segments whose middle it covers, else to the one it overlaps most, else to the nearest;
    one that covers several is spread over them. A segment's line runs as long as the regions that are its alone.
    """
    if not segments:
        return ()
    heard = _heard(lines)
    words: dict[str, list[str]] = {s.id: [] for s in segments}
    edges: dict[str, list[float]] = {s.id: [] for s in segments}
    for region in sorted(regions, key=lambda r: (r.start, r.end)):
        homes = _homes(segments, region)
        drafts, lengths = [heard.get(s.id, []) for s in homes], [s.seconds for s in homes]
        for segment, part in zip(homes, spread_words(drafts, lengths, region.text.split()), strict=True):
            words[segment.id] += part
        if len(homes) == 1 and region.text.split():
            edges[homes[0].id] += [region.start, region.end]
    return tuple(
        SettledLine(
            segment=s.id,
            start=min(edges[s.id], default=s.start),
            end=max(edges[s.id], default=s.end),
            text=" ".join(words[s.id]),
        )
        for s in segments
    )


def spread_words(drafts: Sequence[Sequence[str]], lengths: Sequence[float], words: Sequence[str]) -> list[list[str]]:
    """Part `words` among segments of which each had a draft and a length in seconds."""
    if not drafts:
        return []
    if [word for draft in drafts for word in draft] == list(words):  # most drafts stay as they are
        return [list(draft) for draft in drafts]
    heard = [[word_key(word) for word in draft] for draft in drafts]
    corrected = [word_key(word) for word in words]
    anchors = _find_anchors(heard, corrected)
    cuts = [0]
    for number in range(len(drafts) - 1):
        stretch = _stretch_around(anchors, heard, corrected, number=number, at_least=cuts[-1])
        cuts.append(stretch.first + _choose_cut(stretch, _share_on_the_left(stretch, heard, lengths)))
    cuts.append(len(words))
    return [list(words[a:b]) for a, b in pairwise(cuts)]


@dataclass(frozen=True)
class _Anchor:
    """A word that stands in the draft and in the correction."""

    segment: int
    place: int
    """In the draft of its segment."""
    word: int
    """In the correction."""


@dataclass(frozen=True)
class _Stretch:
    """What lies around a segment's end, between the last anchor before it and the first one after."""

    segment: int
    """The one whose end is looked for."""
    last: int
    """The segment of the anchor after."""
    first: int
    """Where `words` begin in the correction."""
    words: Sequence[str]
    left: str
    """Letters of the draft that `words` may stand for, in this segment and in later ones."""
    right: str


def _find_anchors(heard: Sequence[Sequence[str]], corrected: Sequence[str]) -> list[_Anchor]:
    places = [(segment, place) for segment, draft in enumerate(heard) for place in range(len(draft))]
    if len(places) * len(corrected) > LARGEST_ALIGNMENT:
        return []
    steps = LCSseq.opcodes([word for draft in heard for word in draft], corrected)
    return [
        _Anchor(*places[i], j)
        for step in steps
        if step.tag == "equal"
        for i, j in zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
    ]


def _stretch_around(
    anchors: Sequence[_Anchor], heard: Sequence[Sequence[str]], corrected: Sequence[str], *, number: int, at_least: int
) -> _Stretch:
    before = [a for a in anchors if a.segment <= number]
    after = next((a for a in anchors if a.segment > number), _Anchor(len(heard), 0, len(corrected)))
    begin = before[-1].place + 1 if before and before[-1].segment == number else 0
    right = [word for draft in heard[number + 1 : after.segment] for word in draft]
    right += heard[after.segment][: after.place] if after.segment < len(heard) else []
    first = max(at_least, before[-1].word + 1 if before else 0)
    return _Stretch(
        segment=number,
        last=min(after.segment, len(heard) - 1),
        first=first,
        words=corrected[first : after.word],
        left="".join(heard[number][begin:]),
        right="".join(right),
    )


def _choose_cut(stretch: _Stretch, share: float) -> int:
    """How many of the stretch's words are said before the segment's end: as the letters have it and, where they
    leave it open, as near to `share` as words allow."""
    words = stretch.words
    cuts: Sequence[int] = range(len(words) + 1)
    if (stretch.left or stretch.right) and len(words) <= LONGEST_STRETCH:
        costs = [
            Levenshtein.distance(stretch.left, "".join(words[:cut]))
            + Levenshtein.distance(stretch.right, "".join(words[cut:]))
            for cut in cuts
        ]
        least = min(costs)
        cuts = [cut for cut in cuts if costs[cut] == least]
    letters = list(accumulate(map(len, words), initial=0))
    return min(cuts, key=lambda cut: abs(letters[cut] - share * letters[-1]))


def _share_on_the_left(stretch: _Stretch, heard: Sequence[Sequence[str]], lengths: Sequence[float]) -> float:
    """How much of a stretch belongs before the segment's end, where its letters don't tell."""
    number = stretch.segment
    silent = {s: lengths[s] for s in range(number, stretch.last + 1) if not heard[s]}
    if silent:
        return silent.get(number, 0.0) / (sum(silent.values()) or 1.0)
    if stretch.left or stretch.right:
        return len(stretch.left) / len(stretch.left + stretch.right)
    paces = [sum(map(len, heard[s])) / max(lengths[s], 1e-3) for s in (number, number + 1)]
    return 1.0 if paces[0] <= paces[1] else 0.0


def _homes(segments: Sequence[Segment], region: Region) -> list[Segment]:
    """The segments a region speaks for: never none, and in order for regions in order."""
    covered = [s for s in segments if region.start <= (s.start + s.end) / 2 < region.end]
    if covered:
        return covered
    overlaps = [min(s.end, region.end) - max(s.start, region.start) for s in segments]  # negative: how far away
    return [segments[overlaps.index(max(overlaps))]]


def _heard(lines: Sequence[Line]) -> dict[str, list[str]]:
    heard: dict[str, list[str]] = {}
    for line in lines:
        heard.setdefault(line.segment, []).extend(line.text.split())
    return heard
