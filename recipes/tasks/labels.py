"""Labels: the classes a discriminative task answers with, and every name they go by.

An inventory is configuration: a label has a code (what datasets and confusion matrices hold), an English
and an Arabic name (what models write), other names they may use, and for countries the region they lie
in. From it we write targets, list the choices in instructions, read free answers back, and say which
label was meant when a dataset holds one we don't know. Dialects come on two levels, regions (MSA, EGY,
LEV, GLF, NOR) and ADI-17's seventeen countries; a country can be folded into its region, never the reverse.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

LabelLanguage = Literal["en", "ar", "code"]


class Label(BaseModel):
    """One class: its code, its names in English and Arabic, and for a country its region."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    english: str
    arabic: str
    also: tuple[str, ...] = ()
    """Other names an answer or a dataset may use: spellings, nationalities, ISO codes."""
    region: str = ""
    """For a country: the code of the label it folds into (its own, for one that is region and country at once)."""

    @property
    def folds(self) -> bool:
        return self.region not in ("", self.code)

    @property
    def names(self) -> tuple[str, ...]:
        return (self.code, self.english, self.arabic, *self.also)

    def written(self, language: LabelLanguage) -> str:
        return {"en": self.english, "ar": self.arabic, "code": self.code}[language]


class Inventory(BaseModel):
    """The labels of one task, in the order confusion matrices show them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[Label, ...]

    @model_validator(mode="after")
    def _check(self) -> Inventory:
        codes = [label.code for label in self.labels]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"label codes given twice: {', '.join(twice)}")
        lost = sorted({label.region for label in self.labels if label.region} - set(codes))
        if lost:
            raise ValueError(f"regions that are no labels themselves: {', '.join(lost)}")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(label.code for label in self.labels)

    def regions(self) -> Inventory:
        """The same labels with every country folded into its region, whose names then include its own."""
        return Inventory(labels=tuple(self._with_countries(label) for label in self.labels if not label.folds))

    def countries(self) -> Inventory:
        """Countries, and the regions that have no country of their own to stand for them (MSA)."""
        folded = {label.region for label in self.labels if label.region}
        labels = (label for label in self.labels if label.region or label.code not in folded)
        return Inventory(labels=tuple(label.model_copy(update={"region": ""}) for label in labels))

    def find(self, name: str) -> Label | None:
        """The label that goes by `name`, whatever its case; where two share a name, the one whose code it is."""
        return self._by_name.get(name.strip().casefold())

    def nearest(self, name: str) -> str:
        """The code of the label whose name looks most like `name`, or nothing."""
        owner = {n.casefold(): label.code for label in self.labels for n in label.names}
        close = difflib.get_close_matches(name.casefold(), owner, n=1)
        return owner[close[0]] if close else ""

    @cached_property
    def _by_name(self) -> dict[str, Label]:
        named: dict[str, Label] = {label.code.casefold(): label for label in reversed(self.labels)}
        for label in self.labels:
            for name in label.names:
                named.setdefault(name.casefold(), label)
        return named

    def _with_countries(self, region: Label) -> Label:
        inside = (label for label in self.labels if label.folds and label.region == region.code)
        names = (name for label in inside for name in label.names)
        also = tuple(dict.fromkeys(n for n in (*region.also, *names) if n not in region.names[:3]))
        return region.model_copy(update={"also": also, "region": ""})


def _labels(rows: Iterable[tuple[str, str, str, str, str]]) -> Inventory:
    return Inventory(
        labels=tuple(
            Label(code=code, english=english, arabic=arabic, also=tuple(filter(None, also.split("|"))), region=region)
            for code, english, arabic, also, region in rows
        )
    )


DIALECTS = _labels(
    [
        ("MSA", "Modern Standard Arabic", "العربية الفصحى", "Standard Arabic|Fusha|الفصحى|فصحى|الفصحى الحديثة|عربية فصحى", ""),
        ("EGY", "Egyptian", "المصرية", "Egyptian Arabic|Egypt|EG|Masri|مصري|مصرية|مصر", "EGY"),
        ("LEV", "Levantine", "الشامية", "Levantine Arabic|Levant|Shami|شامي|شامية|الشام", ""),
        ("GLF", "Gulf", "الخليجية", "Gulf Arabic|Khaleeji|Khaliji|خليجي|خليجية|الخليج", ""),
        ("NOR", "Maghrebi", "المغاربية", "North African|North Africa|Maghreb|Magharebi|مغاربي|مغاربية|شمال أفريقيا", ""),
        ("SUD", "Sudanese", "السودانية", "Sudan|SD|سوداني|سودانية|السودان", "EGY"),
        ("JOR", "Jordanian", "الأردنية", "Jordan|JO|أردني|أردنية|الأردن", "LEV"),
        ("LEB", "Lebanese", "اللبنانية", "Lebanon|LB|LBN|لبناني|لبنانية|لبنان", "LEV"),
        ("PAL", "Palestinian", "الفلسطينية", "Palestine|PS|PSE|فلسطيني|فلسطينية|فلسطين", "LEV"),
        ("SYR", "Syrian", "السورية", "Syria|SY|سوري|سورية|سوريا", "LEV"),
        ("IRA", "Iraqi", "العراقية", "Iraq|IQ|IRQ|عراقي|عراقية|العراق", "GLF"),
        ("KSA", "Saudi", "السعودية", "Saudi Arabian|Saudi Arabia|SA|SAU|سعودي|سعودية", "GLF"),
        ("KUW", "Kuwaiti", "الكويتية", "Kuwait|KW|KWT|كويتي|كويتية|الكويت", "GLF"),
        ("OMA", "Omani", "العمانية", "Oman|OM|OMN|عماني|عمانية|عمان", "GLF"),
        ("QAT", "Qatari", "القطرية", "Qatar|QA|قطري|قطرية|قطر", "GLF"),
        ("UAE", "Emirati", "الإماراتية", "Emirates|AE|إماراتي|إماراتية|الإمارات", "GLF"),
        ("YEM", "Yemeni", "اليمنية", "Yemen|YE|يمني|يمنية|اليمن", "GLF"),
        ("ALG", "Algerian", "الجزائرية", "Algeria|DZ|DZA|جزائري|جزائرية|الجزائر", "NOR"),
        ("LIB", "Libyan", "الليبية", "Libya|LY|LBY|ليبي|ليبية|ليبيا", "NOR"),
        ("MAU", "Mauritanian", "الموريتانية", "Mauritania|MR|MRT|Hassaniya|موريتاني|موريتانية|موريتانيا|حسانية", "NOR"),
        ("MOR", "Moroccan", "المغربية", "Morocco|MA|MAR|Darija|مغربي|مغربية|المغرب|دارجة", "NOR"),
        ("TUN", "Tunisian", "التونسية", "Tunisia|TN|تونسي|تونسية|تونس", "NOR"),
        ("MIX", "mixed", "مختلطة", "several dialects|خليط|مختلط", ""),
    ]
)  # fmt: skip
"""Five regions and ADI-17's countries under its authors' grouping, with Tunisia; and what annotators call several at once."""

EMOTIONS = _labels(
    [
        ("neutral", "neutral", "محايد", "calm|neutrality|حياد|محايدة|هادئ", ""),
        ("happy", "happy", "سعيد", "happiness|joy|joyful|سعادة|سعيدة|فرح|فرحان", ""),
        ("sad", "sad", "حزين", "sadness|unhappy|حزن|حزينة", ""),
        ("angry", "angry", "غاضب", "anger|mad|غضب|غاضبة", ""),
        ("surprised", "surprised", "متفاجئ", "surprise|astonished|مفاجأة|متفاجئة|دهشة|مندهش", ""),
        ("fearful", "fearful", "خائف", "fear|afraid|scared|خوف|خائفة", ""),
        ("disgusted", "disgusted", "مشمئز", "disgust|اشمئزاز|مشمئزة", ""),
        ("questioning", "questioning", "متسائل", "تساؤل|متسائلة|استفهام", ""),
    ]
)  # fmt: skip

EMOTION_LEVELS = _labels(
    [
        ("low", "low", "منخفض", "low emotion|tired|منخفضة|فاتر", ""),
        ("normal", "normal", "عادي", "neutral|standard|عادية|محايد", ""),
        ("high", "high", "مرتفع", "high emotion|intense|excited|مرتفعة|شديد", ""),
    ]
)
"""BAVED's three levels: how much emotion is heard, whichever it is."""
