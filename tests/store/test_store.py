"""The store: what is done stays done, what is left is found, what changed is done again."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aramega.records import AramegaError, Measures, Metadata, Recording, Segment, Source, Span, Timeline, stretch_id
from aramega.stages.base import Takes
from aramega.store import Broken, Finished, Mark, Store
from aramega.store.pending import count_pending_items, list_pending
from aramega.store.recordings import list_recordings, load_recording, load_segmented
from aramega.store.results import forget_failures, list_failures, retract_result, tally_results, write_outcomes
from aramega.store.schema import STEPS, migrate
from aramega.store.sources import forget_misnamed, list_sources, note_sources
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of

INGEST, SEGMENT = Mark("ingest", "i1", Takes.SOURCE), Mark("segment", "s1")


def store(folder: Path) -> Store:
    return Store.create_or_open(WorkspaceFolder(folder))


def recording(number: str, name: str = "a.mp3") -> Recording:
    return Recording(
        number, number * 4, name, 9, 60.0, "mp3", "mp3", 44100, 2, 0, Measures(-23.0, -1.0, 0.0, 8000.0, 0.0)
    )


def ingested(path: str, number: str) -> Finished:
    return Finished(INGEST, path, (Recording,), [recording(number)], 0.1)


def segmented(number: str, *starts: float) -> Finished:
    segments = [Segment(stretch_id(number, s, s + 2), number, s, s + 2, snr_db=20.0) for s in starts]
    timeline = Timeline(number, (Span(0.0, 60.0, "silence"),))
    return Finished(SEGMENT, number, (Timeline, Segment), [timeline, *segments], 0.1)


def pending(s: Store) -> list[str]:
    return list(list_pending(s, SEGMENT, [INGEST]))


def test_an_item_is_pending_until_its_result_is_written(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        assert list(list_pending(s, INGEST, [])) == ["/a.mp3"]
        write_outcomes(s, [ingested("/a.mp3", "r1")])
        assert list(list_pending(s, INGEST, [])) == []
        assert pending(s) == ["r1"]
        write_outcomes(s, [segmented("r1", 0, 5)])
        assert pending(s) == []


def test_another_fingerprint_makes_everything_pending_again_and_replaces_the_old_rows(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        write_outcomes(s, [ingested("/a.mp3", "r1"), segmented("r1", 0, 5)])
        changed = Mark("segment", "s2")
        assert list(list_pending(s, changed, [INGEST])) == ["r1"]
        redone = segmented("r1", 7)
        write_outcomes(s, [Finished(changed, "r1", redone.makes, redone.records, 0.1)])
        assert [x.start for x in load_segmented(s, "r1").segments] == [7.0]


def test_what_was_written_comes_back_as_the_same_records(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/x/a.mp3", Metadata(title="نشرة")), 9, 1)])
        write_outcomes(s, [ingested("/x/a.mp3", "r1"), segmented("r1", 0, 5)])
        found = load_segmented(s, "r1")
        assert (found.timeline, *found.segments) == tuple(segmented("r1", 0, 5).records)
        assert found.recording.metadata.title == "نشرة"
        assert found.recording.measures == recording("r1").measures
        assert found.paths == ("/x/a.mp3",)


def test_metadata_may_change_without_anything_being_done_again(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        write_outcomes(s, [ingested("/a.mp3", "r1")])
        note_sources(s, [(Source("/a.mp3", Metadata(licence="CC-BY-4.0")), 9, 1)])
        assert list(list_pending(s, INGEST, [])) == []
        assert load_recording(s, "r1").metadata.licence == "CC-BY-4.0"


def test_a_file_that_changed_is_ingested_again_and_its_old_recording_goes(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        write_outcomes(s, [ingested("/a.mp3", "r1"), segmented("r1", 0)])
        note_sources(s, [(Source("/a.mp3"), 10, 2)])
        assert list(list_pending(s, INGEST, [])) == ["/a.mp3"]
        write_outcomes(s, [ingested("/a.mp3", "r2")])
        assert [r.id for r in list_recordings(s)] == ["r2"]
        assert tally_results(s, SEGMENT)["done"] == 0


def test_an_old_recording_stays_while_another_file_still_holds_it(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1), (Source("/b.mp3"), 9, 1)])
        write_outcomes(s, [ingested("/a.mp3", "r1"), ingested("/b.mp3", "r1")])
        note_sources(s, [(Source("/a.mp3"), 10, 2)])
        write_outcomes(s, [ingested("/a.mp3", "r2")])
        assert [(r.id, r.name) for r in list_recordings(s)] == [("r1", "b.mp3"), ("r2", "a.mp3")]


def test_a_failure_is_not_tried_again_until_forgotten_or_done_otherwise(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        write_outcomes(s, [Broken(INGEST, "/a.mp3", "no sound.")])
        assert list(list_pending(s, INGEST, [])) == []
        assert [f.error for f in list_failures(s, [INGEST])] == ["no sound."]
        assert list_failures(s, [Mark("ingest", "other")]) == []
        assert forget_failures(s) == 1
        assert list(list_pending(s, INGEST, [])) == ["/a.mp3"]


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        with pytest.raises(KeyError):
            write_outcomes(
                s, [ingested("/a.mp3", "r1"), Finished(SEGMENT, "r1", (str,), ["no table holds strings"], 0.1)]
            )
        assert list(list_recordings(s)) == []
        assert list(list_pending(s, INGEST, [])) == ["/a.mp3"]


@given(count=st.integers(0, 40), done=st.sets(st.integers(0, 39)), page=st.integers(1, 7))
def test_pending_pages_list_each_item_once_in_order(count: int, done: set[int], page: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    s = Store(connection)
    paths = [f"/{i:03d}.mp3" for i in range(count)]
    note_sources(s, [(Source(p), 1, 1) for p in paths])
    write_outcomes(s, [ingested(paths[i], f"r{i}") for i in sorted(done) if i < count])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aramega.store.pending.PAGE", page)
        left = list(list_pending(s, INGEST, []))
    assert left == [p for i, p in enumerate(paths) if i not in done]
    assert count_pending_items(s, INGEST, []) == len(left)


def test_a_folder_that_is_no_workspace_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(AramegaError, match="not a workspace"):
        Store.open(WorkspaceFolder(tmp_path))


def test_a_database_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "aramega.db").write_text("this is not a database, whatever its name says" * 50)
    with pytest.raises(AramegaError, match="cannot be opened"):
        Store.open(WorkspaceFolder(tmp_path))


def test_an_older_workspace_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrate(connection, STEPS[:1])
    connection.execute("INSERT INTO sources (path, metadata) VALUES ('/a.mp3', '{}')")
    migrate(connection, (*STEPS[:1], "ALTER TABLE sources ADD COLUMN colour TEXT;"))
    assert connection.execute("SELECT path, colour FROM sources").fetchall() == [("/a.mp3", None)]


def test_a_migration_that_fails_leaves_the_workspace_as_it_was(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    migrate(connection, STEPS[:1])
    with pytest.raises(sqlite3.OperationalError):
        migrate(
            connection, (*STEPS[:1], "ALTER TABLE sources ADD COLUMN a TEXT; ALTER TABLE nowhere ADD COLUMN b TEXT;")
        )
    connection.close()
    again = sqlite3.connect(tmp_path / "old.db")
    assert again.execute("PRAGMA user_version").fetchone() == (1,)
    assert "a" not in [row[1] for row in again.execute("PRAGMA table_info(sources)")]


def test_a_newer_workspace_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        connection_of(s).execute("PRAGMA user_version = 99")
    with pytest.raises(AramegaError, match="Upgrade"):
        store(tmp_path)


def test_a_retracted_result_is_pending_again_and_a_current_one_stays(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/a.mp3"), 9, 1)])
        write_outcomes(s, [ingested("/a.mp3", "r1"), segmented("r1", 0)])
        retract_result(s, SEGMENT, "r1")
        assert pending(s) == []
        retract_result(s, Mark("segment", "other options"), "r1")
        assert pending(s) == ["r1"]


def test_files_that_went_before_they_were_read_are_forgotten_when_their_place_is_named_again(tmp_path: Path) -> None:
    with store(tmp_path) as s:
        note_sources(s, [(Source("/x/typo.mp3"), None, None), (Source("/x/a.mp3"), 9, 1)])
        write_outcomes(
            s, [Broken(INGEST, "/x/typo.mp3", "no such file."), Broken(INGEST, "/x/list.csv:3", "no file is named.")]
        )
        forget_misnamed(s, ["/y"], gone=lambda _: False)
        assert len(list_failures(s, [INGEST])) == 2
        forget_misnamed(s, ["/x"], gone=lambda path: "typo" in path)
        assert list_failures(s, [INGEST]) == []
        assert [x.path for x in list_sources(s)] == ["/x/a.mp3"]


def test_two_that_open_a_new_workspace_at_once_both_may(tmp_path: Path) -> None:
    together = threading.Barrier(2)
    trouble: list[BaseException] = []

    def make(folder: Path) -> None:
        try:
            together.wait()
            store(folder).close()
        except BaseException as error:  # noqa: BLE001  a thread must not lose what went wrong
            trouble.append(error)

    for trial in range(8):
        threads = [threading.Thread(target=make, args=(tmp_path / str(trial),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not trouble


def test_what_is_pending_is_found_by_indexes_alone(tmp_path: Path) -> None:
    """SQLite's planner, left to itself, walks all results for each recording: minutes, at twenty thousand of them."""
    with store(tmp_path) as s:
        asked: list[str] = []
        connection_of(s).set_trace_callback(asked.append)
        count_pending_items(s, SEGMENT, [INGEST])
        connection_of(s).set_trace_callback(None)
        steps = [row["detail"] for row in connection_of(s).execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
        assert any("SEARCH s USING" in step and "sources_by_recording" in step for step in steps), steps
        assert not any(step.startswith("SCAN") for step in steps if "recordings" not in step), steps
