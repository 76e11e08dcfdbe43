"""What a text is about, without a model: the words that carry it, a few phrases as topics, one as title.

A phrase is a run of neighbouring words that neither begins nor ends with a function word; it is worth what its
words are worth, and a word is worth how often the text says it in any of its everyday forms. A topic is made of
words that show themselves as nouns (`nouns`) and carry no pronoun: it must mean something beside its sentence. A
title has three words at least, for a single one says what is spoken of and not what of it.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from aramega.text import normalize, tokenize, words
from aramega.text.nouns import carries_pronoun, find_nouns, is_definite, looks_like_verb

MIN_TITLE_WORDS = 3
MAX_TITLE_WORDS = 7
MAX_TOPIC_WORDS = 2

_INSIDE_TITLES = frozenset("من إلى على عن في مع بين خلال بعد قبل ضد دون نحو حول".split())
"""What joins nouns; «أن» and its like begin another sentence."""
_CLAUSE_END = re.compile(r"[.!?؟…؛،,:]+")

_FUNCTION_WORDS = """
من إلى على عن في مع بين منذ خلال حتى عند عندما لدى بعد قبل فوق تحت أمام وراء خلف حول ضد دون بدون عبر نحو لكن بل ثم أو أم أن إن
أنه أنها أنهم إنه إنها إنهم لأن لأنه لأنها كأن ليت لعل كان كانت كانوا يكون تكون سيكون ستكون ليس ليست ليسوا لم لن لا ما ماذا متى
أين كيف كم لماذا هل هذا هذه ذلك تلك هؤلاء أولئك الذي التي الذين اللذان اللتان اللواتي هو هي هم هن هما أنا نحن أنت أنتم أنتن
قد لقد سوف كل بعض أي جميع كلا غير سوى إلا مثل مثلا أيضا كما كذلك حيث حين إذ إذا لو لولا فقط جدا أكثر أقل منها منه منهم فيها فيه
عليها عليه عليهم إليها إليه إليهم بها به بهم لها له لهم لنا لي لك عنها عنه عنهم معها معه معهم بينها بينهم هناك هنا الآن ثمة
اليوم أمس غدا مساء صباح قبل عام عاما عامين سنة سنوات يوم أيام شهر ساعة مرة واحد واحدة اثنان اثنين ثلاثة ثلاث أربعة أربع خمسة خمس
ستة ست سبعة سبع ثمانية ثماني تسعة تسع عشرة عشر عشرون عشرين مئة مائة مئتين ألف آلاف مليون ملايين مليار المئة أول ثاني ثالث
أعلن أعلنت أعلنوا بدأ بدأت يبدأ تبدأ يتوقع تتوقع تم يتم شكر قال قالت قالوا يقول تقول يقولون أضاف أضافت أكد أكدت أوضح أشار ذكر وفقا بحسب حسب نحن يعني طيب يا أيها أيتها نعم
ده دي دول اللي إيه ليه مش مو وش شو هيك كده كدا علشان عشان لسه بس إحنا انت انتو هاد هاي هيدا هذي هاذي ديال واش باش غادي كاين
the a an of and or in on at to for is are was were le la les de des du et un une
"""


def tokens(text: str) -> list[str]:
    """The words of a text: camel-tools' tokens without the marks, where it is installed, else our own."""
    return [token for token in _tokenizer()(text) if any(map(str.isalnum, token))]


def tokenizer_name() -> str:
    return "camel-tools" if importlib.util.find_spec("camel_tools") else "aramega.text"


def stem(word: str) -> str:
    """A word without its commonest prefixes and endings, so that «الوزارة» and «والوزارات» count as one. A lone و, ب or
    ل stays: as often as not it belongs to the word (وزارة, بلد)."""
    bare = normalize(word, "asr").lower()
    for prefix in ("وال", "بال", "فال", "كال", "ولل", "لل", "ال"):
        if bare.startswith(prefix) and len(bare) - len(prefix) >= 3:
            bare = bare.removeprefix(prefix)
            break
    for ending in ("ات", "ون", "ين", "ها", "هم", "ية", "ة", "ه", "ي"):
        if bare.endswith(ending) and len(bare) - len(ending) >= 3:
            return bare.removesuffix(ending)
    return bare


def is_function_word(word: str) -> bool:
    bare = normalize(word, "asr").lower()
    return bare in _function_words() or (bare.startswith("و") and bare[1:] in _function_words())


def word_weights(sentences: Sequence[str]) -> dict[str, float]:
    """How much each stem carries: how often it is said. Function words and bare figures carry nothing."""
    counts = Counter(stem(word) for sentence in sentences for word in tokens(sentence) if _carries(word))
    return {word: float(count) for word, count in counts.items()}


def find_topics(sentences: Sequence[str], most: int) -> tuple[str, ...]:
    """Up to `most` noun phrases of one or two words, the weightiest first, none sharing a word with another."""
    weights = word_weights(sentences)
    tokenized = [tokens(clause) for sentence in sentences for clause in _CLAUSE_END.split(sentence)]
    nouns = find_nouns([word for clause in tokenized for word in clause])
    phrases: Counter[tuple[str, ...]] = Counter(
        phrase for clause in tokenized for phrase in _phrases(clause, MAX_TOPIC_WORDS) if _is_topic(phrase, nouns)
    )
    worth = {p: _weight(p, weights) / len(p) * _as_name(p, n) for p, n in phrases.items()}
    chosen: list[tuple[str, ...]] = []
    used: set[str] = set()
    for phrase in sorted(phrases, key=lambda p: (-worth[p], -len(p))):
        stems = {stem(word) for word in phrase}
        if len(chosen) < most and not stems & used:
            chosen.append(phrase)
            used |= stems
    return tuple(_without_and(" ".join(phrase)) for phrase in chosen)


def find_title(sentences: Sequence[str], weights: dict[str, float]) -> str:
    """A phrase of three to seven words from the first of the sentences that has one; nothing where none has."""
    for sentence in sentences:
        sentence_words = words(sentence)
        if MIN_TITLE_WORDS <= len(sentence_words) <= MAX_TITLE_WORDS:
            return " ".join(sentence_words)
        nouns = find_nouns(sentence_words)
        phrases = [phrase for clause in _CLAUSE_END.split(sentence) for phrase in _title_phrases(words(clause))]
        if phrases:
            # Over the root of its length, so that a long run wins only if its words are good; the first of equals.
            best = max(phrases, key=lambda p: _weight(p, weights) / len(p) ** 0.5 * _as_headline(p, nouns))
            return " ".join(best)
    return ""


def _without_and(topic: str) -> str:
    return topic[1:] if topic.startswith(("وال", "فال")) else topic


def _is_topic(phrase: Sequence[str], nouns: frozenset[str]) -> bool:
    """Whether a phrase is a noun phrase that means something by itself: what is alone, or ends one, needs its article
    or a place among the text's nouns."""
    if any(carries_pronoun(word) or looks_like_verb(word) or word not in nouns for word in phrase):
        return False
    if any(is_function_word(word.removeprefix("ال")) for word in phrase):
        return False
    first, *rest = phrase
    if rest and rest[-1].startswith(("وال", "فال")):
        return False
    return not (rest and is_definite(first) and not is_definite(rest[-1]))  # «المستشفيات جديدة» is a sentence


def _title_phrases(clause: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for phrase in _phrases(clause, MAX_TITLE_WORDS, inner=_INSIDE_TITLES.__contains__):
        if len(phrase) >= MIN_TITLE_WORDS:
            yield phrase


def _as_headline(phrase: Sequence[str], nouns: frozenset[str]) -> float:
    """A headline begins with a noun and ends where a noun phrase may."""
    begins = 1.3 if phrase[0] in nouns and not looks_like_verb(phrase[0]) else 1.0
    ends = 1.15 if is_definite(phrase[-1]) else 0.8 if carries_pronoun(phrase[-1]) else 1.0
    return begins * ends


def _weight(phrase: Sequence[str], weights: dict[str, float]) -> float:
    return sum(weights.get(stem(word), 0.0) for word in phrase)


def _as_name(phrase: Sequence[str], times: int) -> float:
    """A pair that is said again is a name, and so is often one that ends in a definite noun: «وزارة الصحة». A noun
    alone without its article is half of something."""
    if len(phrase) == 1:
        return 1.0 if is_definite(phrase[0]) else 0.5
    return 1.6 if times > 1 else 1.5 if is_definite(phrase[-1]) else 1.0


def _phrases(
    sentence_words: Sequence[str], longest: int, inner: Callable[[str], bool] = lambda word: False
) -> Iterator[tuple[str, ...]]:
    """Every run of up to `longest` words that carry; words for which `inner` holds may stand inside, not at the ends."""
    for start, first in enumerate(sentence_words):
        if not _carries(first):
            continue
        yield (first,)
        for end in range(start + 1, min(start + longest, len(sentence_words))):
            if _carries(sentence_words[end]):
                yield tuple(sentence_words[start : end + 1])
            elif not inner(sentence_words[end]) and not sentence_words[end].isdigit():
                break


def _carries(word: str) -> bool:
    return len(word) > 1 and not word.isdigit() and not is_function_word(word)


@cache
def _function_words() -> frozenset[str]:
    return frozenset(normalize(word, "asr") for word in _FUNCTION_WORDS.split())


@cache
def _tokenizer() -> Callable[[str], list[str]]:
    return tokenize if tokenizer_name() == "camel-tools" else words
