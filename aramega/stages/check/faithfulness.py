"""How a summary stands to its transcript: what is copied, what is new, what was never said.

Coverage and density are Newsroom's (Grusky et al. 2018): the summary is read as the fewest stretches
copied from the transcript, found greedily, the longest at each place. Words are compared by the `asr`
profile, so a hamza does not make a word new.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from aramega.text import normalize, numbers

_PERCENT = re.compile(r"(?:في|ب)\s?ال?(?:مئة|مائة|ميه)|بالمئة|بالمائة|[%٪]")
_LATIN = re.compile(r"[A-Za-z][A-Za-z'’.-]*[A-Za-z]|[A-Z]")


def copied_stretches(transcript: Sequence[str], summary: Sequence[str]) -> list[int]:
    """The lengths of the stretches of the summary that stand in the transcript, word for word."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, word in enumerate(transcript):
        places[word].append(i)
    lengths, at = [], 0
    while at < len(summary):
        longest = max((_common(transcript, i, summary, at) for i in places.get(summary[at], ())), default=0)
        if longest:
            lengths.append(longest)
        at += max(1, longest)
    return lengths


def coverage_and_density(transcript: Sequence[str], summary: Sequence[str]) -> tuple[float | None, float | None]:
    """Share of the summary's words that are copied, and the mean squared length of the copies."""
    if not summary:
        return None, None
    lengths = copied_stretches(transcript, summary)
    return sum(lengths) / len(summary), sum(n * n for n in lengths) / len(summary)


def novel_bigrams(transcript: Sequence[str], summary: Sequence[str]) -> float | None:
    """Share of the summary's pairs of neighbours that the transcript does not have."""
    spoken = set(pairwise(transcript))
    written = list(pairwise(summary))
    return sum(pair not in spoken for pair in written) / len(written) if written else None


def unsupported_numbers(transcript: str, summary: str) -> tuple[str, ...]:
    """Numbers of the summary that were not said, whether in digits or in words."""
    spoken = set(numbers(_PERCENT.sub(" ", transcript)))
    return tuple(dict.fromkeys(f"{n:g}" for n in numbers(_PERCENT.sub(" ", summary)) if n not in spoken))


def unsupported_names(transcript: str, summary: str) -> tuple[str, ...]:
    """Latin words of the summary that were not said; Arabic names can't be told from other words this way."""
    spoken = {name.lower() for name in _LATIN.findall(transcript)}
    return tuple(dict.fromkeys(name for name in _LATIN.findall(summary) if name.lower() not in spoken))


def plain_words(text: str) -> list[str]:
    return normalize(text, "asr").split()


def _common(first: Sequence[str], i: int, second: Sequence[str], j: int) -> int:
    """How many words are the same from `i` in the first and from `j` in the second on."""
    n = 0
    while i + n < len(first) and j + n < len(second) and first[i + n] == second[j + n]:
        n += 1
    return n
