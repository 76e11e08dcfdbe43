"""Sentences: what the demo's recognizer can hear, a bounded vocabulary in broadcast-like templates.

A few hundred words, all written out (no digits, no Latin letters), so that every token and every sound is seen often
enough by a model of one and a half million weights. Sentences are drawn from templates; one in eight of those with
three words or more is held out, chosen by a checksum of its text, so that training and evaluation agree without a list.
The sample broadcast's sentences (`sample.json`) are held out by name. Nothing here reports anything true.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from functools import cache
from pathlib import Path


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The first four slots and their template are those of the sample broadcast.
SLOTS: dict[str, tuple[str, ...]] = {
    "verb": _words("أعلن أكد ناقش افتتح رفض قرر نفى استقبل زار انتقد بحث أطلق تابع"),
    "subject": (
        "وزير الخارجية",
        "رئيس الوزراء",
        "مجلس الأمن",
        "المنتخب الوطني",
        "وزارة الصحة",
        "البنك المركزي",
        "هيئة الأرصاد",
        "الأمم المتحدة",
        "المتحدث الرسمي",
        "الجامعة",
        "المحكمة",
        "الشركة",
    ),
    "object": (
        "المفاوضات",
        "الأزمة",
        "اتفاق السلام",
        "أسعار النفط",
        "حملة التطعيم",
        "المعرض الدولي",
        "مشروع القانون",
        "نتائج الانتخابات",
        "الميزانية",
        "خطة الطوارئ",
        "القمة العربية",
        "شبكة المياه",
    ),
    "tail": (
        "اليوم",
        "أمس",
        "في العاصمة",
        "في الدوحة",
        "في القاهرة",
        "صباح الأحد",
        "هذا الأسبوع",
        "بعد اجتماع طويل",
        "رغم الخلافات",
        "خلال مؤتمر صحفي",
    ),
    "city": _words("الدوحة القاهرة بغداد دمشق بيروت عمان الرياض تونس الرباط الخرطوم"),
    "day": _words("السبت الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة"),
    "when": ("اليوم", "غدا", "أمس", "هذا المساء", "صباح {day}", "مساء {day}", "هذا الأسبوع", "الشهر القادم"),
    "sky": ("أمطار غزيرة", "أمطار خفيفة", "غيوم متفرقة", "عواصف رملية", "ثلوج كثيفة", "ضباب كثيف"),
    "place": ("شمال البلاد", "جنوب البلاد", "على الساحل", "في الجبال", "في {city}", "على {city}"),
    "degree": _words("مرتفعة منخفضة معتدلة"),
    "team": ("الأهلي", "الزمالك", "الهلال", "النصر", "الاتحاد", "الوحدة", "المنتخب الوطني"),
    "round": ("المباراة النهائية", "الدور الأول", "كأس العالم", "بطولة الدوري", "مباراة ودية"),
    "number": _words("واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة"),
    "goods": ("أسعار النفط", "أسعار الذهب", "أسهم الشركة", "قيمة العملة", "أسعار القمح", "حركة السوق"),
    "moved": _words("ارتفعت انخفضت استقرت تراجعت"),
    "link": _words("في من إلى على عن مع بعد قبل خلال حول بين عند"),
}

TEMPLATES: tuple[tuple[int, str], ...] = (
    (10, "{verb} {subject} {object} {tail}"),
    (2, "{verb} {subject} {object}"),
    (2, "{subject} {object} {when}"),
    (2, "{sky} {place} {when}"),
    (2, "درجات الحرارة {degree} {place} {when}"),
    (1, "رياح قوية {place} {when}"),
    (2, "فاز {team} على {team} في {round}"),
    (1, "تعادل {team} مع {team} {when}"),
    (1, "خسر {team} أمام {team} في {round}"),
    (3, "{moved} {goods} بنسبة {number} في المئة {when}"),
    (1, "نشرة الأخبار من {city} {when}"),
    (1, "مساء الخير مشاهدينا الكرام"),
    (1, "صباح الخير مستمعينا الكرام"),
    (1, "إليكم موجز الأنباء من {city}"),
    (1, "وصل {number} من العمال {link} {city} {when}"),
    (1, "قال مراسلنا {link} {city} إن {subject} {verb} {object}"),
)

# Heard alone or in any order: the commands that real speakers recorded, then common words.
COMMANDS = _words(
    "أربعة أسفل أعلى أمام إدخال إرسال إغلاق إلغاء ابدأ اتجاه اثنان استقبال التالي السابق تحريك تدوير تراجع تسجيل تسعة "
    "تصغير تعطيل تفعيل تكبير توقف ثلاثة ثمانية خلف خمسة خيارات رقم سبعة ستة صفر فتح لا موافق نعم واحد يسار يمين"
)
COMMON = _words(
    "مساء صباح نشرة الأخبار السوق العمل المدينة القرية الطريق البحر الجبل كتاب مدرسة طالب أستاذ طبيب مستشفى قطار سيارة "
    "طائرة مطار رحلة برنامج ضيف حلقة سؤال جواب رأي خبر صحيفة تقرير مراسل حكومة شعب انتخاب قانون محكمة قال يقول كتب ذهب "
    "وصل عاد أغلق بدأ انتهى شرب أكل نظر سمع كبير صغير جديد قديم جميل سريع بطيء ثقيل خفيف"
)

_SLOT = re.compile(r"{(\w+)}")


def draw_sentence(rng: random.Random) -> str:
    """One sentence of a template, held out or not."""
    weights = [weight for weight, _ in TEMPLATES]
    text = rng.choices([template for _, template in TEMPLATES], weights)[0]
    while _SLOT.search(text):
        text = _SLOT.sub(lambda slot: rng.choice(SLOTS[slot[1]]), text, count=1)
    return text


def draw_words(rng: random.Random, count: int) -> str:
    """Any `count` words of the vocabulary: no grammar to lean on, so that the sound must be listened to."""
    return " ".join(rng.choice(vocabulary()) for _ in range(count))


def draw_training_text(rng: random.Random) -> str:
    """What the training cache is filled with: half sentences, the rest words in any order; none held out."""
    while True:
        text = draw_sentence(rng) if rng.random() < 0.5 else draw_words(rng, rng.choice((1, 2, 3, 4)))
        if not is_held_out(text):
            return text


def draw_held_out_sentence(rng: random.Random) -> str:
    while True:
        text = draw_sentence(rng)
        if is_held_out(text):
            return text


def is_held_out(text: str) -> bool:
    """One sentence in eight, by checksum. Shorter phrases never are: a bounded vocabulary can't spare them."""
    return len(text.split()) >= 3 and (zlib.crc32(text.encode()) % 8 == 0 or text in sample_sentences())


@cache
def sample_sentences() -> frozenset[str]:
    """What is said in the sample broadcast."""
    spoken = json.loads(Path(__file__).with_name("sample.json").read_text(encoding="utf-8"))
    return frozenset(entry["text"] for entry in spoken)


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word that can occur, sorted."""
    phrases = [option for options in SLOTS.values() for option in options]
    phrases += [template for _, template in TEMPLATES]
    words = {word for phrase in phrases for word in _SLOT.sub(" ", phrase).split()}
    return tuple(sorted(words.union(COMMANDS, COMMON)))
