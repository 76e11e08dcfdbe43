"""Nouns without a dictionary: what the words around a word, and its own ends, say of it.

In Arabic script a noun shows itself: by its article, by the preposition before it, by endings that verbs lack. A
word is taken for a noun if it shows itself anywhere in the text, and for a poor topic if it carries a pronoun
(«استماعها»): nobody looks for "its hearing". There is no lexicon here; what never shows itself is no noun to us.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from aramega.text.normalization import strip_diacritics
from aramega.text.word_lists import spelling, word_list

_ARTICLES = ("ال", "وال", "بال", "فال", "كال", "لل", "ولل")
_BEFORE_NOUNS = """
من إلى على عن في مع بين منذ خلال حتى عند لدى بعد قبل فوق تحت أمام ضد دون بدون عبر نحو حول كل بعض أي جميع غير هذا هذه ذلك تلك
عدة عدد أكثر أهم أول هؤلاء لكل بكل ومن وفي وعلى وعن وإلى ومع
"""
_VERB_BEGINNINGS = ("ي", "سي", "ست", "وي", "سن", "فسي")
_NOUNS_IN_YA = "يوم يومين يد يدين يسار يمين يقين يتيم ياسمين يونيو يوليو يناير يهود يمن يابان ينبوع يأس يسر".split()
_PRONOUNS = ("ها", "هم", "هما", "هن", "كم", "كما", "نا", "ني", "وه", "اه", "يه")
_IN_HA = """
الله مياه وجه شبه فقه اتجاه انتباه تنبيه توجيه رفاه نزيه فقيه وجيه سفيه جاه جباه شفاه فواكه متشابه اشتباه تشابه كره مكاره تافه
طه نبيه ترفيه تشويه اله لإله
"""
_NO_PRONOUN = """
لبنان أنا هنا ميناء سيناء بناء غنى منى مبنى معنى زنا قنا دنيا محاكم حكم تحكم تراكم حاكم محكم كم مفاهيم مهم أهم فهم سهم درهم وهم
شريك تحريك تفكيك تمليك تشكيك مبارك مشترك ممالك مسالك معارك ملوك سلوك شكوك بنوك صكوك بلجيك مكسيك مدرك محرك هلاك أملاك
متهم مساهم تفاهم إبراهيم أدهم همم دراهم ثاني حسني قانوني
"""


def is_definite(word: str) -> bool:
    bare = strip_diacritics(word)
    return any(bare.startswith(article) and len(bare) - len(article) >= 3 for article in _ARTICLES)


def carries_pronoun(word: str) -> bool:
    """Whether a word ends in somebody's or something's pronoun. One with the article cannot."""
    bare = strip_diacritics(word)
    if is_definite(bare) or spelling(bare) in word_list(_NO_PRONOUN) or bare in _IN_HA.split():
        return False
    if bare.endswith(("ه", "ك")):
        return len(bare) >= 4
    return any(bare.endswith(pronoun) and len(bare) - len(pronoun) >= 3 for pronoun in _PRONOUNS)


def looks_like_verb(word: str) -> bool:
    """Whether a word has the beginning of a present or future verb, or the end of a past one."""
    bare = strip_diacritics(word)
    if is_definite(bare) or bare in _NOUNS_IN_YA:
        return False
    if len(bare) >= 4 and bare.startswith(_VERB_BEGINNINGS):
        return True
    return bare.endswith(("وا", "تم", "نا")) and len(bare) >= 5


def find_nouns(text_words: Sequence[str]) -> frozenset[str]:
    """The words that show themselves as nouns, as they are written. Each occurrence of a word speaks for the others."""
    definite = {_without_article(word) for word in text_words if is_definite(word)}
    after_preposition = {
        word
        for before, word in pairwise(text_words)
        if spelling(before) in word_list(_BEFORE_NOUNS) and not looks_like_verb(word)
    }
    return frozenset(
        word
        for word in text_words
        if is_definite(word) or word in after_preposition or _without_article(word) in definite or _has_noun_end(word)
    )


def _has_noun_end(word: str) -> bool:
    bare = strip_diacritics(word)
    return len(bare) >= 4 and not looks_like_verb(bare) and bare.endswith(("ة", "ات", "ية", "يون", "اء"))


def _without_article(word: str) -> str:
    bare = strip_diacritics(word)
    for article in sorted(_ARTICLES, key=len, reverse=True):
        if bare.startswith(article) and len(bare) - len(article) >= 3:
            return bare.removeprefix(article)
    return bare
