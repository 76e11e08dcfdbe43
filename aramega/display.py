"""Display: numbers, names and foreign text as people read them: clocks, counts, sizes, and what came from outside.

A file's name, a title in a manifest, a server's reason may hold anything: newlines, terminal escapes, marks that turn
text around. `visible` shows such characters instead of obeying them, `one_line` joins the lines of prose first. HTML
escaping is the template's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LONGEST = 300
"""Characters of one name, title or error that are shown; a header can claim a title of megabytes."""

_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories of what is obeyed rather than seen: controls, formats, lone surrogates, line ends."""
_HARMLESS = {"\u200c", "\u200d"}
"""The joiner and non-joiner, which Persian and Urdu names are spelt with."""


def visible(text: object, most: int = LONGEST) -> str:
    """One line of text in which every control character can be seen and does nothing; at most so many characters."""
    whole = str(text)
    return visible_whole(whole) if len(whole) <= most else f"{visible_whole(whole[:most])}…"


def visible_whole(text: object) -> str:
    """The same of a text of any length, where there is room for it."""
    return "".join(_see(c) for c in str(text))


def one_line(text: object, most: int = LONGEST) -> str:
    """Prose of several lines, an error's or a server's, as one line of visible text."""
    return visible(" ".join(str(text).split()), most)


def _see(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED or character in _HARMLESS:
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)  # the Control Pictures block: ␊ for a newline, ␛ for an escape
    return f"‹U+{code:04X}›"


def amount(seconds: float) -> str:
    """How much sound: hours with three digits at most, minutes below one, seconds below one of those."""
    hours = seconds / 3600
    if seconds < 59.95:
        return f"{seconds:.0f} s" if seconds >= 9.95 or seconds == 0 else f"{seconds:.1f} s"
    if hours < 0.995:
        return f"{seconds / 60:.0f} min" if seconds >= 597 else f"{seconds / 60:.1f} min"
    return f"{hours:,.0f} h" if hours >= 99.95 else f"{hours:.1f} h"


def clock(seconds: float) -> str:
    """A length or a moment: 0:42, 12:05, 1:02:33."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def share(part: float, whole: float) -> str:
    """A percentage that says "<1 %" rather than 0 for a little, and 100 only for all."""
    if whole <= 0 or part <= 0:
        return "0 %"
    percent = 100 * part / whole
    if percent < 1:
        return "<1 %"
    return f"{min(99, round(percent))} %" if part < whole else "100 %"


def count(number: int, noun: str) -> str:
    """`1 file`, `1,204 files`, `2 summaries`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def first_few(names: Sequence[str]) -> str:
    """`a.mp3, b.mp3, c.mp3 and 4 more`."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def size(number: int) -> str:
    """Bytes, in the unit that gives at most three digits before the point."""
    value, unit = float(number), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "bytes" or value >= 99.95 else f"{value:.1f} {unit}"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """A measure with its unit, or a dash where it is unknown."""
    if value is None:
        return "–"
    shown = f"{value:,.{digits}f}"
    return f"{shown}\N{NO-BREAK SPACE}{unit}" if unit else shown
