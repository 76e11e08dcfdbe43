"""What leaves and what comes back, without a server: forms, tasks, annotations, exports."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.config import CheckConfig
from aramega.errors import AramegaError
from aramega.labelstudio.annotations import TaskReader, parse_task
from aramega.labelstudio.clips import checked_id, clip_name
from aramega.labelstudio.compose import compose_file
from aramega.labelstudio.form import annotation_folder, load_template, read_form
from aramega.labelstudio.guidelines import instructions
from aramega.labelstudio.pull import read_array
from aramega.labelstudio.selection import PushRequest, choose_passages, mix_in_gold
from aramega.labelstudio.tasks import describe_doubts, make_task, passage_key
from aramega.records import Word
from aramega.records.choices import PERSONAL_DATA, chosen_reasons, names_personal_data
from aramega.settle.shown import draft_fingerprint
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import find_passage, load_drafted
from aramega.store.reviews import add_reviews
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of
from tests.support.drafts import Annotator, drafted_workspace

TEMPLATES = sorted(p.stem for p in annotation_folder().glob("*.xml"))
AUDIO = "https://clips.example.org/{}.flac"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> WorkspaceFolder:
    return drafted_workspace(tmp_path_factory.mktemp("drafted") / "ws", clips=False)


def desk_of(store: Store, template: str = "passage_review") -> TaskReader:
    return TaskReader(
        url="http://server",
        project=7,
        form=read_form(load_template(template)),
        people={1: "amal@example.org"},
        find=lambda passage: find_passage(store, passage),
        pushed=lambda _: "",
    )


def first_task(store: Store, template: str = "passage_review") -> dict[str, Any]:
    drafted = load_drafted(store, next(find_passages(store)))
    return {"id": 5, **make_task(drafted, AUDIO.format(drafted.id), read_form(load_template(template)), "v1")}


@pytest.mark.parametrize("template", TEMPLATES)
def test_our_own_templates_are_good_and_ask_in_arabic(template: str) -> None:
    form = read_form(load_template(template))
    assert (form.complaints, form.remarks) == ((), ())
    assert re.search("[\u0600-\u06ff]", load_template(template))


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_vendors_sdk_finds_that_what_push_sends_fits_the_form(template: str, drafted: WorkspaceFolder) -> None:
    from label_studio_sdk.label_interface import LabelInterface

    form = LabelInterface(load_template(template))
    with Store.open(drafted) as store:
        task = first_task(store, template)
    for prediction in task.get("predictions", ()):  # a choice between two drafts is sent without any
        assert form.validate_prediction(prediction, return_errors=True) == []
        result = [{**one, "from_name": "weather"} for one in prediction["result"]]
        assert form.validate_prediction({**prediction, "result": result}, return_errors=True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("<View", "<Window"), "it is not XML"),
        (('toName="audio" maxRating', 'toName="sound" maxRating'), "is about `sound`, and nothing here is called that"),
        (("$uncertain", "$weather"), r"it shows \$weather; tasks hold"),
        (('alias="accept"', 'alias="yes"'), "`verdict` offers yes; it must offer accept, fix, reject"),
        (
            ('<Rating name="confidence"', '<Number name="confidence"'),
            "`confidence` is a <Number>; it must be a <Rating>",
        ),
        (('<View className="aramega">', '<!DOCTYPE x><View className="aramega">'), "it declares a DOCTYPE"),
    ],
)
def test_a_form_that_push_and_pull_cannot_use_says_why(change: tuple[str, str], complaint: str) -> None:
    broken = load_template("passage_review").replace(*change, 1)
    assert any(re.search(complaint, line) for line in read_form(broken).complaints)


def test_a_name_that_is_nearly_right_is_remarked_on() -> None:
    form = read_form(load_template("passage_review").replace('name="transcript"', 'name="transcipt"'))
    assert "`transcipt` is not read by pull; did you mean `transcript`?" in form.remarks


def test_the_instructions_are_the_guidelines_with_bullets_that_label_studio_leaves_alone() -> None:
    page = instructions()
    assert page.startswith('<div dir="rtl"><h1>')
    assert re.search(r"<li>\s*1\. <strong>", page)
    assert re.findall(r"<li>\s*", page) == re.findall(r"<li>\s*(?=• |\d+\. )", page)
    assert '<div dir="ltr">' in page
    assert "<script" not in page


def test_a_template_that_is_not_there_is_named_with_ours() -> None:
    with pytest.raises(AramegaError, match=r"none of ours \(pairwise_summary, passage_review"):
        load_template("passage_revue")


def test_what_the_form_does_not_offer_is_left_out_of_the_prediction(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        narrow = read_form(load_template("passage_review").replace('alias="MSA"', 'alias="FUS"'))
        one = load_drafted(store, next(find_passages(store)))
        names = [e["from_name"] for e in make_task(one, AUDIO, narrow, "v")["predictions"][0]["result"]]
        assert names == ["transcript", "summary", "title", "emotion"]


def test_the_fingerprint_changes_with_what_is_shown_and_with_nothing_else(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        draft = load_drafted(store, next(find_passages(store))).draft
    assert draft.summary
    assert draft.verdict
    other = replace(draft, summary=replace(draft.summary, text="غيره"))
    assert draft_fingerprint(other) != draft_fingerprint(draft)
    assert draft_fingerprint(replace(draft, verdict=replace(draft.verdict, priority=0.99))) == draft_fingerprint(draft)


def test_words_the_machine_was_unsure_of_are_named(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        draft = load_drafted(store, next(find_passages(store))).draft
    assert draft.transcript
    words = (Word("وزارة", 0, 1, 0.9), Word("المنتخب", 1, 2, 0.2), Word("المنتخب", 2, 3, 0.1))
    line = replace(draft.transcript.lines[0], words=words, flags=("loop",))
    doubts = describe_doubts(replace(draft, transcript=replace(draft.transcript, lines=(line,))))
    assert "كلمات غير مؤكدة: المنتخب\n" in doubts
    assert "تكرار آلي" in doubts
    assert "وزارة" not in doubts


def test_the_usual_reasons_to_look_are_said_in_arabic(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        draft = load_drafted(store, next(find_passages(store))).draft
    assert draft.verdict
    usual = tuple(rule.partition(":")[0] for rule in CheckConfig().review_first)
    doubts = describe_doubts(replace(draft, verdict=replace(draft.verdict, reasons=usual)))
    assert not re.search("[a-z]", doubts)


def test_regions_come_back_in_seconds_of_the_recording_and_make_the_transcript(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        task = first_task(store, "segment_review")
        task["annotations"] = [{"id": 1, "completed_by": 1, "result": task["predictions"][0]["result"]}]
        (review,) = parse_task(task, desk_of(store, "segment_review")).reviews
        shown = load_drafted(store, task["data"]["passage"])
    assert [(r.start, r.end) for r in review.regions] == [(s.start, s.end) for s in shown.segments]
    assert shown.draft.transcript
    assert [r.text for r in review.regions] == [line.text for line in shown.draft.transcript.lines]
    assert review.transcript == shown.draft.transcript.text


def test_a_project_made_with_the_form_of_before_is_still_pulled(drafted: WorkspaceFolder) -> None:
    today = load_template("passage_review")
    new = re.compile(r'\n *<Choice [^>]*alias="(?:personal data|recitation or adhan)"[^>]*/>')
    before = new.sub("", today).replace('"other language"', '"wrong language"')
    assert before.count("\n") == today.count("\n") - 3
    with Store.open(drafted) as store:
        task = first_task(store)
        chosen = [{"from_name": "flags", "value": {"choices": ["music", "wrong language"]}}]
        task["annotations"] = [{"id": 1, "completed_by": 1, "result": chosen}]
        taken = parse_task(task, replace(desk_of(store), form=read_form(before)))
    assert taken.complaints == ()
    assert taken.reviews[0].flags == ("music", "other language")


def test_a_passage_is_flagged_for_personal_data_by_a_flag_or_by_the_reason_it_is_rejected_for() -> None:
    amal = Annotator("amal")
    assert names_personal_data(amal.says("p", flags=("music", PERSONAL_DATA)))
    assert names_personal_data(amal.says("p", verdict="reject", reason=PERSONAL_DATA))
    assert names_personal_data(amal.says("p", verdict="reject", reason=f"{PERSONAL_DATA}: عند الدقيقة"))
    assert not names_personal_data(amal.says("p", verdict="reject", reason=f"other: no {PERSONAL_DATA}"))


@pytest.mark.parametrize(
    ("reason", "chosen"),
    [
        ("", ()),
        ("music or advert", ("music or advert",)),
        ("music or advert: 0555", ("music or advert",)),
        ("0555", ()),
        ("Sarah, cut", ("cut",)),
        ("prefers openai:a p@1 to whisper:b p@2. shorter, better written: 0555", ("shorter", "better written")),
        ("finds both summaries as good as each other. 0555", ()),
    ],
)
def test_of_a_reason_only_what_a_form_offers_is_a_choice(reason: str, chosen: tuple[str, ...]) -> None:
    assert chosen_reasons(reason) == chosen


@settings(max_examples=60, deadline=None)
@given(
    annotations=JSON, drafts=JSON, entry=st.dictionaries(st.sampled_from(["from_name", "id", "value", "type"]), JSON)
)
def test_no_annotation_however_odd_stops_a_pull(
    drafted: WorkspaceFolder, annotations: Any, drafts: Any, entry: dict[str, Any]
) -> None:
    with Store.open(drafted) as store:
        task = first_task(store)
        fields = ("transcript", "flags", "confidence", "speech", "verdict")
        result = [{**entry, "from_name": name} for name in fields] + [entry]
        task["annotations"] = [{"id": 1, "result": result, "completed_by": annotations}, annotations]
        task["drafts"] = [{"id": 2, "result": drafts}]
        taken = parse_task(task, desk_of(store))
        assert not taken.refused
        assert len(taken.reviews) >= 2  # a third where what was made up has a number
        add_reviews(store, taken.reviews)
        connection_of(store).execute("DELETE FROM reviews")


@given(items=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=8), piece=st.integers(1, 40))
def test_a_large_export_is_read_piece_by_piece_as_it_is(items: list[Any], piece: int) -> None:
    plain = (
        json.loads(json.dumps(items, allow_nan=False, default=str).replace("NaN", "0")) if not _has_nan(items) else []
    )
    assert list(read_array(io.StringIO(json.dumps(plain, indent=1)), piece)) == plain


def _has_nan(items: Any) -> bool:
    return bool(re.search(r"NaN|Infinity", json.dumps(items)))


def test_an_export_that_breaks_off_is_said_to() -> None:
    with pytest.raises(AramegaError, match="breaks off in the middle"):
        list(read_array(io.StringIO('[{"id": 1}, {"id": 2')))
    with pytest.raises(AramegaError, match="not a JSON array"):
        list(read_array(io.StringIO("<html>")))


@given(st.text(max_size=40))
def test_an_id_that_passes_is_one_plain_word(text: str) -> None:
    try:
        assert checked_id(text) == text
    except AramegaError:
        return
    assert re.fullmatch(r"[\w-]+", text, re.ASCII)


@pytest.mark.parametrize(
    ("address", "passage"),
    [
        ("/data/local-files/?d=ws/clips/00/abc/abc-1-2.flac", "abc-1-2"),
        ("https://host/clips/00/abc/abc-1-2.flac?X-Amz-Signature=1", "abc-1-2"),
        ("s3://bucket/abc-1-2.flac", "abc-1-2"),
        ("/data/upload/3/0a1b2c3d-abc-1-2.flac", "abc-1-2"),
        ("/data/local-files/?d=clips/../../etc/abc-1-2.flac", ""),
        ("/data/local-files/?d=clips/%2e%2e/abc-1-2.flac", ""),
        ("https://host/abc-1-2.mp3", ""),
    ],
)
def test_an_address_tells_which_passage_it_plays(address: str, passage: str) -> None:
    assert clip_name(address) == passage


def test_the_key_ties_a_passage_to_its_sound() -> None:
    assert len({passage_key("a", "x"), passage_key("a", "y"), passage_key("b", "x"), passage_key("a", "x")}) == 3


@given(
    others=st.lists(st.integers(0, 999).map(str), unique=True, max_size=60),
    gold=st.lists(st.integers(1000, 1999).map(str), unique=True, max_size=30),
    rate=st.floats(0.01, 0.5),
)
def test_gold_is_spread_among_the_others_and_loses_none_of_them(
    others: list[str], gold: list[str], rate: float
) -> None:
    mixed = mix_in_gold(others, gold, rate)
    assert [p for p in mixed if p in others] == others
    assert [p for p in mixed if p in gold] == gold[: len(mixed) - len(others)]
    assert len(mixed) - len(others) <= rate * len(mixed) * 1.6 + 1


def test_gold_passages_are_those_with_a_gold_review(drafted: WorkspaceFolder) -> None:
    with Store.open(drafted) as store:
        passages = list(find_passages(store))
        add_reviews(store, [replace(Annotator("amal").says(passages[3]), gold=True)])
        chosen = choose_passages(store, PushRequest("p", where=f"passage <> '{passages[3]}'", gold=0.2))
        connection_of(store).execute("DELETE FROM reviews")
    assert chosen[0] == passages[3]
    assert sorted(chosen) == passages


def test_the_compose_file_holds_no_secret_and_serves_only_the_clips(tmp_path: Path) -> None:
    text = compose_file(WorkspaceFolder(tmp_path / "ws"))
    assert f"{tmp_path}/ws/clips:/label-studio/files/clips:ro" in text
    assert "${POSTGRES_PASSWORD:?}" in text
    assert '"127.0.0.1:8080:8080"' in text
