"""Queries: what a person typed and chose, as conditions on entries.

Text is folded by the `asr` profile before it is looked for, as everything indexed was. A word is found in
any passage that holds it, with the small words that Arabic writes onto it (و ف ب ك ل س and the article) and
with any ending; a phrase in quotes is found as it stands. `fold.js` says the same in the browser.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from aramega.records import AramegaError
from aramega.text import normalize

PROCLITICS = (
    *("", "ال", "و", "وال", "ف", "فال", "ب", "بال", "وب", "وبال"),
    *("ل", "لل", "ول", "ولل", "ك", "كال", "س", "وس"),
)
SHORTEST_OPEN = 3
"""Letters from which on a word is also found inside a longer one: في would be in a third of all words."""
SORTS = ("place", "score", "changed", "seconds", "priority")
FILTERS = ("dialect", "emotion", "decision", "verified", "split")
LARGEST_PAGE = 200

# What a keyboard of either language has for quotes.
_QUOTES = str.maketrans("“”„«»″", '""""""')
_PHRASE = re.compile(r'"([^"]*)"?')


@dataclass(frozen=True)
class Wanted:
    """Words and phrases, folded: all of them must be there."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    """A filter's name → the value it must have; the empty string is a value (no dialect known)."""
    low: float | None = None
    high: float | None = None
    """Bounds of the score; an entry without a score is in none."""
    sort: str = "place"
    down: bool = False
    first: int = 0
    count: int = 50


def fold(text: str) -> str:
    """What is compared of a text: equal for two spellings of the same words."""
    return normalize(text, "asr").lower()


def read_text(text: str) -> Wanted:
    """The words and the quoted phrases of a search; an open quote runs to the end, as while one types."""
    text = text.translate(_QUOTES)
    phrases = tuple(filter(None, (fold(phrase) for phrase in _PHRASE.findall(text))))
    return Wanted(tuple(fold(_PHRASE.sub(" ", text)).split()), phrases)


def read_query(parameters: Mapping[str, str]) -> Query:
    """A query from the parameters of an address; whatever makes no sense is an error and not ignored."""
    sort = parameters.get("sort", "place")
    if sort not in SORTS:
        raise AramegaError(f"sort={sort}: there is no such order. There are: {', '.join(SORTS)}.")
    return Query(
        text=parameters.get("q", "")[:1000],
        chosen={name: parameters[name] for name in FILTERS if name in parameters},
        low=_number(parameters, "low"),
        high=_number(parameters, "high"),
        sort=sort,
        down=parameters.get("down") == "1",
        first=_whole(parameters, "first", 0),
        count=min(LARGEST_PAGE, _whole(parameters, "count", 50)),
    )


def _number(parameters: Mapping[str, str], name: str) -> float | None:
    try:
        return float(parameters[name]) if parameters.get(name) else None
    except ValueError:
        raise AramegaError(f"{name}={parameters[name]}: is not a number.") from None


def _whole(parameters: Mapping[str, str], name: str, usual: int) -> int:
    given = parameters.get(name, str(usual))
    # isdecimal alone would let the digits of any script in, and numbers too long for SQLite.
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise AramegaError(f"{name}={given}: is not a whole number.")
    return int(given)
