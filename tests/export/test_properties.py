"""Whatever the times and the names: nothing is lost, shifted, or written where it should not be."""

from __future__ import annotations

import json
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import srt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from praatio import textgrid as praat

from aramega.export.audacity import audacity_labels
from aramega.export.contents import Contents, length, offset_in_clip
from aramega.export.jsonl import json_records
from aramega.export.names import safe_name
from aramega.export.nemo import nemo_entries
from aramega.export.rttm import rttm_lines
from aramega.export.srt import srt_cues
from aramega.export.textgrid import textgrid
from aramega.records import Metadata, Segment, milliseconds
from aramega.workspace import WorkspaceFolder
from tests.support.workspaces import a_passage, a_recording, segments_at, spans_of

NUMBER = "0123456789abcdef"
Milliseconds = list[tuple[int, int]]

times = st.lists(st.integers(0, 40_000_000), min_size=2, max_size=12, unique=True).map(
    lambda edges: list(pairwise(sorted(edges)))[::2]
)
"""Segments anywhere in eleven hours, some of them one millisecond long."""

any_text = st.text(st.characters(), max_size=300)
hostile = st.one_of(
    any_text,
    st.text(" \t\n\r\"'\\/:;.\0\x1b\u2028\u202e…-_aعَ", max_size=300),
    st.sampled_from(
        [
            "..",
            "/etc/passwd",
            "../../x.mp3",
            "a\nSPEAKER b 1 0 1",
            "ن" * 125 + ".mp3",
            "",
            ".",
            "-rf",
            '" --> "',
            'he said "no"',
        ]
    ),
)


def contents_of(stretches: Milliseconds, name: str = "news.mp3", words: str = "", speaker: str = "") -> Contents:
    segments = segments_at(NUMBER, [(a / 1000, b / 1000) for a, b in stretches])
    seconds = stretches[-1][1] / 1000 + 0.5
    recording = a_recording(NUMBER, name=name, seconds=seconds, metadata=Metadata(title=name, speaker=speaker))
    passage = a_passage(WorkspaceFolder(Path("/w")), segments)
    spans = spans_of(segments, seconds)
    return Contents(recording, ("/in/x",), spans, tuple(segments), (passage,), Path("/w"), lambda _: words)


@given(times)
def test_times_come_back_to_the_millisecond_from_every_format(stretches: Milliseconds) -> None:
    contents = contents_of(stretches)
    rttm = [line.split(" ") for line in rttm_lines(contents, "segments")]
    labels = [line.split("\t") for line in audacity_labels(contents, "segments")]
    cues = list(srt.parse("".join(srt_cues(contents, "segments"))))
    records = [json.loads(line) for line in json_records(contents, "segments")]
    starts = [milliseconds(float(f[3])) for f in rttm]
    assert [(a, a + milliseconds(float(f[4]))) for a, f in zip(starts, rttm, strict=True)] == stretches
    assert [(milliseconds(float(a)), milliseconds(float(b))) for a, b, _ in labels] == stretches
    assert [(round(c.start.total_seconds() * 1000), round(c.end.total_seconds() * 1000)) for c in cues] == stretches
    assert [(milliseconds(r["start"]), milliseconds(r["end"])) for r in records] == stretches


@given(times)
def test_segments_lie_in_the_clip_as_they_lie_in_the_recording(stretches: Milliseconds) -> None:
    contents = contents_of(stretches)
    (passage,) = contents.passages
    entries = [json.loads(line) for line in nemo_entries(contents, "segments")]
    for segment, entry in zip(contents.segments, entries, strict=True):
        assert milliseconds(passage.start) + milliseconds(entry["offset"]) == milliseconds(segment.start)
        assert entry["offset"] == offset_in_clip(segment, passage)
        assert entry["offset"] + entry["duration"] <= length(passage) + 1e-6


@settings(max_examples=30)
@example([(0, 172)], "")
@given(times, hostile)
def test_praat_tiers_hold_any_times_and_any_words(stretches: Milliseconds, words: str) -> None:
    contents = contents_of(stretches, words=words)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.TextGrid"
        path.write_text("".join(textgrid(contents)), encoding="utf-8", errors="backslashreplace")
        tier = praat.openTextgrid(str(path), includeEmptyIntervals=True).getTier("segments")
    edges = [(milliseconds(e.start), milliseconds(e.end)) for e in tier.entries]
    assert set(stretches) <= set(edges)
    assert (edges[0][0], edges[-1][1]) == (0, milliseconds(contents.recording.seconds))


@given(hostile)
def test_praat_finds_the_words_between_their_quotes(words: str) -> None:
    """Praat's own rule, which praatio is laxer about: a string ends at the first quote that is not doubled."""
    contents = contents_of([(0, 1000)], words=words)
    strings = re.findall(r'text = "((?:[^"]|"")*)"\n', "".join(textgrid(contents)))
    assert strings[2].replace('""', '"') == contents.label(contents.segments[0])
    assert len(strings) == 6


@given(hostile)
def test_a_name_becomes_one_word_that_any_file_system_takes(name: str) -> None:
    safe = safe_name(name, NUMBER)
    assert safe.endswith(NUMBER)
    assert len(f".{safe}.TextGrid.1234567.part".encode()) <= 255
    assert not any(c in safe for c in '/\\ \t\n\r\0"\u2028\u202e')
    assert not safe.startswith((".", "-"))
    assert safe.isprintable()


@given(hostile, hostile)
def test_no_name_adds_a_line_or_a_field(name: str, speaker: str) -> None:
    contents = contents_of([(0, 1000), (1500, 3000)], name=name, speaker=speaker)
    lines = "".join(rttm_lines(contents, "segments")).split("\n")
    assert [len(line.split()) for line in lines] == [10, 10, 0]
    (record,) = json_records(contents, "passages")
    assert record.count("\n") == 1
    assert json.loads(record)["recording"]["name"] == name


@given(hostile)
def test_no_words_add_a_label_or_a_cue(words: str) -> None:
    contents = contents_of([(0, 1000), (1500, 3000)], words=words)
    labels = "".join(audacity_labels(contents, "segments")).split("\n")
    assert [line.count("\t") for line in labels] == [2, 2, 0]
    cues = "".join(srt_cues(contents, "segments"))
    assert len(list(srt.parse(cues))) == cues.count("-->") == 2


def test_an_arabic_name_stays_readable() -> None:
    assert safe_name("نشرةُ الأخبار 2021.mp3", NUMBER) == f"نشرةُ_الأخبار_2021-{NUMBER}"


def test_the_text_of_a_passage_is_that_of_its_segments_in_order() -> None:
    contents = contents_of([(0, 1000), (1500, 3000), (3500, 4000)])
    said = {s.start: w for s, w in zip(contents.segments, ["one", "", " two\nthree "], strict=True)}

    def text_of(segment: Segment) -> str:
        return said[segment.start]

    heard = Contents(contents.recording, (), (), contents.segments, contents.passages, contents.root, text_of)
    assert heard.text(contents.passages[0]) == "one two three"
