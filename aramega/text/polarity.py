"""Polarity: what turns a sentence into its opposite: a negation, or a word of direction for its contrary.

A summary that says «ارتفعت» of what fell shares nearly all its words with what was said, so overlap cannot see it. Each
word of a sentence that is negated, or that has a contrary, is compared with the same place in the speech it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from aramega.text.support import is_content, root_like
from aramega.text.word_lists import loose_spelling, word_list

_NEGATIONS = "لم لن لا ليس ليست ليسوا ما غير عدم دون بدون مش مو موش مب ماكو"
_REACH = 2
"""Words after a negation among which is the one it negates: «لا يزال أحد يعرف» reaches further than we look."""

_CONTRARIES = (
    (
        "ارتفع يرتفع ارتفاع ارتفعت ترتفع مرتفع زاد يزيد تزيد زادت زيادة ازداد ازدياد ازدادت تزداد صعد صعود صعدت نما نمو تضاعف تصاعد "
        "أكثر أعلى أكبر ارتفعوا رفع رفعت يرفع",
        "انخفض ينخفض انخفاض انخفضت تنخفض تنخفضوا منخفض نقص ينقص نقصت نقصان قل قلت تقليل تراجع تراجعت يتراجع هبط هبوط هبطت تدنى "
        "تقلص تقلصت أقل أدنى أصغر خفض خفضت يخفض تخفيض",
    ),
    ("قبل قبيل", "بعد عقب بعيد"),
    ("فوق أعلى", "تحت أسفل"),
    ("فتح فتحت افتتح افتتحت افتتاح يفتح تفتح لفتح بفتح", "أغلق أغلقت إغلاق يغلق تغلق لإغلاق بإغلاق"),
    ("بدأ بدأت يبدأ تبدأ بداية انطلق انطلقت", "انتهى انتهت ينتهي تنتهي نهاية توقف توقفت"),
    ("فاز فازت فوز يفوز بفوز فوزه", "خسر خسرت خسارة يخسر هزيمة بخسارة خسارته هزم"),
    ("وافق وافقت موافقة يوافق أيد أيدت تأييد قبلت", "رفض رفضت رفضا يرفض عارض عارضت معارضة"),
    ("نجح نجحت نجاح ينجح", "فشل فشلت فشله يفشل أخفق"),
    ("قوى تقوي يقوي تقوية ويقوي وتقوية", "أضعف تضعف يضعف إضعاف ويضعف وإضعاف"),
    ("شمال شرق يمين", "جنوب غرب يسار"),
    ("دخل دخول دخلت يدخل وصل وصلت وصول", "خرج خروج خرجت يخرج غادر غادرت مغادرة"),
    ("ربح أرباح ربحت مكاسب", "خسر خسائر خسرت"),
    ("سمح سمحت يسمح السماح", "منع منعت يمنع المنع حظر"),
    ("الأول أول أولى الأولى", "الأخير آخر أخيرة الأخيرة"),
    ("حضر حضرت حضره يحضر", "غاب غابت غياب يغيب"),
    ("أمس الماضي الماضية", "غدا المقبل المقبلة القادم القادمة"),
)
"""Each line: words of one direction, and their contraries."""


def contrary_of(word: str) -> str:
    """A word of the contrary direction, or nothing."""
    place = _directions().get(loose_spelling(word))
    return "" if place is None else _CONTRARIES[place[0]][1 - place[1]].split()[0]


def wrong_negations(spoken: Sequence[str], written: Sequence[str]) -> list[str]:
    """Words of a sentence that are negated where they were not said so, or the other way round."""
    wrong: list[str] = []
    heard = _negated_by_root(spoken)
    spoken_has_negation = any(_is_negation(word) for word in spoken)
    for word, is_negated in _with_negation(written):
        said_so = heard.get(root_like(word))
        differs = is_negated and not spoken_has_negation if said_so is None else is_negated not in said_so
        if differs and word not in wrong:
            wrong.append(word)
    return wrong


def wrong_directions(spoken: Sequence[str], written: Sequence[str]) -> list[str]:
    """Words of a sentence whose contrary was said in their place."""
    directions = _directions()
    wrong = []
    for i, word in enumerate(written):
        place = directions.get(loose_spelling(word))
        if place is None:
            continue
        family, sign = place
        signs = _signs_nearest(spoken, written, i, family)
        if signs and sign not in signs:
            wrong.append(word)
    return list(dict.fromkeys(wrong))


def _signs_nearest(spoken: Sequence[str], written: Sequence[str], at: int, family: int) -> set[int]:
    """The directions of a family that stand in the speech beside what stands beside the word; else any of them."""
    directions = _directions()
    places = [
        (j, directions[loose_spelling(w)][1])
        for j, w in enumerate(spoken)
        if directions.get(loose_spelling(w), (-1,))[0] == family
    ]
    beside = {root_like(word) for word in written[max(0, at - 2) : at + 3] if is_content(word) and word != written[at]}

    def shared(j: int) -> int:
        return len(beside & {root_like(word) for word in spoken[max(0, j - 3) : j + 4]})

    most = max((shared(j) for j, _ in places), default=0)
    return {sign for j, sign in places if shared(j) == most}


def _with_negation(text_words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each content word, and whether a negation reaches it."""
    left = 0
    for word in text_words:
        if _is_negation(word):
            left = _REACH
            continue
        if is_content(word):
            yield word, left > 0
            left = 0
        else:
            left -= 1


def _negated_by_root(text_words: Sequence[str]) -> dict[str, set[bool]]:
    heard: dict[str, set[bool]] = {}
    for word, is_negated in _with_negation(text_words):
        heard.setdefault(root_like(word), set()).add(is_negated)
    return heard


def _is_negation(word: str) -> bool:
    folded = loose_spelling(word)
    return folded in word_list(_NEGATIONS, loose_spelling) or (
        folded[:1] in ("و", "ف") and folded[1:] in word_list(_NEGATIONS, loose_spelling)
    )


@cache
def _directions() -> dict[str, tuple[int, int]]:
    """Of each word: its family and its direction. A word with «and» before it is the word."""
    table: dict[str, tuple[int, int]] = {}
    for family, sides in enumerate(_CONTRARIES):
        for sign, side in enumerate(sides):
            for word in side.split():
                for form in (
                    loose_spelling(word),
                    f"و{loose_spelling(word)}",
                    f"ف{loose_spelling(word)}",
                    f"ال{loose_spelling(word)}",
                ):
                    table.setdefault(form, (family, sign))
    return table
