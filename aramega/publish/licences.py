"""Licences: what the recordings' licences allow of the set as a whole.

Cutting a broadcast into clips and writing summaries of it makes adapted material, in Creative Commons'
words. So NoDerivatives can't be published at all; ShareAlike and NonCommercial bind what they are mixed
with; and ShareAlike can't be mixed with NonCommercial, for the one forbids adding a restriction that the
other demands. Anything that is not Creative Commons we can't judge: it makes the set's licence `other`,
and the row's own licence is in its `licence` column. This is a guard against mistakes, not legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from aramega.display import first_few
from aramega.records import AramegaError

UNKNOWN, OTHER = "unknown", "other"

# What a set of these kinds is under as a whole; by the letters after "cc-by", "" for plain BY.
_STRICTER = {"0": 0, "by": 1, "by-nc": 2, "by-sa": 2, "by-nc-sa": 3}
CANT_BE_MIXED = (("by-sa", "by-nc"), ("by-sa", "by-nc-sa"))

_SPELLINGS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/licen[sc]es/(?P<url>[a-z-]+)/(?P<v>[\d.]+).*"
    r"|(?:https?://)?(?:www\.)?creativecommons\.org/publicdomain/zero/(?P<zero>[\d.]+).*"
    r"|cc[ -]?0(?:[ -]?(?P<cc0>\d\.\d))?"
    r"|cc[ -](?P<kind>by(?:[ -](?:nc|nd|sa))*)(?:[ -]v?(?P<version>\d(?:\.\d)?))?(?P<ported>[ -].*)?",
)


def spdx_like(name: str) -> str:
    """The Hub's name for a Creative Commons licence, however it was written; anything else as it is, in lower case."""
    text = " ".join(name.split()).casefold()
    match = _SPELLINGS.fullmatch(text)
    if not text:
        return UNKNOWN
    if not match:
        return text
    if match["zero"] or text.startswith(("cc0", "cc-0", "cc 0")):
        return f"cc0-{match['zero'] or match['cc0'] or '1.0'}"
    kind = (match["url"] or match["kind"]).replace(" ", "-")
    version = match["v"] or match["version"] or "4.0"
    return f"cc-{kind}-{version if '.' in version else version + '.0'}"


def check_licences(recordings: Mapping[str, Sequence[str]], claimed: str) -> str:
    """The licence of a set with recordings under these licences (name → who), or what keeps it from being published.

    `claimed` is the licence the curator says it has, which must not allow more than the recordings do.
    """
    named = {name: sorted(who) for name, who in recordings.items()}
    forbidden = [name for name in sorted(named) if "-nd" in name]
    if forbidden:
        raise AramegaError(
            f"{forbidden[0]} forbids derivatives, and clips with summaries are: {first_few(named[forbidden[0]])}. "
            f"{_leave_out(named, forbidden)}"
        )
    kinds = {_kind(name): name for name in sorted(named)}
    for first, second in CANT_BE_MIXED:
        if first in kinds and second in kinds:
            first_licence, second_licence = kinds[first], kinds[second]
            raise AramegaError(
                f"{first_licence} and {second_licence} can't be mixed in one set, for ShareAlike forbids to add NonCommercial: "
                f"{first_few(named[first_licence])} and {first_few(named[second_licence])}. {_leave_out(named, [second_licence])}"
            )
    strictest = _strictest(named)
    if claimed:
        _check_claim(spdx_like(claimed), strictest, named)
        return spdx_like(claimed)
    return strictest


def _check_claim(claimed: str, strictest: str, named: Mapping[str, Sequence[str]]) -> None:
    ours, theirs = _kind(claimed), _kind(strictest)
    if ours in _STRICTER and theirs in _STRICTER:
        binding = {"nc", "sa"} & set(theirs.split("-")) - set(ours.split("-"))
        if binding or _STRICTER[ours] < _STRICTER[theirs]:
            raise AramegaError(
                f"publish.licence says {claimed}, but {first_few(named[strictest])} "
                f"is under {strictest}, which allows less. {_leave_out(named, [strictest])}"
            )


def _strictest(named: Iterable[str]) -> str:
    licences = sorted(set(named) - {UNKNOWN})
    if len(licences) < len(set(named)):
        return UNKNOWN
    if any(_kind(name) not in _STRICTER for name in licences):
        return licences[0] if len(licences) == 1 else OTHER
    return max(licences, key=lambda name: (_STRICTER[_kind(name)], name), default=UNKNOWN)


def _kind(name: str) -> str:
    match = re.fullmatch(r"cc-?(0|by[a-z-]*)-[\d.]+", name)
    return match[1] if match else name


def _leave_out(named: Mapping[str, Sequence[str]], bad: Iterable[str]) -> str:
    good = [name for name in sorted(named) if name not in set(bad) and "-nd" not in name]
    if not good:
        return "Correct the manifest's licence column if that is wrong."
    return f"Leave them out: --licences {','.join(good)}; or correct the manifest's licence column."
