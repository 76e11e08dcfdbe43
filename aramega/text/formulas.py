"""Formulas: what is said in Arabic speech whatever it is about, and so says nothing of what it is about.

Openings, greetings, blessings and the anchor's courtesies stand at the beginning of nearly every lecture, sermon and
bulletin. A reader of a summary learns nothing from them. They are compared letter-folded, and a word of four letters
or more may have one letter wrong, in formulas of three words and more, for recognizers mishear what is spoken fast. A team adds its own: the name of its
channel's jingle, the sentence that ends each programme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from aramega.text.tokens import words
from aramega.text.word_lists import loose_spelling

FORMULAS = (
    "بسم الله الرحمن الرحيم",
    "باسم الله الرحمن الرحيم",
    "بسم الله",
    "أعوذ بالله من الشيطان الرجيم",
    "أعوذ بالله السميع العليم من الشيطان الرجيم",
    "الحمد لله رب العالمين",
    "الحمد لله وحده",
    "الحمد لله",
    "الصلاة والسلام على رسول الله",
    "الصلاة والسلام على أشرف الأنبياء والمرسلين",
    "الصلاة والسلام على أشرف المرسلين",
    "الصلاة والسلام على سيدنا محمد",
    "الصلاة والسلام على نبينا محمد",
    "الصلاة والسلام على من لا نبي بعده",
    "الصلاة والسلام",
    "نبينا محمد وعلى آله وصحبه أجمعين",
    "سيدنا محمد وعلى آله وصحبه أجمعين",
    "سيدنا محمد وعلى آله وصحبه وسلم",
    "على آله وصحبه أجمعين",
    "على آله وصحبه وسلم",
    "على آله وصحبه",
    "على آله وأصحابه",
    "من تبعهم بإحسان إلى يوم الدين",
    "من والاه",
    "اللهم صل على محمد وعلى آل محمد",
    "اللهم صل وسلم على نبينا محمد",
    "اللهم صل وسلم وبارك على سيدنا محمد",
    "اللهم صل وسلم",
    "صلى الله عليه وآله وسلم",
    "صلى الله عليه وسلم",
    "يصلى الله عليه وسلم",
    "صلوات الله وسلامه عليه",
    "عليه الصلاة والسلام",
    "عليه السلام",
    "عليهم السلام",
    "رضي الله عنه",
    "رضي الله عنها",
    "رضي الله عنهم",
    "رضي الله عنهما",
    "رحمه الله",
    "رحمه الله تعالى",
    "رحمهم الله",
    "سبحانه وتعالى",
    "تبارك وتعالى",
    "جل وعلا",
    "عز وجل",
    "إن شاء الله تعالى",
    "إن شاء الله",
    "بإذن الله تعالى",
    "بإذن الله",
    "ما شاء الله",
    "جزاكم الله خيرا",
    "جزاكم الله كل خير",
    "جزاك الله خيرا",
    "بارك الله فيكم",
    "بارك الله فيك",
    "أحسن الله إليكم",
    "حفظكم الله ورعاكم",
    "حفظكم الله",
    "أستغفر الله العظيم",
    "لا حول ولا قوة إلا بالله العلي العظيم",
    "لا حول ولا قوة إلا بالله",
    "والله أعلم",
    "الله أعلم",
    "صدق الله العظيم",
    "آمين يا رب العالمين",
    "آمين",
    "أما بعد",
    "السلام عليكم ورحمة الله تعالى وبركاته",
    "السلام عليكم ورحمة الله وبركاته",
    "السلام عليكم ورحمة الله",
    "السلام عليكم",
    "عليكم السلام ورحمة الله وبركاته",
    "عليكم السلام",
    "سلام الله عليكم",
    "صباح الخير",
    "صباح النور",
    "مساء الخير",
    "مساء النور",
    "أسعد الله أوقاتكم",
    "أسعد الله مساءكم",
    "أسعد الله صباحكم",
    "طابت أوقاتكم",
    "طاب مساؤكم",
    "تحية طيبة وبعد",
    "تحية طيبة",
    "أهلا وسهلا بكم",
    "أهلا وسهلا بك",
    "أهلا وسهلا",
    "أهلا بكم من جديد",
    "أهلا بكم",
    "أهلا بك",
    "مرحبا بكم من جديد",
    "مرحبا بكم",
    "مرحبا بك",
    "نرحب بكم",
    "حياكم الله",
    "حياك الله",
    "يعطيك العافية",
    "يعطيكم العافية",
    "شكرا جزيلا لك",
    "شكرا جزيلا لكم",
    "شكرا جزيلا",
    "شكرا لك",
    "شكرا لكم",
    "ألف شكر",
    "أعزائي المشاهدين",
    "أعزاءنا المشاهدين",
    "أعزائي المستمعين",
    "أعزاءنا المستمعين",
    "مشاهدينا الكرام",
    "مشاهدينا الأعزاء",
    "مستمعينا الكرام",
    "مستمعينا الأعزاء",
    "مشاهدي الكرام",
    "أيها الإخوة والأخوات",
    "أيها الإخوة الكرام",
    "أيها الإخوة",
    "أيها الأحبة",
    "أيها المسلمون",
    "أيها المؤمنون",
    "أيها السادة",
    "السيدات والسادة",
    "عباد الله",
    "إخوتي في الله",
    "أحبتي في الله",
    "ابقوا معنا",
    "نلتقي بعد الفاصل",
    "فاصل ونعود",
    "نكتفي بهذا القدر",
    "نتابع معكم",
    "شكرا لكم على المتابعة",
    "شكرا على حسن المتابعة",
    "شكرا على المتابعة",
    "إلى اللقاء",
    "في أمان الله",
    "دمتم بخير",
    "كل عام وأنتم بخير",
)

_MAY_BE_MISHEARD = 4
"""Letters from which a word may have one of them wrong: of three letters, one is another word."""


@dataclass(frozen=True)
class Formulas:
    """The phrases that are no content: those above and a team's own."""

    by_first_word: dict[str, tuple[tuple[str, ...], ...]]
    """The longest first."""

    @classmethod
    def with_own(cls, own: Iterable[str] = ()) -> Formulas:
        return _index(tuple(own))

    def spans(self, text_words: Sequence[str]) -> list[range]:
        """Where formulas stand among the words, in order; none overlaps another."""
        folded = [loose_spelling(word) for word in text_words]
        spans, at = [], 0
        while at < len(folded):
            length = self._length_at(folded, at)
            if length:
                spans.append(range(at, at + length))
            at += max(1, length)
        return spans

    def drop_from(self, text_words: Sequence[str]) -> list[str]:
        """The words that belong to no formula."""
        inside = {i for span in self.spans(text_words) for i in span}
        return [word for i, word in enumerate(text_words) if i not in inside]

    def _length_at(self, folded: Sequence[str], at: int) -> int:
        for first in _without_joined(folded[at]):
            for phrase in self.by_first_word.get(first, ()):
                rest = folded[at + 1 : at + len(phrase)]
                alike = _alike if len(phrase) > 2 else _same
                if len(rest) == len(phrase) - 1 and all(map(alike, rest, phrase[1:])):
                    return len(phrase)
        return 0


@lru_cache(8)
def _index(own: tuple[str, ...]) -> Formulas:
    phrases = {tuple(map(loose_spelling, words(phrase))) for phrase in (*FORMULAS, *own)} - {()}
    by_first_word: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)):
        by_first_word.setdefault(phrase[0], []).append(phrase)
    return Formulas({first: tuple(phrases) for first, phrases in by_first_word.items()})


def _without_joined(word: str) -> tuple[str, ...]:
    """The word, and the word without the «and» or «so» that joins it to what came before."""
    return (word, word[1:]) if word[:1] in ("و", "ف") and len(word) > 2 else (word,)


def _same(word: str, of_formula: str) -> bool:
    return of_formula in _without_joined(word) or word == of_formula.removeprefix("و")


def _alike(word: str, of_formula: str) -> bool:
    if _same(word, of_formula):
        return True
    return len(of_formula) >= _MAY_BE_MISHEARD and Levenshtein.distance(word, of_formula, score_cutoff=1) <= 1
