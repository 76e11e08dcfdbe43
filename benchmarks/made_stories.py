"""Made stories: what a broadcast says, line by line as a recognizer gives it, with a lead written apart from it.

The lead is another template's sentence about the same facts, so no sentence of the story is the lead. Stories open as
broadcasts do: some with a greeting, some with an anchor's announcement, some at once; what matters is said first in some
and after the circumstances in others. Lines break where breath is drawn, which is as often inside a sentence; most end
marks are left out. Everything follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

GREETINGS = (
    "بسم الله الرحمن الرحيم الحمد لله رب العالمين والصلاة والسلام على أشرف الأنبياء والمرسلين أما بعد",
    "السلام عليكم ورحمة الله وبركاته",
    "أعزائي المشاهدين أهلا وسهلا بكم",
    "مشاهدينا الكرام مساء الخير",
)
ANNOUNCEMENTS = (
    "نبدأ هذه النشرة بأبرز ما جاء اليوم",
    "ننتقل الآن إلى مراسلنا ليحدثنا عن التفاصيل",
    "معنا في هذا الموضوع ضيف من الاستوديو",
    "نتابع معكم هذا التقرير",
)
CLOSINGS = (
    "شكرا لكم على المتابعة وإلى اللقاء",
    "نكتفي بهذا القدر والله أعلم",
    "كان هذا ما لدينا حتى الآن",
    "والسلام عليكم ورحمة الله وبركاته",
)
CIRCUMSTANCES = (
    "وجاء ذلك في مؤتمر صحفي حضره عدد كبير من الصحفيين",
    "وكانت وسائل الإعلام قد تحدثت عن الموضوع في الأيام الماضية",
    "ورحب كثير من الناس بما سمعوه وعبروا عن ارتياحهم",
    "ومن المنتظر أن تعقد جلسة أخرى في وقت لاحق",
    "ولم تصدر حتى الآن تعليقات أخرى من الجهات المعنية",
    "ويرى المتابعون أن الطريق ما زال طويلا",
)
NAMES = (
    "أحمد بن سالم الحارثي,خالد أبو زيد,محمود آل ثاني,سعيد بن حمد البوسعيدي,يوسف عبد الرحمن,فاطمة الزهراني,ليلى ابنة راشد,"
    "إبراهيم منصور,طارق العيسى,هدى أبو بكر,ناصر بن علي الكعبي,سمير الخطيب"
).split(",")
CITIES = "مسقط,الدوحة,القاهرة,عمان,بغداد,الرباط,تونس,صلالة,الخرطوم,دمشق,بيروت,نزوى".split(",")


@dataclass(frozen=True)
class Theme:
    """What a family of stories says: each text is a template over the story's facts."""

    lead: str
    points: tuple[str, ...]
    details: tuple[str, ...]


THEMES = (
    Theme(
        "افتتاح {n} مستشفيات جديدة في {city} بتكلفة {m} مليون دولار",
        (
            "أعلن وزير الصحة {name} افتتاح {n} مستشفيات جديدة في مدينة {city} بتكلفة بلغت {m} مليون دولار",
            "وقد افتتحت وزارة الصحة {n} مستشفيات جديدة في {city} وكلفت {m} مليون دولار",
        ),
        (
            "وقال الوزير {name} إن المستشفيات الجديدة تخدم سكان {city} والقرى القريبة منها",
            "وتضم المستشفيات {k} سريرا وأقساما للطوارئ والجراحة",
            "وارتفع عدد الأطباء العاملين في {city} بنسبة {p} في المئة",
            "ولم تشمل الخطة المراكز الصحية الصغيرة في الريف",
            "وبدأ العمل في المستشفيات قبل عامين",
        ),
    ),
    Theme(
        "ارتفاع أسعار النفط بنسبة {p} في المئة بعد قرار خفض الإنتاج",
        (
            "ارتفعت أسعار النفط اليوم بنسبة {p} في المئة بعد قرار الدول المنتجة خفض الإنتاج",
            "وسجلت أسعار النفط زيادة قدرها {p} في المئة عقب قرار خفض الإنتاج",
        ),
        (
            "وبلغ سعر البرميل {k} دولارا في ختام التداول",
            "وقال الخبير الاقتصادي {name} إن أسعار النفط لن تنخفض قبل نهاية العام",
            "وانخفضت أسهم شركات الطيران في بورصة {city}",
            "وقررت الدول المنتجة خفض الإنتاج بمقدار {m} ألف برميل",
            "ويخشى المستوردون أن ترتفع أسعار الوقود أكثر",
        ),
    ),
    Theme(
        "فوز المنتخب على ضيفه في {city} بنتيجة {n} أهداف دون رد وتأهله إلى النهائي",
        (
            "فاز المنتخب الوطني على ضيفه في مدينة {city} بنتيجة {n} أهداف دون رد وتأهل إلى المباراة النهائية",
            "وتأهل المنتخب الوطني إلى النهائي بعد فوزه بنتيجة {n} أهداف دون رد في {city}",
        ),
        (
            "وسجل اللاعب {name} الهدف الأول بعد الدقيقة {k}",
            "وحضر المباراة {m} ألف متفرج في ملعب {city}",
            "وقال المدرب {name2} إن المنتخب لم يلعب أفضل مبارياته بعد",
            "وتراجع أداء الضيف في الشوط الثاني",
            "وتقام المباراة النهائية بعد أسبوع",
        ),
    ),
    Theme(
        "الصيام يعلم الصبر ويربي النفس ويقوي الصلة بالفقراء",
        (
            "فإن الصيام يعلم الإنسان الصبر ويربي نفسه ويجعله يشعر بالفقراء",
            "ومن أعظم ما في الصيام أنه يربي النفس على الصبر ويقوي الصلة بالفقراء",
        ),
        (
            "فالصائم يترك الطعام والشراب من الفجر حتى المغرب",
            "وقد ذكر الشيخ {name} أن الصبر نصف الإيمان",
            "ولا يصح الصيام من غير نية",
            "والفقير يفرح حين يرى من يشعر بجوعه",
            "ومن أفطر ناسيا فليتم صيامه ولا شيء عليه",
        ),
    ),
    Theme(
        "انهيار جسر في {city} ومقتل {n} أشخاص وإصابة {k} بسبب الأمطار",
        (
            "قتل {n} أشخاص وأصيب {k} آخرون في انهيار جسر بمدينة {city} بسبب الأمطار الغزيرة",
            "وأدى انهيار الجسر في {city} إلى مقتل {n} أشخاص وإصابة {k} بعد أمطار غزيرة",
        ),
        (
            "وقال قائد الدفاع المدني {name} إن فرق الإنقاذ وصلت قبل حلول الظلام",
            "وأغلقت السلطات الطريق المؤدي إلى الجسر أمام السيارات",
            "ولم يعرف حتى الآن عدد المفقودين تحت الجسر",
            "وهطلت الأمطار {m} ساعة دون توقف",
            "وزاد منسوب المياه في الوادي إلى مترين",
        ),
    ),
    Theme(
        "برنامج جديد لتعليم {m} ألف طالب البرمجة في مدارس {city}",
        (
            "أطلقت وزارة التربية برنامجا جديدا لتعليم البرمجة يشمل {m} ألف طالب في مدارس {city}",
            "ويستفيد من برنامج تعليم البرمجة الجديد {m} ألف طالب في مدارس {city}",
        ),
        (
            "وتقول المعلمة {name} إن الطلاب لا يملكون أجهزة كافية في البيت",
            "ودربت الوزارة {k} معلما على تعليم البرمجة",
            "وازداد إقبال الطلاب على البرنامج بنسبة {p} في المئة",
            "ويبدأ البرنامج بعد إجازة الصيف ويستمر {n} أشهر",
            "وستوزع الوزارة الأجهزة على المدارس مجانا",
        ),
    ),
    Theme(
        "توقيع اتفاق بين {city} و{city2} لفتح {n} معابر وزيادة التجارة",
        (
            "وقعت حكومتا {city} و{city2} اتفاقا يقضي بفتح {n} معابر على الحدود وزيادة التجارة بين البلدين",
            "وينص الاتفاق الموقع بين {city} و{city2} على زيادة التجارة وفتح {n} معابر على الحدود",
        ),
        (
            "ووقع الاتفاق عن الجانب الأول وزير الخارجية {name}",
            "وبلغت التجارة بين البلدين {m} مليون دولار",
            "وأكد رئيس الوفد {name2} أن المعابر لن تفتح أمام الشاحنات في المرحلة الأولى",
            "وانخفضت الرسوم على البضائع إلى {p} في المئة",
            "وتوقفت حركة التجارة بعد إغلاق الحدود",
        ),
    ),
    Theme(
        "أهمية القراءة للأطفال قبل النوم في زيادة المفردات وتقوية الخيال",
        (
            "القراءة للأطفال قبل النوم تزيد مفرداتهم وتقوي خيالهم كما تقول الدراسة",
            "فالدراسة تثبت أن القراءة للأطفال قبل النوم تقوي الخيال وتزيد المفردات",
        ),
        (
            "وتابعت الدراسة {k} طفلا في {city} على مدى {n} سنوات",
            "وتقول الدكتورة {name} إن القراءة لا تحتاج إلى كتب كثيرة",
            "وارتفعت درجات الأطفال في المدرسة بنسبة {p} في المئة",
            "وينصح الخبراء بالقراءة ربع ساعة كل ليلة",
            "ولا تغني الشاشة عن صوت الأم أو الأب",
        ),
    ),
)


@dataclass(frozen=True)
class Story:
    lines: tuple[str, ...]
    """As a recognizer gives them."""
    sentences: tuple[str, ...]
    """As they were meant: what the lines were broken out of, without greetings."""
    lead: str
    theme: int


def make_stories(count: int, seed: int) -> list[Story]:
    """So many stories, the themes in turn."""
    rng = random.Random(seed)
    return [_make_story(number % len(THEMES), rng) for number in range(count)]


def _make_story(theme_number: int, rng: random.Random) -> Story:
    theme, facts = THEMES[theme_number], _draw_facts(rng)
    details = [text.format(**facts) for text in rng.sample(theme.details, rng.randint(3, len(theme.details)))]
    points = [text.format(**facts) for text in theme.points[: rng.randint(1, 2)]]
    around = rng.sample(CIRCUMSTANCES, rng.randint(1, 3))
    before = rng.sample(around, rng.randint(0, len(around)))
    after = [text for text in around if text not in before]
    body = [*points[:1], *details]
    if points[1:]:
        body.insert(rng.randint(2, len(body)), points[1])
    sentences = [*before, *body]
    for text in after:
        sentences.insert(rng.randint(len(before) + 1, len(sentences)), text)
    opening = rng.choice(([], [], [rng.choice(GREETINGS)], [rng.choice(GREETINGS), rng.choice(ANNOUNCEMENTS)]))
    closing = rng.choice(([], [rng.choice(CLOSINGS)]))
    lines = _as_lines([*opening, *sentences, *closing], rng)
    return Story(tuple(lines), tuple(sentences), theme.lead.format(**facts), theme_number)


def _draw_facts(rng: random.Random) -> dict[str, str]:
    name, second_name = rng.sample(NAMES, 2)
    city, second_city = rng.sample(CITIES, 2)
    n, k, m, p = rng.randint(3, 9), rng.randint(20, 90), rng.randint(110, 480), rng.randint(11, 19)
    numbers = {"n": n, "k": k, "m": m, "p": p}
    names = {"name": name, "name2": second_name, "city": city, "city2": second_city}
    return names | {key: str(value) for key, value in numbers.items()}


def _as_lines(sentences: Sequence[str], rng: random.Random) -> list[str]:
    """Broken where breath is drawn: after six to sixteen words, seldom where a sentence ends."""
    marked = [sentence + rng.choice(("", "", ".")) for sentence in sentences]
    words, lines = " ".join(marked).split(), []
    while words:
        length = rng.randint(6, 16)
        lines.append(" ".join(words[:length]))
        words = words[length:]
    return lines
