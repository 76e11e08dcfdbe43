"""Annotators' marks: no model is taught to write brackets, nor to leave out what was said."""

from __future__ import annotations

import datasets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.data import load_examples
from recipes.data.marks import find_marks, without_marks
from tests.recipes.data.test_data import config, passages, published

MARKED = (
    "وصلت فرق الإنقاذ إلى [؟] وما زال البحث مستمرًا.",
    "وما زال البحث مستمرًا في (الطابق؟) الثاني.",
    "فرحنا المست- رحنا العيادة على طول.",
    "وصلت الفرق قبل قليل.",
)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A published set whose first three transcripts hold a mark each."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = [{**row, "transcription": text} for row, text in zip(passages(4), MARKED, strict=True)]
    return published(tmp_path / "set", "ssum", rows)


def targets(path, task, **more):
    examples = load_examples(config({"path": path, "configuration": "ssum", "tasks": [task], **more}), "train")
    return [examples.target(i) for i in range(len(examples))], examples


def test_recognition_is_taught_words_and_never_marks(path):
    written, examples = targets(path, "asr")
    assert written == [
        "وما زال البحث مستمرًا في الطابق الثاني.",
        "فرحنا المست رحنا العيادة على طول.",
        "وصلت الفرق قبل قليل.",
    ]
    assert examples.notes == ("set/ssum, asr: 3 examples; left out: 1 with words nobody understood.",)


def test_every_marked_row_can_be_left_out_of_recognition(path):
    written, examples = targets(path, "asr", marks="leave_out")
    assert written == ["وصلت الفرق قبل قليل."]
    assert examples.notes == ("set/ssum, asr: 1 examples; left out: 3 with words nobody understood.",)


def test_marks_are_kept_where_that_is_asked(path):
    assert targets(path, "asr", marks="keep")[0] == list(MARKED)


def test_a_row_with_a_gap_still_serves_summarization_and_its_text_has_no_mark(path):
    assert len(targets(path, "ssum")[0]) == 4
    _, examples = targets(path, "text_summ")
    assert examples.load(0).document == "وصلت فرق الإنقاذ إلى وما زال البحث مستمرًا."


@pytest.mark.parametrize(
    "text",
    ["حرب 1967-1973 انتهت", "قال - كما يقول - نعم", "(أي الوزير) قال", "أين؟ (هنا)", "e-mail وBBC-2", "[1] أولًا"],
)
def test_what_is_no_mark_stays(text):
    assert find_marks(text) == ()
    assert without_marks(text) == text


@given(st.lists(st.sampled_from(["[؟]", "( الطابق؟)", "المست-", "-شفى", "كلمة", "،", "1", "-", "(", "؟"]), max_size=8))
def test_cleaning_leaves_no_mark_and_is_done_once(words):
    cleaned = without_marks(" ".join(words))
    assert find_marks(cleaned) == ()
    assert without_marks(cleaned) == cleaned
