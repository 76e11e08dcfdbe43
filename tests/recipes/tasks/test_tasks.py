"""Tasks: how they ask, what they expect, and how they read a chatty model's answer."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from recipes.data.examples import Example, LoadedExample
from recipes.tasks import DIALECTS, EMOTION_LEVELS, Inventory, Label, TaskError, TaskOptions, build_tasks, task_names
from recipes.tasks.base import strip_chatter

TASKS = build_tasks()
COUNTRIES = build_tasks(["dialect"], TaskOptions(dialects=DIALECTS.countries()))["dialect"]


def loaded(task, modality="speech", **columns):
    example = Example(task, modality, "", "toy", 1.0, "c", row=0, dataset=0)
    audio = None if modality == "text" else np.zeros(16000, dtype=np.float32)
    return LoadedExample(example, audio, columns)


def test_the_registry_knows_every_task_and_suggests_the_nearest_for_a_wrong_name():
    assert task_names() == ("asr", "dialect", "emotion", "ssum", "text_summ")
    with pytest.raises(TaskError, match="Did you mean dialect"):
        build_tasks(["dialects"])


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("modality", ["speech", "text"])
def test_instructions_are_many_bilingual_and_chosen_by_the_seed(name, modality):
    task = TASKS[name]
    every = task.instructions(modality)
    assert len(set(every)) == len(every) >= 4
    assert {any("\u0600" <= c <= "\u06ff" for c in text.split("one of")[0]) for text in every} == {True, False}
    drawn = [task.instruction(random.Random(seed), modality) for seed in range(60)]
    assert drawn == [task.instruction(random.Random(seed), modality) for seed in range(60)]
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("name", ["asr", "ssum", "text_summ"])
@pytest.mark.parametrize("modality", ["speech", "text", "foreign"])
def test_the_answer_is_asked_for_in_its_own_language(name, modality):
    """An English target after "in Arabic", or after a question in Arabic, teaches to ignore the question."""
    english = TASKS[name].instructions(modality, "en")
    assert len(english) >= 4
    assert all(text.isascii() and "Arabic" not in text for text in english)
    assert any("English" in text for text in english)
    assert any("French" in text for text in TASKS[name].instructions(modality, "fr"))
    assert any("Arabic" in text for text in TASKS[name].instructions(modality))


def test_a_prompt_carries_the_text_only_where_there_is_no_audio():
    spoken = loaded("ssum", transcription="نص", summary="ملخص")
    written = loaded("text_summ", "text", transcription="نص طويل", summary="ملخص")
    assert "نص" not in TASKS["ssum"].prompt(spoken, random.Random(1)).split("\n\n")[1:]
    assert TASKS["text_summ"].prompt(written, random.Random(1)).endswith("\n\nنص طويل")


def test_targets_are_the_text_or_the_labels_name():
    assert TASKS["asr"].target(loaded("asr", transcription=" مرحبا ")) == "مرحبا"
    assert TASKS["dialect"].target(loaded("dialect", dialect="EGY")) == "Egyptian"
    assert TASKS["dialect"].target(loaded("dialect", dialect="LEB")) == "Levantine"
    assert COUNTRIES.target(loaded("dialect", dialect="LEB")) == "Lebanese"
    arabic = build_tasks(["emotion"], TaskOptions(label_language="ar"))["emotion"]
    assert arabic.target(loaded("emotion", emotion="happy")) == "سعيد"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("مرحبا بكم", "مرحبا بكم"),
        ("  «مرحبا بكم»  ", "مرحبا بكم"),
        ('The transcript is: "مرحبا بكم"', "مرحبا بكم"),
        ("Sure! Here is the transcription of the audio: مرحبا بكم", "مرحبا بكم"),
        ("بالتأكيد! إليك النص: مرحبا بكم", "مرحبا بكم"),
        ("```\nمرحبا بكم\n```", "مرحبا بكم"),
        ("الملخص: «قال» ثم «ذهب»", "«قال» ثم «ذهب»"),
        ("قال: تفضل", "قال: تفضل"),
        ("حسنا، نبدأ الآن. إليكم النشرة", "حسنا، نبدأ الآن. إليكم النشرة"),
        ("OK, let's go إلى السوق.", "OK, let's go إلى السوق."),
        ("Okay. The summary is: ملخص قصير.", "ملخص قصير."),
    ],
)
def test_chatter_around_free_text_is_taken_off(answer, text):
    assert strip_chatter(answer) == text


OPENINGS = [
    "هذا هو السؤال المطروح اليوم: ",
    "الخلاصة: ",
    "حسنًا، إليك النص: ",
    "Sure! ",
    "The answer is: ",
    "```\n",
    "«",
    '"',
]
ARABIC_LIKE = st.lists(
    st.one_of(st.sampled_from(OPENINGS), st.text("ابتثجحخدرسعفقكلمنهويةىءآأإؤئـًٌٍَُِّْ٠١٢3 .،؛:؟!?»“”'`*\nabcOK", max_size=8)),
    max_size=6,
).map("".join)
PERFECT = {
    "wer": 0,
    "cer": 0,
    "rouge1": 1,
    "rouge2": 1,
    "rougeL": 1,
    "chrf": 100,
    "wer_arabic": 0,
    "wer_latin": 0,
    "macro_f1": 1,
    "weighted_f1": 1,
    "accuracy": 1,
    "invalid": 0,
}


@given(text=ARABIC_LIKE.filter(str.strip), name=st.sampled_from(["asr", "ssum", "text_summ"]))
@example("هذا هو السؤال المطروح اليوم هل تنجح الخطة", "asr")
@example("هذا هو السؤال المطروح اليوم: هل تنجح الخطة", "asr")
@example("الخلاصة: ارتفعت الأسعار", "ssum")
@example("كلمة", "ssum")
@example("«»", "asr")
@example("…", "ssum")
def test_the_reference_itself_is_a_perfect_answer(text, name):
    scores = TASKS[name].score([text], [text])
    assert scores == pytest.approx({metric: PERFECT[metric] for metric in scores})


@given(data=st.data())
def test_every_name_of_a_label_is_a_perfect_answer_to_itself(data):
    named = data.draw(st.lists(ARABIC_LIKE.map(str.strip).filter(bool), min_size=6, max_size=6, unique_by=str.casefold))
    own = Inventory(labels=tuple(Label(code=c, english=e, arabic=a) for c, e, a in (named[:3], named[3:])))
    options = data.draw(
        st.sampled_from([TaskOptions(dialects=d) for d in (DIALECTS.regions(), DIALECTS.countries(), own)])
    )
    task = build_tasks(["dialect"], options)["dialect"]
    name = data.draw(st.sampled_from([name for label in task.inventory.labels for name in label.names]))
    scores = task.score([name], [name])
    assert scores == {metric: PERFECT[metric] for metric in scores}


def test_chatter_that_the_reference_lacks_costs_nothing_and_words_it_has_are_kept():
    asr, spoken = TASKS["asr"], "هذا هو السؤال المطروح اليوم: هل تنجح الخطة"
    assert asr.score(["Sure! Here is the transcript: مرحبا بكم"], ["مرحبا بكم"])["wer"] == 0
    assert asr.score([spoken.replace(":", "")], [spoken])["wer"] == 0
    assert asr.score([spoken.replace("اليوم", "أمس")], [spoken])["wer"] == pytest.approx(1 / 8)


@pytest.mark.parametrize("name", ["asr", "ssum", "text_summ"])
def test_an_empty_answer_is_invalid_and_counted(name):
    task = TASKS[name]
    assert task.parse(" \n") is None
    scores = task.score(["", "نص"], ["نص", "نص"])
    assert scores["invalid"] == 0.5
    assert scores[task.headline] == 0.5


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Egyptian", "EGY"),
        ("egy", "EGY"),
        ("**Egyptian**.", "EGY"),
        ('"Egyptian Arabic"', "EGY"),
        ("The dialect is Egyptian.", "EGY"),
        ("The speaker uses the Gulf dialect", "GLF"),
        ("Modern Standard Arabic (MSA)", "MSA"),
        ("اللهجة المصرية", "EGY"),
        ("المتحدث يتكلم باللهجة الخليجية.", "GLF"),
        ("هذه لهجة شاميّة", "LEV"),
        ("العربية الفصحى", "MSA"),
        ("يتحدث بالفصحى", "MSA"),
        ("Lebanese", "LEV"),
        ("It is Levantine, probably Syrian or Lebanese.", "LEV"),
        ("This is not Egyptian but Levantine.", "LEV"),
        ("ليست مصرية بل مغاربية", "NOR"),
        ("It could be Gulf or Egyptian. The answer is Gulf.", "GLF"),
        ("North African (Maghrebi)", "NOR"),
        ("SA", "GLF"),
        ("These are words in a dialect, and mar is no country here. Egyptian.", "EGY"),
        ("The answer to the question is: MSA", "MSA"),
        ("The dialect is Egyptian, as opposed to Gulf.", "EGY"),
        ("Answer: Gulf. Egyptian would sound different.", "GLF"),
        ("اللهجة هي المصرية، أما الخليجية فتختلف عنها", "EGY"),
        ("قد تكون شامية أو مصرية. الجواب: شامية", "LEV"),
        ("It is Egyptian or Gulf.", None),
        ("The dialect is Egyptian/Gulf.", None),
        ("It is hard to say whether this speaker is from the Gulf; Egyptian is as likely.", None),
        ("Egyptian or Gulf", None),
        ("I can't tell.", None),
        ("", None),
        ("Swahili", None),
        ("not Egyptian", None),
    ],
)
def test_a_dialect_is_found_in_whatever_the_model_says(answer, code):
    assert TASKS["dialect"].parse(answer) == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Lebanese", "LEB"),
        ("Levantine (Lebanese)", "LEB"),
        ("السعودية", "KSA"),
        ("المتحدث تونسي", "TUN"),
        ("Levantine", None),
        ("Egyptian", "EGY"),
        ("Modern Standard Arabic", "MSA"),
    ],
)
def test_with_countries_a_region_is_no_answer(answer, code):
    assert COUNTRIES.parse(answer) == code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("Happy", "happy"),
        ("The speaker sounds angry", "angry"),
        ("المتحدث غاضب جدا", "angry"),
        ("غاضبة", "angry"),
        ("صوته حزين", "sad"),
        ("He is not happy; he is sad.", "sad"),
        ("unhappy", "sad"),
        ("To answer your question: the speaker is full of joy", "happy"),
        ("neutral tone", "neutral"),
        ("happysad", None),
    ],
)
def test_an_emotion_is_found_in_whatever_the_model_says(answer, code):
    assert TASKS["emotion"].parse(answer) == code


@pytest.mark.parametrize("language", ["en", "ar", "code"])
@pytest.mark.parametrize("inventory", [DIALECTS.regions(), DIALECTS.countries()])
def test_every_target_is_parsed_back_as_its_own_label(inventory, language):
    task = build_tasks(["dialect"], TaskOptions(dialects=inventory, label_language=language))["dialect"]
    for code in inventory.codes:
        target = task.target(loaded("dialect", dialect=code))
        for answer in (target, f"The dialect is {target}.", f"«{target}»", f"الإجابة: {target}"):
            assert task.parse(answer) == code


@given(text=st.text())
def test_parsing_never_fails_and_gives_a_label_or_nothing(text):
    for task in (TASKS["dialect"], TASKS["emotion"], COUNTRIES):
        assert task.parse(text) in (None, *task.inventory.codes)
    for name in ("asr", "ssum"):
        assert TASKS[name].parse(text) is None or TASKS[name].parse(text).strip()


CODES = DIALECTS.regions().codes
pairs = st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)), min_size=1, max_size=40)


@given(pairs=pairs)
def test_f1_and_accuracy_equal_scikit_learns(pairs):
    references, answers = zip(*pairs, strict=True)
    scores = TASKS["dialect"].score(answers, references)
    labels = sorted(set(references))
    assert scores["accuracy"] == pytest.approx(accuracy_score(references, answers))
    expected = f1_score(references, answers, labels=labels, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(expected)
    weighted = f1_score(references, answers, labels=labels, average="weighted", zero_division=0)
    assert scores["weighted_f1"] == pytest.approx(weighted)


def test_where_languages_are_mixed_each_script_has_a_wer_of_its_own():
    """Of two Latin words one is written in Arabic; beside five Arabic ones another is put in."""
    reference, answer = "شاهدت الفيديو على YouTube ثم على Facebook", "شاهدت الفيديو على يوتيوب ثم في على Facebook"
    scores = TASKS["asr"].score([answer], [reference])
    assert (scores["wer_latin"], scores["wer_arabic"]) == pytest.approx((1 / 2, 1 / 5))
    assert scores["wer"] == pytest.approx(2 / 7)
    assert "wer_latin" not in TASKS["asr"].score(["شاهدت YouTube"], ["شاهدت الفيديو"])


def test_an_invalid_answer_is_an_error_of_its_own_column():
    task = TASKS["dialect"]
    table = task.tally(["Egyptian", "no idea", "Gulf"], ["EGY", "EGY", "EGY"]).sum(axis=0)
    row = task.confusion(table)[CODES.index("EGY")]
    assert (row[CODES.index("EGY")], row[CODES.index("GLF")], row[-1]) == (1, 1, 1)
    assert task.score(["no idea"], ["EGY"]) == {"macro_f1": 0, "weighted_f1": 0, "accuracy": 0, "invalid": 1}


@given(data=st.data())
def test_scores_are_functions_of_the_sum_of_the_tallies(data):
    name = data.draw(st.sampled_from(sorted(TASKS)))
    task = TASKS[name]
    words = st.sampled_from(CODES) if task.kind == "discriminative" else st.sampled_from(["نص قصير", "كلمة", "قال نعم"])
    rows = data.draw(st.lists(st.tuples(words, words), min_size=2, max_size=6))
    answers, references = zip(*rows, strict=True)
    if name == "emotion":
        answers, references = (["happy"] * len(rows), ["sad"] * len(rows))
    tallies = task.tally(answers, references)
    halves = task.metrics(np.stack([tallies[:1].sum(axis=0), tallies[1:].sum(axis=0)]).sum(axis=0))
    assert {k: float(v) for k, v in halves.items()} == pytest.approx(task.score(answers, references))


def test_an_inventory_refuses_double_codes_and_lost_regions():
    label = Label(code="X", english="X", arabic="س")
    with pytest.raises(ValueError, match="twice: X"):
        Inventory(labels=(label, label))
    with pytest.raises(ValueError, match="Y"):
        Inventory(labels=(label.model_copy(update={"region": "Y"}),))


def test_an_empty_inventory_is_refused_by_its_task():
    with pytest.raises(TaskError, match="no labels"):
        build_tasks(["emotion"], replace(TaskOptions(), emotions=Inventory(labels=())))


def test_levels_of_emotion_are_an_inventory_like_any_other():
    task = build_tasks(["emotion"], TaskOptions(emotions=EMOTION_LEVELS))["emotion"]
    assert task.parse("The emotion is high.") == "high"
    assert task.parse("عادي") == "normal"
