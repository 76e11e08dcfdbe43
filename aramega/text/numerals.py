"""Numbers in Arabic text, whether written in Arabic-Indic, Persian or European digits or in words.

A summary's numbers are compared with its transcript's: «25», «٢٥» and «خمسة وعشرون» are the same number,
and so are «3.5 مليون» and «3,500,000». Words are read by Arabic's own grammar: units before tens joined by
و, hundreds and scales multiplying what stands before them, parts in falling order. What it doesn't read:
ordinals, fractions other than a half after a scale, and the numbers hidden in dual nouns (كتابان).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from aramega.text.normalization import european_digits
from aramega.text.word_lists import loose_spelling

_DIGITS = re.compile(r"\d{1,3}(?:[,٬]\d{3})+(?:[.٫]\d+)?|\d+(?:[.٫]\d+)?")
_TOKEN = re.compile(rf"(?P<digits>{_DIGITS.pattern})|(?P<word>[^\W\d_]+)|(?P<stop>[^\w\s])")


_UNITS = {
    1: "واحد واحدة",
    2: "اثنان اثنين اثنتان اثنتين",
    3: "ثلاثة ثلاث",
    4: "أربعة أربع",
    5: "خمسة خمس",
    6: "ستة ست",
    7: "سبعة سبع",
    8: "ثمانية ثماني ثمان",
    9: "تسعة تسع",
    10: "عشرة عشر",
}
_TENS = {20: "عشر", 30: "ثلاث", 40: "أربع", 50: "خمس", 60: "ست", 70: "سبع", 80: "ثمان", 90: "تسع"}
_HUNDREDS = {3: "ثلاث", 4: "أربع", 5: "خمس", 6: "ست", 7: "سبع", 8: "ثمان", 9: "تسع"}
_SCALES = {
    1_000: "ألف آلاف ألفا ألوف",
    1_000_000: "مليون ملايين مليونا",
    1_000_000_000: "مليار مليارات مليارا بليون",
    1_000_000_000_000: "تريليون تريليونات تريليونا",
}
_TWO_SCALES = {
    1_000: "ألفان ألفين ألفي",
    1_000_000: "مليونان مليونين مليوني",
    1_000_000_000: "ملياران مليارين ملياري",
}

_SMALL = {
    **{loose_spelling(form): value for value, forms in _UNITS.items() for form in forms.split()},
    **{loose_spelling(stem + end): value for value, stem in _TENS.items() for end in ("ون", "ين")},
}
_HUNDRED = {
    **{loose_spelling(form): 100 for form in ("مئة", "مائة", "مية", "مئات")},
    **{loose_spelling(form): 200 for form in ("مئتان", "مئتين", "مئتي", "مائتان", "مائتين", "مائتي", "ميتين")},
    **{loose_spelling(stem + end): value * 100 for value, stem in _HUNDREDS.items() for end in ("مئة", "مائة", "مية")},
}
_SCALE = {loose_spelling(form): value for value, forms in _SCALES.items() for form in forms.split()}
_TWO_SCALE = {loose_spelling(form): 2 * value for value, forms in _TWO_SCALES.items() for form in forms.split()}
_ELEVEN = {
    loose_spelling(form): value
    for value, forms in {1: "أحد إحدى", 2: "اثنا اثني اثنتا اثنتي"}.items()
    for form in forms.split()
}
_TEN = {loose_spelling("عشر"), loose_spelling("عشرة")}
_HALF = loose_spelling("نصف")
_KNOWN = {*_SMALL, *_HUNDRED, *_SCALE, *_TWO_SCALE, *_ELEVEN, _HALF}


def numbers(text: str) -> list[float]:
    """Every number in `text`, in order of appearance, as its value."""
    return list(_read(_tokens(text)))


def _tokens(text: str) -> Iterator[tuple[str, bool, float | None]]:
    """(folded word, whether و joins it to what came before, value of digits); marks end a number."""
    tokens = list(_TOKEN.finditer(european_digits(text)))
    folded = [loose_spelling(token["word"] or "") for token in tokens]
    for i, (token, word) in enumerate(zip(tokens, folded, strict=True)):
        if token["digits"]:
            yield "", False, float(re.sub("[,٬]", "", token["digits"]).replace("٫", "."))
        elif token["stop"]:
            yield "", False, None
        elif word == "واحد" and folded[i + 1 : i + 2] in ([ten] for ten in _TEN):
            # Without their hamza, "and eleven" (وأحد عشر) begins like "one" (واحد).
            yield "احد", True, None
        else:
            # "واحد" is a word of its own; "وخمسة" is "and five".
            joined = word.startswith("و") and word not in _KNOWN
            bare = word[1:] if joined else word
            yield next((w for w in _without_prefix(bare) if w in _KNOWN), bare), joined, None


def _without_prefix(word: str) -> Iterator[str]:
    yield word
    for prefix in ("ال", "بال", "لل", "ب", "ل", "ف", "ك"):
        if word.startswith(prefix):
            yield word.removeprefix(prefix)


def _read(tokens: Iterator[tuple[str, bool, float | None]]) -> Iterator[float]:
    number = _Number()
    for word, joined, digits in tokens:
        if digits is None and number.takes(word, joined):
            continue
        if number.begun:
            yield number.value
        number = _Number()
        if digits is not None:
            number.start(digits)
        else:
            number.takes(word, joined)
    if number.begun:
        yield number.value


class _Number:
    """A number being read: finished scales in `total`, what is below the next scale in `current`."""

    def __init__(self) -> None:
        self.total = 0.0
        self.current = 0.0
        self.scale = float("inf")
        self.eleven = 0
        self.begun = False
        self.digits = False

    @property
    def value(self) -> float:
        return self.total + self.current

    def start(self, value: float) -> None:
        self.current, self.begun, self.digits = value, True, True

    def takes(self, word: str, joined: bool) -> bool:
        """Read `word` as the next part of this number, or say that it isn't one."""
        if self.eleven or word in _ELEVEN:
            return self._take_teen(word, joined)
        if word == _HALF:
            return self._take_half(joined)
        if word in _SCALE or word in _TWO_SCALE:
            return self._take_scale(word, joined)
        if self.digits or (word not in _SMALL and word not in _HUNDRED):
            return False
        if word in _HUNDRED:
            return self._take_hundred(_HUNDRED[word], joined)
        return self._take_small(_SMALL[word], word, joined)

    def _take_teen(self, word: str, joined: bool) -> bool:
        if not self.eleven:
            if self.digits or (self.begun and not (joined and self.current % 100 == 0)):
                return False
            self.eleven = _ELEVEN[word]
            return True
        unit, self.eleven = self.eleven, 0
        if word in _TEN and not joined:
            self.current, self.begun = self.current + unit + 10, True
            return True
        return False

    def _take_half(self, joined: bool) -> bool:
        if not (joined and self.begun and self.current == 0 and self.total and self.scale < float("inf")):
            return False
        self.total, self.scale = self.total + self.scale / 2, 0.0
        return True

    def _take_scale(self, word: str, joined: bool) -> bool:
        two = word in _TWO_SCALE
        scale = _TWO_SCALE[word] / 2 if two else _SCALE[word]
        multiplies = self.begun and not joined and self.current > 0 and not two
        if self.begun and not (multiplies or (joined and self.current == 0)):
            return False
        if scale >= self.scale:
            return False
        count = self.current if multiplies else 2 if two else 1
        self.total, self.current, self.scale, self.begun, self.digits = (
            self.total + count * scale,
            0.0,
            scale,
            True,
            False,
        )
        return True

    def _take_hundred(self, value: int, joined: bool) -> bool:
        if value == 100 and not joined and 3 <= self.current % 1000 < 10:
            self.current *= 100
            return True
        if self.begun and not (joined and self.current == 0):
            return False
        self.current, self.begun = self.current + value, True
        return True

    def _take_small(self, value: int, word: str, joined: bool) -> bool:
        ones = self.current % 100
        if word in _TEN and self.begun and not joined and 3 <= ones < 10:
            self.current += 10
            return True
        free = ones == 0 or (0 < ones < 10 and value >= 20)
        if self.begun and not (joined and free):
            return False
        self.current, self.begun = self.current + value, True
        return True
