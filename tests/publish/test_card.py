"""The card: its header is read by huggingface_hub and datasets, its tables are tables, its quick start runs."""

from __future__ import annotations

import re

import datasets
import pytest
from huggingface_hub import DatasetCard
from huggingface_hub.repocard import metadata_load

from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.reviews import add_reviews
from tests.publish.sets import a_set, publish_to, resolve
from tests.support.drafts import Annotator


@pytest.fixture
def workspace(tmp_path):
    made = a_set(tmp_path / "w", recordings=12, passages=1)
    resolve(made)
    return made


def card_of(workspace, folder, **options):
    publish_to(workspace, folder, **options)
    return DatasetCard.load(folder / "README.md")


def test_its_header_says_what_the_hub_files_it_under(workspace, tmp_path):
    data = card_of(workspace, tmp_path / "set", title="Evening News").data
    assert data.language == ["ar"]
    assert data.license == "cc-by-4.0"
    assert data.pretty_name == "Evening News"
    assert data.size_categories == ["n<1K"]
    assert {"summarization", "automatic-speech-recognition", "audio-classification"} <= set(data.task_categories)
    assert "human-reviewed" in data.tags


def test_its_features_are_those_of_the_files(workspace, tmp_path):
    publish_to(workspace, tmp_path / "set")
    infos = metadata_load(tmp_path / "set" / "README.md")["dataset_info"]
    for info in infos:
        told = datasets.Features._from_yaml_list(info["features"])
        loaded = datasets.load_dataset(str(tmp_path / "set"), info["config_name"])
        assert all(split.features == told for split in loaded.values())
        assert {name: split.num_rows for name, split in loaded.items()} == {
            split["name"]: split["num_examples"] for split in info["splits"]
        }


def test_its_tables_are_tables(workspace, tmp_path):
    text = card_of(workspace, tmp_path / "set").text
    assert "|\n\n|" not in text
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        lines = table.splitlines()
        assert re.fullmatch(r"(\|-+)+\|", lines[1]), table
        assert len({line.count("|") for line in lines}) == 1, table


def test_its_quick_start_runs(workspace, tmp_path, capsys):
    text = card_of(workspace, tmp_path / "set").text
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    assert "16000" in capsys.readouterr().out


def test_its_pictures_are_there_and_show_what_the_tables_say(workspace, tmp_path):
    text = card_of(workspace, tmp_path / "set").text
    for name in re.findall(r"!\[.*?\]\((.*?)\)", text):
        picture = (tmp_path / "set" / name).read_text(encoding="utf-8")
        assert picture.startswith("<svg ")
        assert "train" in picture


def test_what_nobody_told_is_said_to_be_unknown(workspace, tmp_path):
    text = card_of(workspace, tmp_path / "set").text
    for said in (
        "What the recordings are, beyond what the columns say: unknown.",
        "Who the annotators are, how they were trained and paid: unknown.",
        "How those who are heard agreed, or why none was needed: unknown.",
        "Agreement between annotators: unknown",
    ):
        assert said in text


def test_a_set_without_reviews_says_that_no_person_has_looked(tmp_path):
    text = card_of(a_set(tmp_path / "w", recordings=2), tmp_path / "set").text
    assert "no person has reviewed it yet" in text
    assert "لم يراجعه إنسان" in text
    assert "| word error rate of the draft, against people | unknown |" in text


def test_labels_that_nobody_gave_are_not_claimed(tmp_path):
    from aramega.records import Settled

    workspace = a_set(tmp_path / "w", recordings=2)
    resolve(workspace, dialect=Settled(""), emotion=Settled(""))
    text = card_of(workspace, tmp_path / "set").text
    assert "title and topics. People reviewed" in text
    assert "| `dialect` | a passage's" not in text
    resolve(workspace, emotion=Settled(""))
    assert "title and topics, and, where it is known, dialect. People" in card_of(workspace, tmp_path / "set").text


def test_agreement_and_the_draft_s_error_rate_are_counted_from_reviews(workspace, tmp_path):
    with Store.create_or_open(workspace) as store:
        passage = next(find_passages(store))
        first, second = Annotator("amal"), Annotator("badr")
        add_reviews(
            store,
            [
                first.says(passage, dialect="EGY", emotion="sad", transcript="واحد اثنان"),
                second.says(passage, dialect="EGY", emotion="happy", transcript="واحد اثنين"),
            ],
        )
    text = card_of(workspace, tmp_path / "set", test_verified_only=False).text
    assert "2 annotators gave 2 reviews" in text
    assert "the same verdict 100.0 %, the same dialect 100.0 %, the same emotion 0.0 %" in text
    assert "a character error rate of 10.0 %" in text


def test_markup_in_a_transcript_stays_text(tmp_path):
    from aramega.records import Settled

    workspace = a_set(tmp_path / "w", recordings=1, passages=1)
    resolve(workspace, title=Settled("<script>alert(1)</script> | x", verified=True))
    text = card_of(workspace, tmp_path / "set").text
    assert "<script>" not in text
    assert "&lt;script>" in text


def test_its_numbers_are_right_in_arabic_whatever_they_are(workspace, tmp_path):
    text = card_of(workspace, tmp_path / "set").text
    assert 'عدد المقاطع: <bdi dir="ltr">12</bdi>' in text
    assert "مقطعًا" not in text


def test_it_says_what_marks_mean_and_what_no_person_has_seen(workspace, tmp_path):
    text = card_of(workspace, tmp_path / "set").text
    assert all(mark in text for mark in ("`[؟]`", "`(الطابق؟)`", "`المست-`"))
    assert "Topics are a machine's" in text
    assert "| title verified by a person | 100 %" in text
    assert "What annotators remarked is not published." in text
