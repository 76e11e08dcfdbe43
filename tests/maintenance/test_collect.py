"""gc: takes what nothing names, and never what a row or a person does."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.cli.exit_codes import COME_BACK_LATER
from aramega.config import Config, save_config
from aramega.maintenance.collect import collect, plan_collection
from aramega.maintenance.references import named_clips
from aramega.pipeline import Pipeline
from aramega.store import Store
from aramega.store.garbage import of_nothing, of_other_options
from aramega.workspace import WorkspaceFolder
from tests.maintenance.looking import a_workspace, contents, cut_otherwise, files, passages_of, review, rows
from tests.support.cli import Run, run_process
from tests.support.database import connection_of
from tests.support.drafts import a_draft, put_draft
from tests.support.workspaces import a_passage, a_recording, put_passages, put_recording, put_segments, segments_at

DRAFTING = Config.model_validate({"transcribe": {"model": "small"}})


def gc(place: WorkspaceFolder) -> None:
    with Store.create_or_open(place) as store:
        collect(store, Pipeline.from_config(Config(), place), of_nothing())


def test_a_tidy_workspace_is_left_as_it_is(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news")
    before = contents(place.root)
    gc(place)
    assert contents(place.root) == before


def test_clips_and_drafts_of_passages_cut_otherwise_go(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    kept = passages_of(place, 0)[0]
    [gone] = cut_otherwise(place, 0)
    said = json.loads(aramega("gc", place.root, "--json").out)
    assert said["files"]["clip"]["files"] == 1
    assert said["bytes"] > 0
    assert said["rows"] == dict.fromkeys(("transcripts", "summaries", "labels", "checks", "verdicts"), 1) | {
        "results": 5
    }
    assert not any(gone in str(row) for table in rows(place.root).values() for row in table)
    assert any(kept in path for path in files(place.root))
    assert not any(gone in path for path in files(place.root))


def test_what_people_reviewed_stays_with_its_clip_and_draft(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    [gone] = cut_otherwise(place, 0)
    review(place, gone)
    before = contents(place.root)
    said = aramega("gc", place.root)
    assert contents(place.root) == before
    assert "Kept: 1 passage cut otherwise since, for people have worked on them" in said.out


def test_a_passage_that_waits_for_its_annotator_stays_too(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news")
    [gone] = cut_otherwise(place, 0)
    with Store.create_or_open(place) as store:
        connection_of(store).execute("INSERT INTO tasks VALUES ('http://ls', 1, 7, ?, 'd', '2026-02-01')", (gone,))
    before = contents(place.root)
    gc(place)
    assert contents(place.root) == before


def test_frames_samples_previews_and_half_files_of_nothing_go_and_strangers_stay(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    clip = next(path for path in (place.root / "clips").rglob("*.flac"))
    stray = place.frames("f" * 16)
    ours = [
        stray,
        stray.with_suffix(".json"),
        place.audio("f" * 16, 0),
        place.root / "previews" / f"{'f' * 16}-000000000-000004000.mp3",
        clip.with_name(f".{clip.name}.77.part"),
    ]
    theirs = [place.root / "clips" / "README.txt", place.root / "previews" / "theme.mp3"]
    kept = place.root / "previews" / f"{clip.stem}.mp3"
    for path in (*ours, *theirs, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    said = aramega("gc", place.root)
    assert "Taken away: 5 files, 500 bytes." in said.out
    assert "1 half-written file: 100 bytes" in said.out
    assert not [path for path in ours if path.exists()]
    assert not stray.parent.exists(), "nor is its folder, empty now"
    assert all(path.exists() for path in (*theirs, kept))


def test_a_dry_run_says_the_same_and_takes_nothing(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    cut_otherwise(place, 1)
    before = contents(place.root)
    planned = json.loads(aramega("gc", place.root, "--dry-run", "--json").out)
    assert contents(place.root) == before
    assert json.loads(aramega("gc", place.root, "--json").out) == planned
    again = json.loads(aramega("gc", place.root, "--json").out)
    assert (again["files"], again["rows"]) == ({}, {})


def test_links_that_another_folder_holds_give_nothing_back(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    [gone] = cut_otherwise(place, 0)
    os.link(place.clip(gone.rsplit("-", 2)[0], gone), tmp_path / "elsewhere.flac")
    assert json.loads(aramega("gc", place.root, "--json").out)["bytes"] == 0


def test_drafts_of_other_options_go_only_when_asked_for_and_never_a_reviewed_one(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news")
    reviewed = passages_of(place, 0)[0]
    review(place, reviewed)
    pipeline = Pipeline.from_config(DRAFTING, place)
    mark = pipeline.marks["transcribe"]
    current = passages_of(place, 1)[0]
    with Store.create_or_open(place) as store:
        connection_of(store).execute(
            "UPDATE results SET fingerprint = ? WHERE stage = 'transcribe' AND item = ?", (mark.fingerprint, current)
        )
        found = collect(store, pipeline, of_nothing())
        assert (found.rows, found.files) == ({}, ())
        # 6 passages, 4 stages that draft; all but the reviewed one's and one transcript are of other options
        assert found.outdated == 5 * 4 - 1
        planned = plan_collection(store, pipeline, of_nothing() + of_other_options(pipeline.stages, pipeline.marks))
        taken = collect(store, pipeline, of_nothing() + of_other_options(pipeline.stages, pipeline.marks))
    assert dict(taken.rows) == dict(planned.rows)
    left = rows(place.root)
    assert [row[0] for row in left["transcripts"]] == sorted([reviewed, current])
    assert [row[0] for row in left["summaries"]] == [reviewed]
    assert [row[0] for row in left["verdicts"]] == [reviewed]
    assert len(left["passages"]) == 6


def test_a_model_that_is_not_there_is_no_reason_to_take_what_it_made(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    save_config(Config.model_validate({"transcribe": {"model": "/not/mounted/whisper.pt"}}), place.config)
    before = contents(place.root)
    said = aramega("gc", place.root, "--outdated")
    assert said.code == 2, said.out
    assert "whisper" in said.err
    assert contents(place.root) == before


def test_a_stage_that_is_not_asked_for_keeps_what_it_made(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news")
    before = contents(place.root)
    pipeline = Pipeline.from_config(Config(), place)
    with Store.create_or_open(place) as store:
        collect(store, pipeline, of_nothing() + of_other_options(pipeline.stages, pipeline.marks))
    assert contents(place.root) == before


def test_a_name_that_was_wrong_is_still_said_to_be(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news")
    failures = [
        ("ingest", "/in/list.csv:3", "f", "no such file", "", ""),
        ("transcribe", "gone", "f", "broken", "", ""),
    ]
    with Store.create_or_open(place) as store:
        connection_of(store).executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?)", failures)
        connection_of(store).execute("INSERT INTO results VALUES ('judge', 'workspace', 'f', 6, 0, 0, '')")
    gc(place)
    assert rows(place.root)["failures"] == failures[:1]
    assert any(row[0] == "judge" for row in rows(place.root)["results"])


def test_it_is_refused_while_a_build_is_at_work(tmp_path: Path) -> None:
    """From another process: this one's own lock would keep it out of nothing."""
    from aramega.pipeline.build import building

    place = a_workspace(tmp_path / "news")
    with building(place):
        said = run_process("gc", place.root)
    assert said.code == COME_BACK_LATER
    assert "another build is at work here" in said.err


PASSAGE = st.fixed_dictionaries(
    {key: st.booleans() for key in ("row", "clip", "draft", "reviewed", "resolved", "task", "preview")}
)


@given(st.lists(PASSAGE, max_size=6))
@settings(max_examples=25, deadline=None)
def test_nothing_that_a_row_or_a_person_names_is_ever_taken(chosen: list[dict[str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = WorkspaceFolder(Path(folder))
        with Store.create_or_open(place) as store:
            safe = _arrange(store, place, chosen)
            before = rows(place.root)
            collect(store, Pipeline.from_config(Config(), place), of_nothing())
            assert {clip.passage for clip in named_clips(store, place)} >= safe
        after = rows(place.root)
        for table in ("sources", "recordings", "segments", "passages", "reviews", "resolved", "tasks"):
            assert after[table] == before[table]
        assert after["transcripts"] == [row for row in before["transcripts"] if row[0] in safe]
        for folder_name in ("clips", "previews"):
            left = {path.stem for path in (place.root / folder_name).rglob("*") if path.is_file()}
            key = folder_name.removesuffix("s")
            there = {_passage(place, i).id for i, c in enumerate(chosen) if c[key]}
            assert left == there & safe


def _arrange(store: Store, place: WorkspaceFolder, chosen: list[dict[str, bool]]) -> set[str]:
    """Passages in every state; gives those that are named by a row or a person."""
    known = a_recording("0" * 16, seconds=100.0)
    put_recording(store, known)
    put_segments(store, known, segments_at(known.id, [(i * 10 + 1, i * 10 + 5) for i in range(len(chosen))]))
    passages = [_passage(place, i) for i in range(len(chosen))]
    put_passages(store, known, [p for p, c in zip(passages, chosen, strict=True) if c["row"]])
    safe = set()
    for i, (passage, c) in enumerate(zip(passages, chosen, strict=True)):
        for key, path in (("clip", passage.clip), ("preview", f"previews/{passage.id}.mp3")):
            if c[key]:
                (place.root / path).parent.mkdir(parents=True, exist_ok=True)
                (place.root / path).write_bytes(b"sound")
        if c["draft"]:
            put_draft(store, a_draft(passage, segments_at(known.id, [(i * 10 + 1, i * 10 + 5)])))
        for key, query in (
            ("reviewed", "INSERT INTO reviews (id, passage) VALUES (?1, ?1)"),
            ("resolved", "INSERT INTO resolved (passage) VALUES (?1)"),
            ("task", f"INSERT INTO tasks VALUES ('here', 1, {i}, ?1, '', '')"),
        ):
            if c[key]:
                connection_of(store).execute(query, (passage.id,))
        if c["row"] or c["reviewed"] or c["resolved"] or c["task"]:
            safe.add(passage.id)
    return safe


def _passage(place: WorkspaceFolder, i: int):
    return a_passage(place, segments_at("0" * 16, [(i * 10 + 1, i * 10 + 5)]))
