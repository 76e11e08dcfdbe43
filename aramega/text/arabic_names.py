"""Names in Arabic text, which has no capital letters: by titles, by patronymics, by place names, by a list.

A name shows itself by what stands beside it: a title before it («الدكتور سمير»), a patronymic within it («أحمد بن
سالم»), «مدينة» before a place. The countries and capitals of the Arab world are known; a workspace adds the names of its
own metadata. A name that shows itself in none of these ways is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aramega.text.keyphrases import is_function_word
from aramega.text.nouns import is_definite, looks_like_verb
from aramega.text.support import folded
from aramega.text.word_lists import word_list

_TITLES = """
الدكتور الدكتورة دكتور دكتورة الشيخ الشيخة شيخ الأستاذ الأستاذة المهندس المهندسة السيد السيدة الرئيس الوزير الوزيرة وزير وزيرة الأمير الأميرة
الملك الملكة السلطان اللواء العميد العقيد الفريق الضابط القاضي النائب السفير السفيرة المدير المديرة المدرب اللاعب الكابتن الفنان الفنانة
الشاعر الشاعرة الكاتب الكاتبة الصحفي الصحفية المعلم المعلمة الخبير الخبيرة الباحث الباحثة المتحدث الناطق قائد رئيس رئيسة مدير مديرة
مراسلنا مراسلتنا زميلنا زميلتنا الزميل الزميلة الحاج الإمام العلامة البروفيسور المحامي المحامية محافظ
"""
_PATRONYMICS = "بن ابن بنت ابنة آل أبو أبي أبا أم عبد ذو"
_BEFORE_PLACES = "مدينة بمدينة محافظة بمحافظة ولاية بولاية قرية بقرية دولة بلدة إمارة سلطنة مملكة جمهورية العاصمة"
_PLACES = """
مسقط صلالة نزوى صحار عمان الدوحة قطر الرياض جدة مكة المدينة الدمام السعودية أبوظبي دبي الشارقة الإمارات المنامة البحرين الكويت بغداد
البصرة الموصل أربيل العراق دمشق حلب حمص سوريا بيروت طرابلس لبنان إربد الأردن القدس غزة رام نابلس فلسطين القاهرة الإسكندرية الجيزة أسوان
مصر الخرطوم السودان بنغازي ليبيا تونس صفاقس الجزائر وهران قسنطينة الرباط الدار مراكش فاس طنجة المغرب نواكشوط موريتانيا صنعاء عدن تعز
اليمن مقديشو الصومال جيبوتي أنقرة إسطنبول تركيا طهران إيران باريس فرنسا لندن بريطانيا برلين ألمانيا موسكو روسيا واشنطن نيويورك أمريكا
بكين الصين طوكيو اليابان دلهي الهند إسلام باكستان كابل أفغانستان مدريد إسبانيا روما إيطاليا أوكرانيا إسرائيل تل
"""
_LONGEST_OFFICE = 2
"""Words between a title and a name: «وزير الصحة والسكان أحمد»."""
_LONGEST_NAME = 3
_NO_NAMES = frozenset(
    map(folded, "العام الأول الثاني السابق الحالي الجديد الوطني الرسمي الاقتصادي المدني الدولي نفسه".split())
)


def find_name_words(text_words: Sequence[str], own: Iterable[str] = ()) -> list[str]:
    """The words of a text that belong to names, in their order."""
    named: set[int] = set()
    own_words = frozenset(map(folded, own))
    for i, word in enumerate(text_words):
        if folded(word) in word_list(_PLACES, folded) or folded(word) in own_words:
            named.add(i)
        if _is(word, _TITLES):
            named |= _after_title(text_words, i)
        if _is(word, _PATRONYMICS) and len(word) <= 4:
            named |= {j for j in (i - 1, i + 1) if 0 <= j < len(text_words) and _may_be_name(text_words[j])}
        if _is(word, _BEFORE_PLACES) and i + 1 < len(text_words) and _may_be_name(text_words[i + 1]):
            named.add(i + 1)
    return [text_words[i] for i in sorted(named)]


def _after_title(text_words: Sequence[str], title: int) -> set[int]:
    """The name after a title: past the words of the office, up to what no name holds."""
    start = title + 1
    while start <= title + _LONGEST_OFFICE and start < len(text_words) and _is_of_office(text_words[start]):
        start += 1
    name: set[int] = set()
    for i in range(start, min(start + _LONGEST_NAME, len(text_words))):
        if _is(text_words[i], _PATRONYMICS) and len(text_words[i]) <= 4:
            continue
        if not _may_be_name(text_words[i]) or (not name and is_definite(text_words[i])):
            break
        name.add(i)
        if is_definite(text_words[i]):
            break
    return name


def _is_of_office(word: str) -> bool:
    return is_definite(word) or _is(word, _TITLES)


def _may_be_name(word: str) -> bool:
    bare = word.removeprefix("و")
    plain = is_function_word(word) or looks_like_verb(word) or any(char.isdigit() for char in word)
    return len(bare) >= 3 and not plain and not _is(word, _TITLES) and folded(word) not in _NO_NAMES


def _is(word: str, forms: str) -> bool:
    return folded(word) in word_list(forms, folded)
