"""The export as a whole: which files, in which order, and what happens when something is wrong."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aramega.export import FORMATS, export
from aramega.export.contents import Contents
from aramega.records import AramegaError, ResolvedPassage, Segment, SettledLine, Word
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import write_resolved
from aramega.workspace import WorkspaceFolder
from tests.export.conftest import FIRST, SECOND, Exporting
from tests.support.drafts import drafted_workspace, put_draft
from tests.support.workspaces import a_recording, put_passages, put_recording, put_segments, segments_at


@pytest.mark.parametrize("format", FORMATS)
def test_two_exports_are_the_same_bytes(exporting: Exporting, format: str) -> None:
    before = {path: path.read_bytes() for path in exporting(format)}
    assert before == {path: path.read_bytes() for path in exporting(format)}


def test_packed_files_carry_neither_the_time_nor_a_temporary_name(exporting: Exporting) -> None:
    for path in exporting("lhotse"):
        flags, *time = path.read_bytes()[3:8]
        assert (flags, time) == (0, [0, 0, 0, 0])


@pytest.mark.parametrize("format", FORMATS)
def test_the_files_named_are_the_files_there(exporting: Exporting, format: str) -> None:
    paths = exporting(format)
    assert sorted(paths[0].parent.iterdir()) == sorted(paths)
    assert all(path.stat().st_size for path in paths)


def test_recordings_of_one_name_get_a_file_each(exporting: Exporting) -> None:
    assert [p.name for p in exporting("textgrid")] == [f"news-{FIRST}.TextGrid", f"news-{SECOND}.TextGrid"]


@pytest.mark.parametrize("format", FORMATS)
def test_one_recording_at_a_time_is_in_memory(store: Store, tmp_path: Path, format: str) -> None:
    alive: weakref.WeakSet[Contents] = weakref.WeakSet()
    most = 0

    def many() -> Iterator[Contents]:
        nonlocal most
        for number in range(50):
            recording = a_recording(f"{number:016x}")
            one = Contents(recording, (), (), tuple(segments_at(recording.id, [(1, 2)])), (), tmp_path)
            alive.add(one)
            most = max(most, len(alive))
            yield one

    list(FORMATS[format].write(many(), tmp_path / "out", "segments"))
    assert most <= 2


def test_a_format_of_one_file_takes_that_files_name(store: Store, workspace: WorkspaceFolder, tmp_path: Path) -> None:
    assert export(store, workspace, "jsonl", tmp_path / "set.jsonl") == [tmp_path / "set.jsonl"]


def test_a_failed_export_leaves_the_last_one_as_it_was(exporting: Exporting) -> None:
    (path,) = exporting("jsonl")
    before = path.read_bytes()

    def broken(segment: Segment) -> str:
        if segment.recording == SECOND:
            raise OSError("disk full")
        return "new"

    with pytest.raises(OSError, match="disk full"):
        exporting("jsonl", text_of=broken)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_build_that_goes_on_meanwhile_does_not_show(
    exporting: Exporting, store: Store, workspace: WorkspaceFolder
) -> None:
    (path,) = exporting("jsonl")
    before = path.read_bytes()

    def while_building(_: Segment) -> str:
        with Store.create_or_open(workspace) as other:
            put_segments(other, a_recording(SECOND), segments_at(SECOND, [(5.0, 6.0)]))
            put_passages(other, a_recording(SECOND), [])
        return ""

    exporting("jsonl", text_of=while_building)
    assert path.read_bytes() == before


def test_passages_of_segments_that_were_made_anew_wait_for_the_next_build(exporting: Exporting, store: Store) -> None:
    put_segments(store, a_recording(FIRST), segments_at(FIRST, [(5.0, 6.0)]))
    (path,) = exporting("jsonl")
    assert path.read_text().count("\n") == 1


def test_a_recording_without_speech_has_its_timeline_and_nothing_else(exporting: Exporting, store: Store) -> None:
    music = a_recording("5555", name="music.mp3")
    put_recording(store, music)
    put_segments(store, music, [])
    put_passages(store, music, [])
    assert "silence" in exporting("textgrid")[-1].read_text()
    assert exporting("srt")[-1].read_text() == ""


def test_a_path_that_is_not_utf8_comes_back_from_json(store: Store, tmp_path: Path) -> None:
    odd = WorkspaceFolder(Path(os.fsdecode(b"/archive/caf\xe9")))
    (path,) = export(store, odd, "nemo", tmp_path / "out")
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert os.fsencode(first["audio_filepath"]).startswith(b"/archive/caf\xe9/clips/")


def test_a_misspelt_format_names_the_nearest(exporting: Exporting) -> None:
    with pytest.raises(AramegaError, match=r"'TextGrids' is not a format of export\. Did you mean textgrid\?"):
        exporting("TextGrids")


def test_a_unit_that_is_none_is_refused(exporting: Exporting) -> None:
    with pytest.raises(AramegaError, match=r"Did you mean segments\?"):
        exporting("jsonl", unit="segment")


def test_a_textgrid_has_both_units_so_it_takes_none(exporting: Exporting) -> None:
    with pytest.raises(AramegaError, match="side by side: leave the unit out"):
        exporting("textgrid", unit="passages")


def test_a_file_where_a_folder_is_needed_is_said_to_be_one(
    store: Store, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(AramegaError, match="is a file, and a folder is needed"):
        export(store, workspace, "srt", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_before_any_recording_is_segmented_there_is_nothing_to_export(tmp_path: Path) -> None:
    empty = WorkspaceFolder(tmp_path / "empty")
    with Store.create_or_open(empty) as store:
        put_recording(store, a_recording(FIRST))
        with pytest.raises(AramegaError, match="no recording has been segmented"):
            export(store, empty, "jsonl", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_drafted_is_exported_and_what_people_settled_comes_before_it(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=2, clips=False)
    with Store.create_or_open(workspace) as store:
        first = load_drafted(store, next(find_passages(store)))
        lines = tuple(SettledLine(s.id, s.start, s.end, "نص مصحح") for s in first.segments)
        write_resolved(store, [ResolvedPassage(first.id, accepted=True, lines=lines, reviews=("r1",))])
        (path,) = export(store, workspace, "jsonl", tmp_path / "out")
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert told[0]["text"] == "نص مصحح نص مصحح"
    assert "المنتخب" in told[1]["text"] or "الوزير" in told[1]["text"]


def test_words_are_exported_with_their_times_and_corrected_ones_between_their_neighbours(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=1, clips=False)
    with Store.create_or_open(workspace) as store:
        first = load_drafted(store, next(find_passages(store)))
        segment, transcript = first.segments[0], first.draft.transcript
        assert transcript
        heard = tuple(Word(text, 1.0 + i, 1.9 + i, 0.9) for i, text in enumerate(("قال", "الوزير", "أمس")))
        line = replace(transcript.lines[0], text="قال الوزير أمس", words=heard)
        put_draft(store, replace(first.draft, transcript=replace(transcript, lines=(line, *transcript.lines[1:]))))
        lines = (SettledLine(segment.id, segment.start, segment.end, "قال وزير الصحة امس"),)
        write_resolved(store, [ResolvedPassage(first.id, accepted=True, lines=lines, reviews=("r1",))])
        (ctm,) = export(store, workspace, "ctm", tmp_path / "out")
        (grid,) = export(store, workspace, "textgrid", tmp_path / "grids")
    fields = [row.split(" ")[2:] for row in ctm.read_text(encoding="utf-8").splitlines()]
    assert fields == [
        ["1.000", "0.900", "قال", "0.90"],
        ["1.900", "0.489", "وزير", "0.00"],
        ["2.389", "0.611", "الصحة", "0.00"],
        ["3.000", "0.900", "امس", "0.90"],
    ]
    assert 'name = "words"' in grid.read_text(encoding="utf-8")
