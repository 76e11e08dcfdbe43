"""Doubts: why a line may not be what was said.

Whisper fails in known ways: it repeats itself, it fills silence with what it has read under many videos,
it writes more than a mouth can say. Each is only named here; what becomes of it, the check stage decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from aramega.text import compression_ratio, normalize

# Written under thousands of the videos Whisper learned from, and so what it hears in music and silence. Gathered from
# reports of Arabic hallucinations; compared after normalization, so spelling variants count.
PHANTOMS = (
    "ترجمة نانسي قنقر",
    "نانسي قنقر",
    "اشتركوا في القناة",
    "اشترك في القناة",
    "لا تنسوا الاشتراك في القناة",
    "لا تنسى الاشتراك في القناة",
    "شكرا على المشاهدة",
    "شكرا للمشاهدة",
    "شكرا لكم على المشاهدة",
    "شكرا لمشاهدتكم",
    "شكرا على حسن المتابعة",
    "نلتقي في الفيديو القادم",
    "إلى اللقاء في الفيديو القادم",
    "ترجمة وتدقيق",
    "تمت الترجمة بواسطة",
    "ترجمة مجتمع",
    "موسيقى",
    "Subtitles by the Amara.org community",
    "ترجمة Amara.org",
    "Thanks for watching",
    "Thank you for watching",
    "Please subscribe",
)
_SHORT = 3
"""A phantom of fewer words than this is one only where it is all that was heard: music is also spoken of."""

FASTEST, SLOWEST = 28.0, 2.0
"""Characters a second outside which nobody speaks: quick Arabic news runs at 15 to 20."""
_DRAWN_OUT, _SURE = 2.5, -0.5
"""Letters a second, and a mean log-probability, below which a line is hardly speech: of 66 lines that Whisper base wrote
of music, melodic recitation and noise, 36 were so, and of 213 true ones none."""
_LOOPS = {1: 5, 2: 4, 3: 4, 4: 3, 5: 3, 6: 3, 7: 3, 8: 3}
"""How often in a row a run of so many words must come to be a loop: emphasis says a word three times."""


def doubts(
    text: str,
    seconds: float,
    *,
    avg_logprob: float | None = None,
    no_speech: float | None = None,
    min_logprob: float = -1.0,
    max_no_speech: float = 0.6,
    max_compression_ratio: float = 2.4,
) -> tuple[str, ...]:
    """The reasons to doubt that `text` is what was said in `seconds` of speech."""
    if not text:
        return ("nothing heard",)
    reasons = []
    if is_loop(text, max_compression_ratio):
        reasons.append("loop")
    if is_phantom(text):
        reasons.append("phantom")
    rate = len(text) / seconds if seconds else 0.0
    if rate > FASTEST:
        reasons.append("too fast")
    if rate < SLOWEST:
        reasons.append("too slow")
    unsure = avg_logprob is not None and avg_logprob < min_logprob
    if unsure and no_speech is not None and no_speech > max_no_speech:
        reasons.append("no speech")
    elif unsure:
        reasons.append("unsure")
    return tuple(reasons)


def is_drawn_out(text: str, seconds: float, avg_logprob: float | None) -> bool:
    """Whether a line has fewer letters than speech of that length, and a recognizer that is not sure of them: what it
    makes of singing, recitation and music."""
    return bool(text) and avg_logprob is not None and avg_logprob < _SURE and len(text) < _DRAWN_OUT * seconds


def is_phantom(text: str, own: tuple[str, ...] = ()) -> bool:
    """Whether a line is, or ends in, something Whisper says by itself; `own` are a team's, beside the known ones."""
    spoken = normalize(text, "asr").lower().split()
    return any(_is_all(spoken, phantom) or _ends_in(spoken, phantom) for phantom in _normalized_phantoms(own))


def is_loop(text: str, max_compression_ratio: float = 2.4) -> bool:
    """Whether the text says the same few words again and again."""
    if compression_ratio(text) > max_compression_ratio:
        return True
    words = normalize(text, "asr").split()
    return any(_repeats(words, length, often) for length, often in _LOOPS.items())


def _repeats(words: Sequence[str], length: int, often: int) -> bool:
    """Whether some run of `length` words comes `often` times in a row."""
    same = 0
    for i in range(length, len(words)):
        same = same + 1 if words[i] == words[i - length] else 0
        if same >= length * (often - 1):
            return True
    return False


@cache
def _normalized_phantoms(own: tuple[str, ...]) -> list[list[str]]:
    normalized = [normalize(phantom, "asr").lower().split() for phantom in (*PHANTOMS, *own)]
    return [phantom for phantom in normalized if phantom]


def _is_all(spoken: Sequence[str], phantom: Sequence[str]) -> bool:
    """All of it, perhaps said several times."""
    times, rest = divmod(len(spoken), len(phantom))
    return times > 0 and rest == 0 and list(spoken) == list(phantom) * times


def _ends_in(spoken: Sequence[str], phantom: Sequence[str]) -> bool:
    return len(phantom) >= _SHORT and list(spoken[-len(phantom) :]) == list(phantom)
