"""Each format, read by the tool it is for, or by its published rules where that tool is too heavy here."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import soundfile
import srt
from praatio import textgrid

from aramega.records import Passage, Recording, Segment, from_dict
from aramega.store import Store
from aramega.store.recordings import list_passages, list_recordings
from aramega.workspace import WorkspaceFolder
from tests.export.conftest import FIRST, INTERVIEW, NEWS, SECOND, Exporting

WORDS = {f"{FIRST}-000001000-000009500": "قال الوزير", f"{FIRST}-000009900-000020123": "إن \n الخطة\tجاهزة"}


def words_of(segment: Segment) -> str:
    return WORDS.get(segment.id, "")


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _passage_of(line: dict[str, Any]) -> Passage:
    ids = [segment["id"] for segment in line["segments"]]
    return from_dict(Passage, {**line, "recording": line["recording"]["id"], "segments": ids})


def test_a_line_of_jsonl_holds_the_passage_its_segments_and_its_recording_as_they_are(
    exporting: Exporting, store: Store
) -> None:
    (path,) = exporting("jsonl")
    lines = json_lines(path)
    assert path.name == "passages.jsonl"
    known = [passage for recording in list_recordings(store) for passage in list_passages(store, recording.id)]
    assert [_passage_of(line) for line in lines] == known
    assert [line["recording"]["id"] for line in lines] == [FIRST, FIRST, SECOND]
    first = lines[0]
    assert from_dict(Recording, first["recording"]) == next(list_recordings(store))
    assert first["recording"]["sources"] == [f"/in/{FIRST}/news.mp3"]
    assert first["recording"]["metadata"]["title"] == "نشرة الأخبار"
    assert [(s["start"], s["clip_start"], s["seconds"]) for s in first["segments"]] == [
        (1.0, 0.1, 8.5),
        (9.9, 9.0, 10.223),
    ]


def test_segments_of_jsonl_say_where_in_which_clip_they_are_even_if_in_none(exporting: Exporting) -> None:
    lines = json_lines(exporting("jsonl", unit="segments")[0])
    assert [(line["start"], line["end"]) for line in lines] == NEWS + INTERVIEW
    assert (lines[3]["clip_start"], lines[3]["clip"]) == (7.101, f"clips/11/{FIRST}/{lines[3]['passage']}.flac")
    assert (lines[4]["clip_start"], lines[4]["clip"], lines[4]["passage"]) == (None, None, None)


def test_lhotse_reads_validates_cuts_and_loads_what_was_exported(exporting: Exporting) -> None:
    from lhotse import CutSet, load_manifest
    from lhotse.qa import validate_recordings_and_supervisions

    recordings, supervisions = map(load_manifest, exporting("lhotse", text_of=words_of))
    validate_recordings_and_supervisions(recordings, supervisions, read_data=True)
    cuts = CutSet.from_manifests(recordings=recordings, supervisions=supervisions).to_eager()
    assert [len(cut.supervisions) for cut in cuts] == [2, 2, 2]
    turns = cuts.trim_to_supervisions(keep_overlapping=False)
    assert [turn.load_audio().shape[1] for turn in turns][:2] == [8.5 * 16_000, 10.223 * 16_000]
    first = supervisions[f"{FIRST}-000001000-000009500"]
    assert (first.text, first.speaker, first.language) == ("قال الوزير", "سلمى حداد", "ar")
    assert (first.custom["broadcast"], first.custom["broadcast_start"]) == (FIRST, 1.0)
    assert supervisions[f"{FIRST}-000024000-000030500"].text is None


def test_lhotse_recordings_are_exactly_as_long_as_their_clips(exporting: Exporting) -> None:
    from lhotse import Recording as LhotseRecording
    from lhotse import load_manifest

    for told in load_manifest(exporting("lhotse")[0]):
        measured = LhotseRecording.from_file(told.sources[0].source)
        assert (told.num_samples, told.duration, told.sampling_rate) == (
            measured.num_samples,
            measured.duration,
            measured.sampling_rate,
        )


def test_lhotse_supervisions_may_stand_for_whole_passages(exporting: Exporting) -> None:
    from lhotse import load_manifest
    from lhotse.qa import validate_recordings_and_supervisions

    recordings, supervisions = map(load_manifest, exporting("lhotse", unit="passages", text_of=words_of))
    validate_recordings_and_supervisions(recordings, supervisions)
    assert [(s.start, s.duration, s.text) for s in supervisions] == [
        (0.0, 19.323, "قال الوزير إن الخطة جاهزة"),
        (0.0, 20.2, None),
        (0.0, 39.9, None),
    ]


@pytest.mark.parametrize("unit", ["passages", "segments"])
def test_every_nemo_entry_names_a_stretch_that_its_file_has(exporting: Exporting, unit: str) -> None:
    """NeMo itself is gigabytes; these are the rules its manual gives for a manifest."""
    (path,) = exporting("nemo", unit=unit, text_of=words_of)
    entries = json_lines(path)
    assert path.name == f"{unit}.json"
    assert len(entries) == {"passages": 3, "segments": 6}[unit]
    for entry in entries:
        sound = soundfile.info(entry["audio_filepath"])
        assert Path(entry["audio_filepath"]).is_absolute()
        assert (sound.samplerate, sound.channels) == (16_000, 1)
        assert isinstance(entry["text"], str)
        assert entry["duration"] > 0
        assert entry["offset"] >= 0
        assert round((entry["offset"] + entry["duration"]) * 16_000) <= sound.frames
    assert entries[0]["text"].startswith("قال الوزير")


def test_pyannote_reads_the_rttm(exporting: Exporting) -> None:
    from pyannote.database.util import load_rttm

    (path,) = exporting("rttm")
    annotations = load_rttm(path)
    assert list(annotations) == [f"news-{FIRST}", f"news-{SECOND}"]
    news = annotations[f"news-{FIRST}"]
    assert [(round(s.start, 6), round(s.end, 6)) for s in news.itersegments()] == NEWS
    assert news.labels() == ["سلمى_حداد"]
    assert annotations[f"news-{SECOND}"].labels() == ["speech"]


def test_praat_reads_three_tiers_that_cover_the_recording(exporting: Exporting) -> None:
    news, interview = exporting("textgrid", text_of=words_of)
    grid = textgrid.openTextgrid(str(news), includeEmptyIntervals=True)
    assert grid.tierNames == ("timeline", "segments", "passages")
    for name in grid.tierNames:
        entries = grid.getTier(name).entries
        assert (entries[0].start, entries[-1].end) == (0, 60)
        assert all(a.end == b.start for a, b in pairwise(entries))
    said = [e for e in grid.getTier("segments").entries if e.label]
    assert [(e.start, e.end) for e in said] == NEWS
    assert [e.label for e in said][:2] == ["قال الوزير", "إن الخطة جاهزة"]
    assert {e.label for e in grid.getTier("timeline").entries} == {"speech", "silence"}
    assert textgrid.openTextgrid(str(interview), includeEmptyIntervals=True).maxTimestamp == 45.5


def test_subtitles_show_the_words_and_the_id_where_there_are_none(exporting: Exporting) -> None:
    news, _ = exporting("srt", text_of=words_of)
    cues = list(srt.parse(news.read_text(encoding="utf-8"), ignore_errors=False))
    assert [(c.start.total_seconds(), c.end.total_seconds()) for c in cues] == NEWS
    assert [c.content for c in cues][:3] == ["قال الوزير", "إن الخطة جاهزة", f"{FIRST}-000024000-000030500"]
    assert [c.index for c in cues] == [1, 2, 3, 4, 5]


def test_words_cannot_break_a_cue(exporting: Exporting) -> None:
    hostile = "a\n\n7\n00:00:01,000 --> 00:00:02,000\nb"
    news, _ = exporting("srt", text_of=lambda _: hostile)
    assert len(list(srt.parse(news.read_text(encoding="utf-8"), ignore_errors=False))) == 5


def test_audacity_labels_are_start_end_and_text_between_tabs(exporting: Exporting) -> None:
    news, interview = exporting("audacity", text_of=words_of)
    rows = [line.split("\t") for line in news.read_text(encoding="utf-8").splitlines()]
    assert [(float(start), float(end)) for start, end, _ in rows] == NEWS
    assert rows[1] == ["9.900", "20.123", "إن الخطة جاهزة"]
    assert interview.name == f"news-{SECOND}.txt"


@pytest.mark.parametrize("format", ["rttm", "srt", "audacity"])
def test_what_shows_segments_shows_passages_when_asked(
    exporting: Exporting, workspace: WorkspaceFolder, format: str
) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in exporting(format, unit="passages"))
    times = {"rttm": "0.900 19.323", "srt": "00:00:00,900 --> 00:00:20,223", "audacity": "0.900\t20.223"}
    assert times[format] in text
