"""Settling reviews: who counts, what each policy chooses, what counts as verified, and that doing it again changes
nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.records import AramegaError, Draft, DraftedPassage, Region, ResolvedPassage, Review, moment
from aramega.settle.disagreement import Limits, needs_referee
from aramega.settle.distances import cer_between, choose_medoid, edit_distance
from aramega.settle.policies import Policy, PolicyName, policy_name, resolve_passage
from aramega.settle.resolve import resolve_workspace
from aramega.settle.standing import FIELDS, standing
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import add_reviews, resolved_of
from tests.support.drafts import Annotator, drafted_workspace
from tests.support.workspaces import a_recording

NOON = datetime(2026, 2, 2, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> DraftedPassage:
    """One drafted passage of two segments: news in MSA, neutral."""
    workspace = drafted_workspace(tmp_path_factory.mktemp("ws"), recordings=1, passages=1, clips=False)
    with Store.open(workspace) as store:
        return load_drafted(store, next(find_passages(store)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six drafted passages in two recordings."""
    return Store.create_or_open(drafted_workspace(tmp_path / "ws", clips=False))


@pytest.fixture
def team() -> tuple[Annotator, Annotator, Annotator]:
    return Annotator("amal"), Annotator("basim"), Annotator("dina")


Team = tuple[Annotator, Annotator, Annotator]


def whole(passage: DraftedPassage, **changed: str) -> dict[str, str]:
    """What an annotator submits who leaves every field as it was drafted, but for `changed`."""
    draft = passage.draft
    assert draft.transcript
    assert draft.summary
    as_drafted = {
        "transcript": draft.transcript.text,
        "summary": draft.summary.text,
        "title": draft.summary.title,
        "dialect": "MSA",
        "emotion": "neutral",
    }
    return {**as_drafted, **changed}


def settle(
    passage: DraftedPassage, *reviews: Review, policy: PolicyName = "majority", **more: object
) -> ResolvedPassage:
    return resolve_passage(passage, reviews, Policy(policy, **more))  # type: ignore[arg-type]


# Who counts


def test_an_annotators_correction_supersedes_what_they_said_before(drafted: DraftedPassage, team: Team) -> None:
    amal, *_ = team
    first = amal.says(drafted.id, **whole(drafted, title="عنوان"))
    second = amal.says(drafted.id, **whole(drafted, title="عنوان أفضل"))
    settled = settle(drafted, second, first)
    assert settled.title.value == "عنوان أفضل"
    assert settled.reviews == (second.id,)


@pytest.mark.parametrize("state", ["skipped", "draft"])
def test_what_was_skipped_or_only_begun_settles_nothing(drafted: DraftedPassage, team: Team, state: str) -> None:
    amal, basim, _ = team
    settled = settle(drafted, amal.says(drafted.id, state=state, transcript="لا شيء"))
    assert settled.transcript.value == drafted.draft.transcript.text  # type: ignore[union-attr]
    assert settled.reviews == ()
    said = basim.says(drafted.id, **whole(drafted))
    assert settle(drafted, said, amal.says(drafted.id, state=state)).reviews == (said.id,)


def test_times_written_in_two_ways_are_compared_as_times() -> None:
    assert moment("2026-02-01T10:00:00Z") == moment("2026-02-01T12:00:00.000000+02:00")
    assert moment("yesterday") < moment("1970-01-01T00:00:00Z")
    late = Review("b", "p", "amal", "submitted", "2026-02-01T10:30:00Z")
    early = replace(late, id="a", updated_at="2026-02-01T11:00:00+01:00")
    assert standing([late, early]) == [late]


# What is verified, and how far it is from the draft


def test_accepting_a_draft_as_it_is_verifies_it(drafted: DraftedPassage, team: Team) -> None:
    settled = settle(drafted, team[0].says(drafted.id, **whole(drafted)))
    assert settled.accepted
    for name in FIELDS:
        field = getattr(settled, name)
        assert (field.verified, field.how, field.annotators, field.distance) == (True, "single", ("amal",), 0.0)
    assert [line.text for line in settled.lines] == [line.text for line in drafted.draft.transcript.lines]  # type: ignore[union-attr]


def test_a_field_nobody_was_asked_for_keeps_the_draft_and_is_not_verified(drafted: DraftedPassage, team: Team) -> None:
    settled = settle(drafted, team[0].says(drafted.id, summary="ملخص جديد."))
    assert (settled.summary.value, settled.summary.verified) == ("ملخص جديد.", True)
    assert settled.transcript.value == drafted.draft.transcript.text  # type: ignore[union-attr]
    assert (settled.transcript.verified, settled.transcript.how) == (False, "draft")
    assert (settled.dialect.value, settled.dialect.verified) == ("MSA", False)


def test_distance_is_characters_typed_over_the_longer_text_and_a_label_is_the_same_or_not() -> None:
    assert edit_distance("كتاب", "كتب") == 0.25
    assert edit_distance("كتاب", "كتاب.") == pytest.approx(0.2)  # a full stop is typed, too
    assert edit_distance("آ", "\u0627\u0653") == 0.0  # one letter, in two ways
    assert edit_distance(None, "كتاب") is None
    assert edit_distance("", "") is None


def test_another_dialect_is_at_distance_one(drafted: DraftedPassage, team: Team) -> None:
    assert settle(drafted, team[0].says(drafted.id, **whole(drafted, dialect="EGY"))).dialect.distance == 1.0


def test_a_corrected_transcript_brings_its_lines(drafted: DraftedPassage, team: Team) -> None:
    first, second = drafted.draft.transcript.lines  # type: ignore[union-attr]
    corrected = f"{first.text} أمس {second.text}"
    settled = settle(drafted, team[0].says(drafted.id, **whole(drafted, transcript=corrected)))
    assert " ".join(line.text for line in settled.lines) == corrected
    assert [line.segment for line in settled.lines] == [s.id for s in drafted.segments]


def test_regions_are_the_transcript_where_an_annotator_worked_on_them(drafted: DraftedPassage, team: Team) -> None:
    one, two = drafted.segments
    regions = (Region(two.start, two.end, "ثانيا"), Region(one.start, one.end, "أولا"))
    settled = settle(drafted, team[0].says(drafted.id, regions=regions))
    assert settled.transcript.value == "أولا ثانيا"
    assert [line.text for line in settled.lines] == ["أولا", "ثانيا"]


# Accepted or not


def test_rejection_needs_more_than_half_and_gives_the_most_given_reason(drafted: DraftedPassage, team: Team) -> None:
    amal, basim, dina = team
    no = [who.says(drafted.id, verdict="reject", reason=why) for who, why in ((amal, "music"), (basim, "music"))]
    yes = dina.says(drafted.id, **whole(drafted))
    assert (settle(drafted, *no, yes).accepted, settle(drafted, *no, yes).reason) == (False, "music")
    assert settle(drafted, no[0], yes).reason == "1 of 2 annotators reject it: music"
    assert settle(drafted, amal.says(drafted.id, verdict="reject")).reason == "rejected without a reason"


def test_remarks_do_not_make_one_reason_two(drafted: DraftedPassage, team: Team) -> None:
    reasons = ("cut", "music: شعار القناة", "music: إعلان")
    rejected = [who.says(drafted.id, verdict="reject", reason=why) for who, why in zip(team, reasons, strict=True)]
    assert settle(drafted, *rejected).reason == "music: إعلان"


def test_what_someone_rejects_they_did_not_verify(drafted: DraftedPassage, team: Team) -> None:
    settled = settle(drafted, team[0].says(drafted.id, verdict="reject", **whole(drafted)))
    assert not settled.transcript.verified
    assert settled.transcript.how == "draft"


@pytest.mark.parametrize("name", ["transcript", "summary"])
def test_an_accepted_passage_with_an_emptied_text_is_not_accepted(
    drafted: DraftedPassage, team: Team, name: str
) -> None:
    settled = settle(drafted, team[0].says(drafted.id, **whole(drafted, **{name: " "})))
    assert (settled.accepted, settled.reason) == (False, f"accepted with an empty {name}")


def test_a_summary_alone_does_not_make_a_passage_that_has_no_words(drafted: DraftedPassage, team: Team) -> None:
    wordless = replace(drafted, draft=Draft())
    settled = settle(wordless, team[0].says(drafted.id, summary="ملخص."))
    assert (settled.accepted, settled.reason, settled.lines[0].text) == (False, "it has no transcript", "")


REGIONS = {"MSA": "MSA", "EGY": "EGY", "GLF": "GLF", "IRA": "GLF"}


def region_of(said: str) -> str:
    """An inventory of three regions that knows where Iraq lies."""
    return REGIONS.get(said, "")


def test_a_label_outside_the_inventory_is_no_answer(drafted: DraftedPassage, team: Team) -> None:
    settled = settle(drafted, team[0].says(drafted.id, dialect="Klingon"), labels={"dialect": region_of})
    assert (settled.dialect.value, settled.dialect.verified) == ("MSA", False)


def test_a_country_counts_for_its_region_where_the_inventory_has_regions(drafted: DraftedPassage, team: Team) -> None:
    votes = [who.says(drafted.id, dialect=said) for who, said in zip(team, ("IRA", "EGY", "GLF"), strict=True)]
    settled = settle(drafted, *votes, labels={"dialect": region_of})
    assert (settled.dialect.value, settled.dialect.annotators) == ("GLF", ("amal", "dina"))


@pytest.mark.parametrize("decision", ["keep", "review first", "reject", None])
def test_a_draft_nobody_has_looked_at_is_accepted_unless_the_checks_rejected_it(
    drafted: DraftedPassage, decision: str | None
) -> None:
    verdict = replace(drafted.draft.verdict, decision=decision) if decision else None  # type: ignore[type-var]
    settled = settle(replace(drafted, draft=replace(drafted.draft, verdict=verdict)))
    assert settled.accepted == (decision != "reject")
    assert settled.reason == ("rejected by the checks: unsure" if decision == "reject" else "")
    assert not any(getattr(settled, name).verified for name in FIELDS)
    assert [line.text for line in settled.lines] == [line.text for line in drafted.draft.transcript.lines]  # type: ignore[union-attr]


# Policies


@pytest.mark.parametrize(("verdict", "accepted"), [("", False), ("accept", True), ("fix", True)])
def test_what_the_checks_rejected_stays_rejected_until_somebody_gives_another_verdict(
    drafted: DraftedPassage, team: Team, verdict: str, accepted: bool
) -> None:
    by_checks = replace(drafted.draft.verdict, decision="reject", reasons=("noisy",))  # type: ignore[type-var]
    rejected = replace(drafted, draft=replace(drafted.draft, verdict=by_checks))
    settled = settle(rejected, team[0].says(drafted.id, verdict=verdict, transcript="نص مصحح"))
    assert (settled.accepted, settled.reason) == (accepted, "" if accepted else "rejected by the checks: noisy")
    assert settled.transcript.value == "نص مصحح"
    assert settle(drafted, team[0].says(drafted.id, verdict="", transcript="نص مصحح")).accepted


def test_single_takes_the_last_answer_to_each_field(drafted: DraftedPassage, team: Team) -> None:
    amal, basim, _ = team
    reviews = [amal.says(drafted.id, **whole(drafted, title="أول")), basim.says(drafted.id, title=None, summary="ثان.")]
    reviews[1] = replace(reviews[1], updated_at="2026-03-01T00:00:00Z")
    settled = settle(drafted, *reviews, policy="single")
    assert (settled.summary.value, settled.summary.annotators) == ("ثان.", ("basim",))
    assert (settled.title.value, settled.title.how) == ("أول", "single")


def test_majority_votes_on_labels_and_takes_the_text_closest_to_all_others(drafted: DraftedPassage, team: Team) -> None:
    texts = ("فاز المنتخب", "فاز المنتخب الوطني", "فاز المنتخب الوطني أمس مساء")
    dialects = ("EGY", "LEV", "EGY")
    reviews = [
        who.says(drafted.id, **whole(drafted, transcript=text, dialect=dialect))
        for who, text, dialect in zip(team, texts, dialects, strict=True)
    ]
    settled = settle(drafted, *reviews)
    assert (settled.transcript.value, settled.transcript.annotators) == (texts[1], ("basim",))
    assert (settled.dialect.value, settled.dialect.annotators) == ("EGY", ("amal", "dina"))
    assert settled.dialect.how == "majority"


def test_a_tied_label_goes_to_the_draft_as_one_more_voice_then_to_the_last(drafted: DraftedPassage) -> None:
    def vote(*labels: str) -> str:
        said = [Annotator(f"number {i}").says(drafted.id, dialect=label) for i, label in enumerate(labels)]
        return settle(drafted, *said).dialect.value

    assert vote("MSA", "EGY") == "MSA"
    assert vote("GLF", "LEV", "NOR") == "NOR"


def test_gold_settles_what_it_answers_and_the_rest_goes_by_majority(drafted: DraftedPassage, team: Team) -> None:
    amal, basim, dina = team
    gold = amal.says(drafted.id, dialect="GLF", gold=True)
    others = [who.says(drafted.id, dialect="EGY", emotion="sad") for who in (basim, dina)]
    settled = settle(drafted, gold, *others, policy="gold")
    assert (settled.dialect.value, settled.dialect.how) == ("GLF", "gold")
    assert (settled.emotion.value, settled.emotion.how) == ("sad", "majority")
    assert settle(drafted, *others, policy="gold").dialect.value == "EGY"


def test_the_most_trusted_annotator_goes_first(drafted: DraftedPassage, team: Team) -> None:
    reviews = [who.says(drafted.id, dialect=d) for who, d in zip(team, ("EGY", "EGY", "GLF"), strict=True)]
    settled = settle(drafted, *reviews, policy="trusted", trust={"dina": 0.9, "amal": 0.6})
    assert (settled.dialect.value, settled.dialect.how) == ("GLF", "trusted")
    assert settle(drafted, *reviews, policy="trusted").dialect.how == "majority"


def test_a_disagreement_waits_for_a_referee_who_then_settles_it(drafted: DraftedPassage, team: Team) -> None:
    amal, basim, dina = team
    reviews = [amal.says(drafted.id, **whole(drafted)), basim.says(drafted.id, **whole(drafted, dialect="EGY"))]
    waiting = settle(drafted, *reviews, policy="referee")
    assert (waiting.accepted, waiting.reason) == (False, "a referee has to look: annotators disagree on dialect")
    word = dina.says(drafted.id, **whole(drafted, dialect="LEV"))
    settled = settle(drafted, *reviews, word, policy="referee", referees={"dina"})
    assert settled.accepted
    assert (settled.dialect.value, settled.dialect.how) == ("LEV", "referee")


def test_where_annotators_agree_no_referee_is_asked(drafted: DraftedPassage, team: Team) -> None:
    amal, basim, _ = team
    reviews = [amal.says(drafted.id, **whole(drafted)), basim.says(drafted.id, verdict="fix", **whole(drafted))]
    settled = settle(drafted, *reviews, policy="referee")
    assert (settled.accepted, settled.dialect.how) == (True, "majority")


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ({"transcript": "فاز المنتخب الوطني"}, {"transcript": "فاز المنتخب، الوطنيّ."}, ()),
        ({"transcript": "فاز المنتخب الوطني"}, {"transcript": "خسر فريق آخر"}, ("transcript",)),
        ({"verdict": "reject"}, {"verdict": "accept"}, ("verdict",)),
        ({"emotion": "sad"}, {"emotion": "happy"}, ("emotion",)),
        ({"emotion": "sad"}, {}, ()),
    ],
)
def test_a_referee_is_needed_for_what_differs_in_substance(
    team: Team, one: dict[str, str], other: dict[str, str], wanted: tuple[str, ...]
) -> None:
    assert needs_referee([team[0].says("p", **one), team[1].says("p", **other)], Limits()) == wanted


def test_one_review_alone_needs_no_referee(team: Team) -> None:
    assert needs_referee([team[0].says("p", transcript="نعم")], Limits()) == ()


def test_quality_flags_count_where_half_of_the_annotators_set_them(drafted: DraftedPassage, team: Team) -> None:
    flags = (("music",), ("music", "overlap"), ())
    reviews = [who.says(drafted.id, flags=f) for who, f in zip(team, flags, strict=True)]
    assert settle(drafted, *reviews).flags == ("music",)


def test_a_policy_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(AramegaError, match=r"--policy best: .* single, majority, gold, trusted, referee"):
        policy_name("best")


# What holds for any reviews

ANSWERS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["submitted", "submitted", "skipped", "draft"]),
        "verdict": st.sampled_from(["accept", "fix", "reject", ""]),
        "transcript": st.none() | st.sampled_from(["فاز المنتخب", "فاز المنتخب الوطني", "خسر", " "]),
        "summary": st.none() | st.sampled_from(["ملخص.", "ملخص آخر.", ""]),
        "dialect": st.none() | st.sampled_from(["MSA", "EGY", ""]),
        "gold": st.booleans(),
    }
)
SESSIONS = st.lists(st.tuples(st.sampled_from("abc"), ANSWERS), max_size=7)


@given(session=SESSIONS, policy=st.sampled_from(get_args(PolicyName)), data=st.data())
@settings(max_examples=150)
def test_the_answer_depends_on_what_was_said_and_not_on_the_order_it_is_read_in(
    drafted: DraftedPassage, session: list[tuple[str, dict[str, str]]], policy: PolicyName, data: st.DataObject
) -> None:
    people = {name: Annotator(name) for name in "abc"}
    reviews = [people[who].says(drafted.id, **what) for who, what in session]
    settled = settle(drafted, *reviews, policy=policy)
    assert settle(drafted, *data.draw(st.permutations(reviews)), policy=policy) == settled
    for name in FIELDS:
        field = getattr(settled, name)
        assert field.verified == bool(field.annotators) == (field.how != "draft")
    assert settled.accepted == (not settled.reason)
    assert " ".join(line.text for line in settled.lines).split() == settled.transcript.value.split()


@given(st.lists(st.text("ابتة ", max_size=12), min_size=1, max_size=6))
def test_no_text_is_closer_to_all_others_than_the_medoid(texts: list[str]) -> None:
    chosen = texts[choose_medoid(texts)]
    far = [sum(cer_between(one, other) for other in texts) for one in texts]
    assert sum(cer_between(chosen, other) for other in texts) == pytest.approx(min(far))


# A whole workspace


def test_settling_again_changes_nothing_until_someone_says_more(store: Store, team: Team) -> None:
    passages = list(find_passages(store))
    add_reviews(store, [team[0].says(p, **whole(load_drafted(store, p))) for p in passages[:2]])
    first = resolve_workspace(store, Policy(), now=NOON)
    assert (first.passages, first.reviewed, first.accepted, first.changed) == (6, 2, 2, 6)
    assert first.verified == dict.fromkeys(FIELDS, 2)
    assert resolve_workspace(store, Policy(), now=NOON.replace(hour=13)).changed == 0
    add_reviews(store, [team[1].says(passages[0], verdict="reject", reason="music")])
    assert resolve_workspace(store, Policy(), now=NOON.replace(hour=14)).changed == 1
    assert resolved_of(store, passages[0]).resolved_at == "2026-02-02T14:00:00+00:00"  # type: ignore[union-attr]
    assert resolved_of(store, passages[1]).resolved_at == "2026-02-02T12:00:00+00:00"  # type: ignore[union-attr]


def test_only_what_was_asked_for_is_settled(store: Store) -> None:
    assert resolve_workspace(store, Policy(), where="dialect = 'EGY'").passages == 1


def test_trust_comes_from_gold_on_other_passages(store: Store, team: Team) -> None:
    amal, basim, dina = team
    *known, last = find_passages(store)
    for p in known:
        add_reviews(
            store, [dina.says(p, dialect="GLF", gold=True), amal.says(p, dialect="GLF"), basim.says(p, dialect="MSA")]
        )
    add_reviews(store, [amal.says(last, dialect="LEV"), basim.says(last, dialect="NOR")])
    resolve_workspace(store, Policy("trusted"))
    assert resolved_of(store, last).dialect.annotators == ("amal",)  # type: ignore[union-attr]


def test_the_summary_names_what_needs_someone(store: Store, team: Team) -> None:
    amal, basim, _ = team
    one, two, *_ = find_passages(store)
    gone = a_recording("f" * 16).id
    add_reviews(
        store,
        [
            amal.says(one, dialect="MSA"),
            basim.says(one, dialect="EGY"),
            amal.says(two, dialect="Klingon"),
            amal.says(gone, title="مقطع لم يعد هنا"),
        ],
    )
    found = resolve_workspace(store, Policy("referee", labels={"dialect": region_of}))
    assert found.for_referee == (one,)
    assert found.unknown_labels == {"dialect: Klingon": 1}
    assert found.without_passage == (gone,)
    assert found.reasons == {"a referee has to look": 1}
