"""Normalization: what is cleaned from every text on its way in, and what is folded before texts are compared.

`clean` makes text safe to store and show: no bidirectional controls (they flip whole lines of an
annotation page and survive copy and paste), no tatweel, no zero-width characters, no presentation forms,
one kind of space. `normalize` folds further, by a named profile, for comparison only:

- `none`: the text as it is;
- `light`: cleaned, without diacritics, European digits. Punctuation and hamzas stay;
- `asr`: the rules of the Open Universal Arabic ASR Leaderboard: punctuation and diacritics out, hamza
  carriers to their bare letters, پ ڤ to ب ف, European digits, a lone و joined to the next word. Alef maksura
  and ta marbuta stay: the leaderboard leaves them, and to fold them would hide real errors.

Every profile is idempotent. Deletion and folding are compiled character classes and `str.replace`, which stay
in C for a whole string; `benchmarks/text_metrics.py` compares them with a chain of `re.sub` and with camel-tools.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

# Marks that are read, not letters: harakat and tanwin, shadda, sukun, dagger alef, combining hamzas and
# maddas, honorifics, and the Quran's small signs (without U+06DD and U+06DE, which are symbols).
DIACRITICS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
# Control characters but tab and line ends; bidi marks, embeddings, isolates; zero-width space and joiners;
# word joiner and invisible operators; soft hyphen; byte-order mark; tatweel; halves of characters, which JSON can
# hold and nothing can store.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u0640\ud800-\udfff]"
)
_DIACRITICS = re.compile(f"[{DIACRITICS}]")
_MOST_MARKS = 30
"""On one letter, as in Unicode's stream-safe format (UAX 15): to normalize takes the square of their number, and
100,000 on one letter took 21 s."""
_PILED = re.compile(rf"[^\w\s]{{{_MOST_MARKS + 1},}}")
# Presentation forms (text pulled from PDFs and old subtitles) have canonical letters under NFKC, and so have
# the vertical and small forms of punctuation that lie between the two Arabic blocks.
_PRESENTATION = re.compile("[\ufb50-\ufefc]+")
_BARE = {"آ": "ا", "أ": "ا", "إ": "ا", "ؤ": "و", "ئ": "ي", "ء": "", "پ": "ب", "ڤ": "ف", "ٱ": "ا"}
_DIGITS = {
    **{chr(0x0660 + i): str(i) for i in range(10)},
    **{chr(0x06F0 + i): str(i) for i in range(10)},
}
_ANY_DIGIT = re.compile("[\u0660-\u0669\u06f0-\u06f9]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_LONE_WAW = re.compile(r"(?<!\S)و\s+(?=\S)")


def clean(text: str) -> str:
    """`text` without what nobody typed on purpose; line breaks become spaces."""
    text = _PILED.sub(_unpile, _INVISIBLE.sub("", text))
    text = _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKC", match[0]).replace("\u0640", ""), text)
    # NFC last: to take a tatweel out from between a letter and its mark may let the two compose.
    return _fold_spaces(unicodedata.normalize("NFC", text))


def strip_diacritics(text: str) -> str:
    return _DIACRITICS.sub("", text)


def european_digits(text: str) -> str:
    """Arabic-Indic and Persian digits as 0 to 9."""
    if _ANY_DIGIT.search(text):
        for digit, european in _DIGITS.items():
            text = text.replace(digit, european)
    return text


def _unpile(match: re.Match[str]) -> str:
    """Without the marks that no letter can carry."""
    characters, pile = [], 0
    for character in match[0]:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile <= _MOST_MARKS:
            characters.append(character)
    return "".join(characters)


def _keep(text: str) -> str:
    return text


def _light(text: str) -> str:
    return clean(european_digits(strip_diacritics(clean(text))).replace("ٱ", "ا"))


def _asr(text: str) -> str:
    text = european_digits(strip_diacritics(clean(text)))
    for letter, bare in _BARE.items():
        text = text.replace(letter, bare)
    text = _ASTRAL.sub(_unless_sign, _signs().sub("", text))
    # Without the sign between them a letter and a mark may compose, and words may part further.
    return _LONE_WAW.sub("و", _fold_spaces(unicodedata.normalize("NFC", text)))


def _fold_spaces(text: str) -> str:
    return " ".join(text.split())


PROFILES: dict[str, Callable[[str], str]] = {"none": _keep, "light": _light, "asr": _asr}


def normalize(text: str, profile: str) -> str:
    """`text` under a named profile."""
    if profile not in PROFILES:
        raise ValueError(f"no normalization profile is called {profile!r}. Known: {', '.join(PROFILES)}.")
    return PROFILES[profile](text)


@cache
def _signs() -> re.Pattern[str]:
    """Punctuation and symbols (Unicode P and S) of the basic plane: one bitmap for the regex engine.

    With the other planes in it the class would be a list of spans, searched one by one for every letter:
    some forty times slower.
    """
    signs = "".join(char for char in map(chr, range(0x10000)) if _is_sign(char))
    return re.compile(f"[{re.escape(signs)}]+")


def _is_sign(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"


def _unless_sign(match: re.Match[str]) -> str:
    """A character beyond the basic plane, unless it is a sign such as an emoji."""
    return "" if _is_sign(match[0]) else match[0]
