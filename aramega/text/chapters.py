"""Chapters without a model: neighbouring passages that speak of the same things, under the most central one's title.

We begin with a chapter for each passage and join the two neighbours that are most alike, until none are alike
enough and there are few enough; a kind of TextTiling, from below.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from aramega.text.extractive import Floats, centrality, similarities

ALIKE = 0.2
"""Cosine of two neighbours' tf-idf from which they belong together whatever their number."""


def find_chapters(texts: Sequence[str], most: int) -> list[range]:
    """Runs of passages, given what each says; all passages are in one, in order."""
    if not texts:
        return []
    near = similarities(texts)
    chapters = [range(i, i + 1) for i in range(len(texts))]
    while len(chapters) > 1:
        alike = [_likeness(near, a, b) for a, b in pairwise(chapters)]
        best = int(np.argmax(alike))
        if len(chapters) <= most and alike[best] < ALIKE:
            break
        chapters[best : best + 2] = [range(chapters[best].start, chapters[best + 1].stop)]
    return chapters


def most_central(texts: Sequence[str], chapter: range) -> int:
    """The passage of a chapter that says most of what the others say."""
    inside = [texts[i] for i in chapter]
    return chapter[int(np.argmax(np.round(centrality(similarities(inside)), 9)))]


def _likeness(near: Floats, a: range, b: range) -> float:
    """Mean over the passages of both, so that a long chapter doesn't draw everything in by one of its passages."""
    return float(near[a.start : a.stop, b.start : b.stop].mean())
