"""Transcribing: segments share windows, phrases find their segments, and what may be no transcript is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.config import Config, TranscribeConfig
from aramega.engine.local import LocalEngine
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import AramegaError, DraftedPassage, Metadata, Segment, Transcript, Word, stretch_id
from aramega.sources import find_sources
from aramega.stages.base import Step
from aramega.stages.transcribe import Transcribe
from aramega.stages.transcribe.doubts import PHANTOMS, doubts
from aramega.stages.transcribe.subtitles import Subtitles, find_subtitles, read_subtitles
from aramega.stages.transcribe.windows import Stretch, lay_on_segments, pack_windows, repack_missed, single_windows
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace


def segments(*times: tuple[float, float]) -> list[Segment]:
    return [Segment(stretch_id("r", a, b), "r", a, b) for a, b in times]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Segment], float, float]:
    """Segments of at most 30 s with pauses between them, and the clip around them."""
    at, times = draw(st.integers(0, 100)) / 10, []
    for _ in range(draw(st.integers(1, 8))):
        begin = at + draw(st.integers(0, 40)) / 10
        at = begin + draw(st.integers(2, 290)) / 10
        times.append((begin, at))
    return segments(*times), max(0.0, times[0][0] - 0.15), at + 0.15


@given(stories())
def test_every_segment_is_in_one_window_and_no_window_is_too_long(story: tuple[list[Segment], float, float]) -> None:
    inside, start, end = story
    windows = pack_windows(inside, start, end, 30.0)
    assert [s for w in windows for s in w.segments] == inside
    for window in windows:
        assert window.end - window.start <= 30.0 + 1e-9
        assert window.start <= window.segments[0].start
        assert window.end >= window.segments[-1].end
    assert len(windows) <= len(single_windows(inside, start, end))


def test_short_segments_share_a_window_and_a_long_pause_is_not_heard_at_a_windows_edge() -> None:
    inside = segments((0.2, 5), (5.5, 12), (13, 24), (27, 40))
    windows = pack_windows(inside, 0.05, 40.15, 30.0)
    assert [len(w.segments) for w in windows] == [3, 1]
    assert (windows[0].end, windows[1].start) == (pytest.approx(24.3), pytest.approx(26.7))


def test_what_a_window_left_without_a_word_is_heard_again_with_its_neighbours_and_a_whole_window_piece_by_piece() -> (
    None
):
    inside = segments((0, 4), (5, 9), (10, 14), (15, 19), (20, 24))
    [window], alone = pack_windows(inside, 0, 24, 30.0), single_windows(inside, 0, 24)
    names = [s.id for s in inside]
    again = repack_missed(window, {names[0], names[2], names[3]}, alone, 30.0)
    assert [[names.index(s.id) for s in w.segments] for w in again] == [[0], [2, 3]]
    assert (again[1].start, again[1].end) == (pytest.approx(9.7), pytest.approx(19.3))
    assert [len(w.segments) for w in repack_missed(window, set(names), alone, 30.0)] == [1] * 5


@given(stories(), st.data())
def test_every_missed_segment_is_heard_once_more(
    story: tuple[list[Segment], float, float], data: st.DataObject
) -> None:
    alone = single_windows(*story)
    for window in pack_windows(*story, 30.0):
        missed = data.draw(st.sets(st.sampled_from([s.id for s in window.segments])))
        again = repack_missed(window, missed, alone, 30.0)
        assert sorted(s.id for w in again for s in w.segments) == sorted(missed)
        assert all(w.end - w.start <= 30.0 + 1e-9 for w in again)


@given(stories(), st.lists(st.text("ابتثجح", min_size=1, max_size=7), min_size=1, max_size=30), st.data())
def test_no_word_is_lost_or_doubled_when_phrases_are_laid_on_segments(
    story: tuple[list[Segment], float, float], words: list[str], data: st.DataObject
) -> None:
    inside, start, end = story
    cuts = sorted(data.draw(st.lists(st.floats(start, end), min_size=2, max_size=6)))
    per = max(1, len(words) // (len(cuts) - 1))
    told = [words[i * per : (i + 1) * per] for i in range(len(cuts) - 1)]
    stretches = [Stretch(a, b, " ".join(w)) for a, b, w in zip(cuts, cuts[1:], told, strict=False) if w]
    laid = lay_on_segments(stretches, inside)
    assert len(laid) == len(inside)
    assert sorted(w for part in laid if part for w in part.text.split()) == sorted(
        w for s in stretches for w in s.text.split()
    )


def test_a_phrase_over_a_pause_is_divided_by_time_and_said_to_be() -> None:
    left, right = lay_on_segments([Stretch(0.0, 6.0, "واحد اثنان ثلاث أربع")], segments((0, 3), (4, 6)))
    assert left
    assert right
    assert (left.text, right.text) == ("واحد اثنان", "ثلاث أربع")
    assert left.divided
    assert right.divided


def test_word_times_divide_a_phrase_without_guessing() -> None:
    words = (Word("واحد", 0.1, 0.5, 0.9), Word("اثنان", 4.2, 5.0, 0.8))
    left, right = lay_on_segments([Stretch(0.0, 6.0, "واحد اثنان", words=words)], segments((0, 3), (4, 6)))
    assert left
    assert right
    assert (left.text, right.text, left.divided) == ("واحد", "اثنان", False)
    assert right.words == words[1:]


def test_a_phrase_that_hangs_over_by_the_clocks_error_stays_whole() -> None:
    left, right = lay_on_segments([Stretch(0.0, 3.08, "واحد")], segments((0, 3), (3.02, 6)))
    assert left
    assert (left.text, left.divided, right) == ("واحد", False, None)


@pytest.mark.parametrize(
    ("text", "seconds", "why"),
    [
        ("قال الوزير إن المشروع سيكتمل قريبا", 3.0, ()),
        ("", 3.0, ("nothing heard",)),
        ("اشتركوا في القناة", 2.0, ("phantom",)),
        ("إشتركوا في القناه", 2.0, ()),  # ه for ة is another spelling, which no profile folds
        ("ترجمة نانسي قنقر", 2.0, ("phantom",)),
        ("وهذه كانت نشرة الأخبار شكرا على المشاهدة", 4.0, ("phantom",)),
        ("عزفت الفرقة موسيقى جديدة", 2.0, ()),
        ("موسيقى", 2.0, ("phantom",)),
        ("نعم نعم نعم", 1.0, ()),
        ("نعم نعم نعم نعم نعم نعم", 2.0, ("loop",)),
        ("في هذا اليوم في هذا اليوم في هذا اليوم في هذا اليوم", 4.0, ("loop",)),
        ("كلمة", 9.0, ("too slow",)),
        ("قال الوزير إن المشروع الجديد سيكتمل قريبا جدا في العاصمة والمدن الكبرى", 1.0, ("too fast",)),
        ("الـ meeting بكرة الساعة تسعة", 2.0, ()),
    ],
)
def test_doubts_are_named(text: str, seconds: float, why: tuple[str, ...]) -> None:
    assert doubts(text, seconds) == why


def test_every_phantom_is_known_whatever_its_spelling() -> None:
    for phantom in PHANTOMS:
        assert "phantom" in doubts(phantom.replace("أ", "ا") + "!", 2.0), phantom


def test_a_guess_is_unsure_and_a_guess_about_silence_is_no_speech() -> None:
    assert doubts("قال الوزير", 1.0, avg_logprob=-1.4, no_speech=0.1) == ("unsure",)
    assert doubts("قال الوزير", 1.0, avg_logprob=-1.4, no_speech=0.9) == ("no speech",)


SRT = """\ufeff1
00:00:00,500 --> 00:00:08,000
<i>أعلنت الوزارة</i> اليوم

2
00:00:10,000 --> 00:00:19,000
{\\an8}افتتاح الجسر
"""
VTT = "WEBVTT\n\nNOTE made by hand\n\n00:00.500 --> 00:08.000 align:right\nأعلنت الوزارة &amp; اليوم\n"


def test_subtitles_of_every_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(SRT)
    assert [(c.start, c.end, c.text) for c in read_subtitles(tmp_path / "a.srt")] == [
        (0.5, 8.0, "أعلنت الوزارة اليوم"),
        (10.0, 19.0, "افتتاح الجسر"),
    ]
    (tmp_path / "a.vtt").write_text(VTT)
    assert [c.text for c in read_subtitles(tmp_path / "a.vtt")] == ["أعلنت الوزارة & اليوم"]
    (tmp_path / "a.json").write_text(json.dumps({"segments": [{"start": 1, "end": 2, "text": " نعم"}]}))
    assert [c.text for c in read_subtitles(tmp_path / "a.json")] == ["نعم"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.srt", "just text", "no subtitles found"),
        ("a.json", "{]", "not a transcript"),
        ("a.json", '{"segments": [{"text": 1}]}', "not a transcript"),
        ("a.srt", b"\xff\xfe\x00bad", "UTF-8"),
    ],
)
def test_subtitles_that_are_none_are_named(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(AramegaError, match=says):
        read_subtitles(tmp_path / name)


def test_a_manifests_subtitles_come_before_those_beside_the_recording(tmp_path: Path) -> None:
    (tmp_path / "news.srt").write_text(SRT)
    (tmp_path / "other.vtt").write_text(VTT)
    beside, named = find_subtitles([str(tmp_path / "news.mp3")]), str(tmp_path / "other.vtt")
    assert beside == Subtitles(read_subtitles(tmp_path / "news.srt"))
    assert find_subtitles([str(tmp_path / "news.mp3")], named) == Subtitles(read_subtitles(tmp_path / "other.vtt"))
    assert find_subtitles([str(tmp_path / "sport.mp3")]) == Subtitles()
    with pytest.raises(AramegaError, match="no such file"):
        find_subtitles([], str(tmp_path / "gone.srt"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("whisper")
    from tests.support.whisper_models import save_random_whisper

    return str(save_random_whisper(tmp_path_factory.mktemp("whisper") / "random.pt"))


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> tuple[WorkspaceFolder, list[DraftedPassage]]:
    workspace = drafted_workspace(tmp_path_factory.mktemp("drafted"), recordings=1, passages=3)
    with Store.open(workspace) as store:
        return workspace, [load_drafted(store, passage) for passage in find_passages(store)]


def options(checkpoint: str, **more: object) -> TranscribeConfig:
    known = {"model": checkpoint, "max_tokens": 12, "temperatures": (0.0,), "threads": 1, **more}
    return TranscribeConfig.model_validate(known)


def answers_of(stage: Transcribe, passages: Sequence[DraftedPassage]) -> list[Sequence[Transcript] | Exception]:
    return [answer for answer in stage.run_batch(passages) if not isinstance(answer, Step)]


def test_a_passage_is_answered_when_its_last_window_is_heard_and_steps_count_the_windows(
    checkpoint: str, items: tuple[WorkspaceFolder, list[DraftedPassage]]
) -> None:
    workspace, passages = items
    stage = Transcribe(options(checkpoint, batch=2, pack=False), workspace)
    stage.prepare()
    windows = [len(item.segments) for item in passages]
    seen = [
        "passage" if not isinstance(answer, Step) else (answer.done, answer.of) for answer in stage.run_batch(passages)
    ]
    assert windows == [2, 2, 2]
    assert seen == [(2, 6), "passage", (4, 6), "passage", (6, 6), "passage"]


def test_a_build_that_stops_after_its_first_passage_keeps_it(
    tmp_path: Path, checkpoint: str, short_broadcast: Path
) -> None:
    place = WorkspaceFolder(tmp_path)
    config = Config.model_validate(
        {
            "passages": {"min_seconds": 0.2, "target_seconds": 5.0},
            "transcribe": {"model": checkpoint, "max_tokens": 8, "temperatures": [0.0], "threads": 1, "batch": 1},
        }
    )
    pipeline = Pipeline.from_config(config, place, until="transcribe")
    with building(place), Store.create_or_open(place) as store:
        add_sources(store, pipeline, [str(short_broadcast)], find_sources([str(short_broadcast)], (".mp3", ".wav")))
        for news in run_build(store, pipeline, LocalEngine(1)):
            if done := sum(one.stage == "transcribe" for one in news):
                break
        [(kept,)] = connection_of(store).execute("SELECT count(*) FROM transcripts").fetchall()
        [(passages,)] = connection_of(store).execute("SELECT count(*) FROM passages").fetchall()
    assert 1 <= done == kept < passages <= 8, "all of them were one task"


def test_a_passage_is_transcribed_segment_by_segment(
    checkpoint: str, items: tuple[WorkspaceFolder, list[DraftedPassage]]
) -> None:
    workspace, passages = items
    stage = Transcribe(options(checkpoint), workspace)
    stage.check()
    stage.prepare()
    for item, answer in zip(passages, answers_of(stage, passages), strict=True):
        assert not isinstance(answer, Exception)
        [made] = answer
        assert [line.segment for line in made.lines] == [s.id for s in item.segments]
        assert made.model.startswith("openai-whisper:sha256:")
        for line, segment in zip(made.lines, item.segments, strict=True):
            assert segment.start <= line.start <= line.end <= segment.end


def test_a_passage_whose_clip_is_gone_costs_only_itself(
    checkpoint: str, items: tuple[WorkspaceFolder, list[DraftedPassage]]
) -> None:
    workspace, passages = items
    gone = replace(passages[1], passage=replace(passages[1].passage, clip="clips/gone.flac"))
    stage = Transcribe(options(checkpoint, second_hearing=False), workspace)
    stage.prepare()
    answers = answers_of(stage, [passages[0], gone, passages[2]])
    assert [isinstance(a, AramegaError) for a in answers] == [False, True, False]
    assert "this clip is gone" in str(answers[1])


def test_a_broadcasters_subtitles_are_scored_against_or_taken(
    tmp_path: Path, checkpoint: str, items: tuple[WorkspaceFolder, list[DraftedPassage]]
) -> None:
    workspace, passages = items
    (tmp_path / "news.srt").write_text(SRT)
    item = replace(passages[0], sources=(str(tmp_path / "news.mp3"),))
    scoring = Transcribe(options(checkpoint), workspace)
    scoring.prepare()
    [scored] = scoring.run(item)
    assert scored.at_hand == "أعلنت الوزارة اليوم افتتاح الجسر"
    assert scored.at_hand_cer is not None
    preferring = Transcribe(options(checkpoint, at_hand="prefer"), workspace)
    [taken] = preferring.run(item)
    assert (taken.text, taken.model) == (scored.at_hand, "subtitles")
    assert [bool(line.text) for line in taken.lines] == [True, True]
    alone = Transcribe(TranscribeConfig(model="subtitles"), workspace)
    alone.check()
    assert alone.run(item) == [taken]
    with pytest.raises(AramegaError, match="no subtitles beside it"):
        alone.run(passages[1])


FOREIGN = [
    ("news.json", '{"headline": "نشرة", "anchor": null}', "'segments'"),
    ("news.json", "[1, 2]", "TypeError"),
    ("news.json", '{"segments": [{"start": 1' + "0" * 400 + ', "end": 2, "text": "x"}]}', "OverflowError"),
    ("news.json", '{"segments": [{"start": "\\u001b]0;owned\\u0007", "end": 2, "text": "x"}]}', "ValueError"),
    ("news.json", '{"segments": []}', "no subtitles found"),
    ("news.srt", "lines of a poem", "no subtitles found"),
]


@pytest.mark.parametrize(("name", "content", "why"), FOREIGN)
def test_a_foreign_file_beside_a_recording_is_passed_over_with_a_note_and_fails_no_passage(
    tmp_path: Path,
    checkpoint: str,
    items: tuple[WorkspaceFolder, list[DraftedPassage]],
    name: str,
    content: str,
    why: str,
) -> None:
    workspace, passages = items
    (tmp_path / name).write_text(content)
    item = replace(passages[0], sources=(str(tmp_path / "news.mp3"),))
    stage = Transcribe(options(checkpoint, second_hearing=False), workspace)
    stage.prepare()
    [made] = stage.run(item)
    assert (made.at_hand, made.at_hand_cer) == ("", None)
    assert made.note.startswith(f"{tmp_path / name} passed over")
    assert why in made.note
    assert made.note.isprintable()


def test_behind_a_foreign_file_the_recordings_own_subtitles_are_still_found(tmp_path: Path) -> None:
    (tmp_path / "news.srt").write_text("no subtitles")
    (tmp_path / "news.json").write_text(json.dumps({"segments": [{"start": 1, "end": 2, "text": " نعم"}]}))
    subtitles = find_subtitles([str(tmp_path / "news.mp3")])
    assert subtitles.cues == read_subtitles(tmp_path / "news.json")
    assert "news.srt passed over" in subtitles.note


def test_subtitles_that_the_manifest_names_must_be_some(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_text("{}")
    with pytest.raises(AramegaError, match="not a transcript"):
        find_subtitles([str(tmp_path / "news.mp3")], str(tmp_path / "news.json"))


def test_a_manifest_may_name_subtitles(tmp_path: Path) -> None:
    from aramega.sources import find_sources

    (tmp_path / "list.csv").write_text("path,transcript\nnews.mp3,text/news.srt\n")
    [source] = find_sources([str(tmp_path / "list.csv")], (".mp3",))
    assert source.metadata == Metadata(transcript=str(tmp_path / "text" / "news.srt"))


def test_another_checkpoint_of_the_same_name_is_another_option_and_a_moved_one_is_not(
    tmp_path: Path, checkpoint: str
) -> None:
    first, second = tmp_path / "a.pt", tmp_path / "b.pt"
    first.write_bytes(Path(checkpoint).read_bytes())
    second.write_bytes(Path(checkpoint).read_bytes())
    before = options(str(first)).deciding()
    assert options(str(second)).deciding() == before
    first.write_bytes(first.read_bytes() + b"x")
    assert options(str(first)).deciding() != before
    assert options(str(second), device="cpu", batch=4, threads=2).deciding() == before
