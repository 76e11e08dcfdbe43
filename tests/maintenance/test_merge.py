"""merge and split: a team's shards become one workspace, nothing lost and nothing twice; and the other way round."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aramega.backends.llm import Reply
from aramega.backends.llm.journal import Journal, spent_so_far
from aramega.config import Config, save_config
from aramega.maintenance.backup import Backup, verify
from aramega.maintenance.merge import compare_options, merge
from aramega.maintenance.split import fill_part, name_parts
from aramega.records import AramegaError, Metadata, Passage, ResolvedPassage, Source, Summary
from aramega.stages.base import Takes
from aramega.store import Finished, Mark, Store
from aramega.store.calibration import load_calibration, write_calibration
from aramega.store.passages import load_draft
from aramega.store.recordings import list_passages, load_recording
from aramega.store.results import write_outcomes
from aramega.store.reviews import write_resolved
from aramega.store.rows import BOOKS, CUT, DRAFTS, PEOPLE
from aramega.store.sources import note_sources, source_paths
from aramega.workspace import WorkspaceFolder
from tests.maintenance.looking import (
    a_workspace,
    contents,
    copy_of,
    cut_otherwise,
    every_byte,
    files,
    passages_of,
    review,
    rows,
    timeless,
)
from tests.support.cli import Run
from tests.support.database import connection_of
from tests.support.workspaces import put_recording, write_clip

R0 = "0" * 16


def merged(folder: Path, *sources: WorkspaceFolder) -> WorkspaceFolder:
    target = WorkspaceFolder(folder)
    for source in sources:
        merge(source, target)
    return target


def test_shards_become_one(tmp_path: Path, aramega: Run) -> None:
    one, two = a_workspace(tmp_path / "one", [0, 1]), a_workspace(tmp_path / "two", [2, 3])
    said_by = review(two, passages_of(two, 2)[0])
    both = a_workspace(tmp_path / "both", [0, 1, 2, 3])
    review(both, said_by.passage)
    said = aramega("merge", one.root, two.root, "--into", tmp_path / "all")
    assert said.code == 0, said.err
    assert "2 recordings, 4 passages, 1 review new; 4 clips brought." in said.out
    assert timeless(tmp_path / "all") == timeless(both.root)


def test_a_dry_run_says_what_a_merge_would_bring_and_brings_nothing(tmp_path: Path, aramega: Run) -> None:
    one, two = a_workspace(tmp_path / "one", [0, 1]), a_workspace(tmp_path / "two", [1, 2])
    review(two, passages_of(two, 2)[0])
    next((two.root / "clips").rglob(f"{passages_of(two, 2)[1]}.flac")).unlink()
    for target in (tmp_path / "all", one.root):
        sources = (one.root, two.root) if target != one.root else (two.root,)
        before = every_byte(tmp_path)
        planned = aramega("merge", *sources, "--into", target, "--dry-run", "--json")
        assert planned.code == 3, planned.err
        assert every_byte(tmp_path) == before
        assert planned.out == aramega("merge", *sources, "--into", target, "--json").out
    assert "would be brought" in aramega("merge", two.root, "--into", tmp_path / "new", "--dry-run").out
    itself = aramega("merge", one.root, "--into", one.root, "--dry-run")
    assert "cannot be merged into itself" in itself.err


def test_merging_again_adds_nothing(tmp_path: Path) -> None:
    one, two = a_workspace(tmp_path / "one", [0, 1]), a_workspace(tmp_path / "two", [1, 2])
    review(two, passages_of(two, 1)[0])
    target = merged(tmp_path / "all", one, two)
    before = contents(target.root)
    for source in (one, two, one):
        told = merge(source, target)
        assert (told.recordings, told.passages, told.reviews, told.clips) == (0, 0, 0, 0)
    assert contents(target.root) == before


def test_every_table_is_one_that_merge_knows(tmp_path: Path) -> None:
    """A table that is added to the schema has to be thought of here, too."""
    known = {table for table, _ in CUT} | {*DRAFTS, *PEOPLE, *BOOKS, "sources", "projects", "calibration"}
    assert set(rows(a_workspace(tmp_path / "news", [0]).root)) == known


@given(st.integers(2, 4), st.lists(st.integers(0, 9), unique=True, max_size=4), st.data())
@settings(max_examples=8, deadline=None)
def test_what_is_split_and_merged_is_what_it_was(parts: int, numbers: list[int], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = a_workspace(Path(folder, "news"), numbers)
        for number in numbers:
            if data.draw(st.booleans()):
                review(place, passages_of(place, number)[0])
            if data.draw(st.booleans()):
                [gone] = cut_otherwise(place, number)
                review(place, gone)
        _leave_loose_ends(place)
        named = name_parts(Path(folder, "part"), parts)
        for number, part in enumerate(named):
            fill_part(place, part, number, parts)
        assert sum(len(rows(part.root)["recordings"]) for part in named) == len(numbers)
        again = merged(Path(folder, "again"), *data.draw(st.permutations(named)))
        assert contents(again.root) == contents(place.root)
        assert spent_so_far(again.answers) == spent_so_far(place.answers)
        for paper in ("aramega.toml", "withdrawn.txt"):
            assert (again.root / paper).read_text() == (place.root / paper).read_text()


def _leave_loose_ends(place: WorkspaceFolder) -> None:
    """What is of no recording: files not read, names that were wrong, pulls, answers, what was withdrawn."""
    with Store.create_or_open(place) as store:
        note_sources(store, [(Source(f"/in/{name}.mp3", Metadata(title=name)), 1, 1) for name in "abcd"])
        failed = [("ingest", item, "f", "broken", "", "2026") for item in ("/in/a.mp3", "/lists/x.csv:3")]
        connection_of(store).executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?)", failed)
        connection_of(store).execute("INSERT INTO results VALUES ('judge', 'workspace', 'f', 6, 0, 0, '2026')")
        connection_of(store).execute("INSERT INTO projects VALUES ('http://ls', 1, 'News', '2026-02-02')")
    (place.root / "withdrawn.txt").write_text("نشرة 0.mp3\tasked\n", encoding="utf-8")
    with closing(Journal(place.answers)) as journal:
        journal.note("asked", "model", Reply("جواب", 10, 5, False))


def test_split_says_where_everything_went_and_can_be_run_again(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news", range(5), passages=1)
    said = aramega("split", place.root, "--parts", 2, "--into", tmp_path / "part")
    assert said.code == 0, said.err
    assert (tmp_path / "part-1" / "aramega.toml").exists()
    held = [len(rows(tmp_path / f"part-{n}")["recordings"]) for n in (1, 2)]
    assert sum(held) == 5
    assert f"part-1: {held[0]} recordings" in said.out
    before = [contents(tmp_path / f"part-{n}") for n in (1, 2)]
    assert aramega("split", place.root, "--parts", 2, "--into", tmp_path / "part").code == 0
    assert [contents(tmp_path / f"part-{n}") for n in (1, 2)] == before
    other = aramega("split", place.root, "--parts", 3, "--into", tmp_path / "part")
    assert other.code == 2
    assert "so it is of another split" in other.err


def test_where_one_went_further_that_is_taken(tmp_path: Path) -> None:
    """One has drafted the first passage, the other the second, under the same options."""
    whole = a_workspace(tmp_path / "whole", [0])
    first, second = copy_of(whole, tmp_path / "first"), copy_of(whole, tmp_path / "second")
    for place, passage in ((first, passages_of(whole, 0)[1]), (second, passages_of(whole, 0)[0])):
        _forget_draft(place, passage)
    barely = a_workspace(tmp_path / "barely", [0])
    with Store.create_or_open(barely) as store:
        for table in ("timelines", "segments", "passages", *DRAFTS):
            connection_of(store).execute(f"DELETE FROM {table}")
        connection_of(store).execute("DELETE FROM results WHERE stage <> 'ingest'")
    for order, sources in enumerate(([barely, first, second], [second, first, barely])):
        told = [merge(source, WorkspaceFolder(tmp_path / str(order))) for source in sources]
        assert not [c for t in told for c in t.conflicts]
        assert timeless(tmp_path / str(order)) == timeless(whole.root)


def _forget_draft(place: WorkspaceFolder, passage: str) -> None:
    with Store.create_or_open(place) as store:
        for table in DRAFTS:
            connection_of(store).execute(f"DELETE FROM {table} WHERE passage = ?", (passage,))
        connection_of(store).execute("DELETE FROM results WHERE item = ?", (passage,))


def _redraft(place: WorkspaceFolder, passage: str, when: str, text: str = "ملخص آخر.") -> None:
    """Another prompt's summary, made at another time."""
    with Store.create_or_open(place) as store:
        made = load_draft(store, passage).summary
        assert made
        mark = Mark("summarize", "other prompt", Takes.PASSAGE)
        write_outcomes(store, [Finished(mark, passage, (Summary,), [replace(made, text=text)], 0.1)])
        connection_of(store).execute("UPDATE results SET finished_at = ? WHERE item = ?", (when, passage))


@pytest.mark.parametrize(("when", "taken"), [("2001", "ours: the newer"), ("2101", "theirs: the newer")])
def test_of_two_drafts_the_newer_is_taken_and_that_is_said(tmp_path: Path, when: str, taken: str) -> None:
    ours = a_workspace(tmp_path / "ours", [0])
    theirs = copy_of(ours, tmp_path / "theirs")
    passage = passages_of(ours, 0)[0]
    _redraft(theirs, passage, when)
    chosen = _draft_rows(theirs if taken.startswith("theirs") else ours)
    told = merge(theirs, ours)
    assert [(c.what, c.name, c.taken) for c in told.conflicts] == [("drafted differently", passage, taken)]
    assert _draft_rows(ours) == chosen
    merge(theirs, ours)
    assert _draft_rows(ours) == chosen


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_the_draft_made_last_stays_whichever_workspace_comes_first(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Two have one draft, made at the first and the third second, and another has one of the second between."""
    first = a_workspace(tmp_path / "first", [0])
    made_at = [f"2026-01-01T00:00:0{second}+00:00" for second in (1, 2, 3)]
    three = [first, copy_of(first, tmp_path / "second"), copy_of(first, tmp_path / "third")]
    for place, when in zip(three, made_at, strict=True):
        with Store.create_or_open(place) as store:
            connection_of(store).execute("UPDATE results SET finished_at = ?", (when,))
    _redraft(three[1], passages_of(first, 0)[0], made_at[1])
    places = [three[number] for number in order]
    target = merged(tmp_path / "all", *places)
    assert rows(target.root)["summaries"] == rows(three[2].root)["summaries"]
    before = contents(target.root)
    assert contents(merged(target.root, *places, *reversed(places)).root) == before


def test_a_draft_that_people_worked_on_is_taken_however_old(tmp_path: Path) -> None:
    ours = a_workspace(tmp_path / "ours", [0])
    theirs = copy_of(ours, tmp_path / "theirs")
    passage = passages_of(ours, 0)[0]
    _redraft(theirs, passage, "2001")
    review(theirs, passage)
    told = merge(theirs, ours)
    assert [c.taken for c in told.conflicts] == ["theirs: people have worked on it"]
    assert _draft_rows(ours) == _draft_rows(theirs)
    assert len(rows(ours.root)["reviews"]) == 1


def test_of_two_ways_to_cut_the_one_with_peoples_work_is_taken_and_all_reviews_are_kept(tmp_path: Path) -> None:
    ours = a_workspace(tmp_path / "ours", [0])
    theirs = copy_of(ours, tmp_path / "theirs")
    _cut_at_new_edges(theirs)
    by_us, by_them = review(ours, passages_of(ours, 0)[0], "huda"), review(theirs, passages_of(theirs, 0)[0], "omar")
    for order, sources in enumerate(([ours, theirs], [theirs, ours])):
        target = WorkspaceFolder(tmp_path / str(order))
        told = [merge(source, target) for source in sources]
        assert [c.what for t in told for c in t.conflicts][:1] == ["cut, or summarized as a whole, differently"]
        assert passages_of(target, 0) in (passages_of(ours, 0), passages_of(theirs, 0))
        assert {row[0] for row in rows(target.root)["reviews"]} == {by_us.id, by_them.id}
        held = " ".join(files(target.root, ["clips"]))
        drafted = {row[0] for row in rows(target.root)["transcripts"]}
        for said in (by_us, by_them):
            assert said.passage in held
            assert said.passage in drafted
        before = contents(target.root)
        merge(sources[0], target)
        merge(sources[1], target)
        assert contents(target.root) == before


def test_a_way_to_cut_that_nobody_worked_on_gives_way(tmp_path: Path) -> None:
    ours = a_workspace(tmp_path / "ours", [0])
    theirs = copy_of(ours, tmp_path / "theirs")
    _cut_at_new_edges(theirs)
    review(theirs, passages_of(theirs, 0)[0])
    told = merge(theirs, ours)
    assert [c.taken for c in told.conflicts] == ["theirs: people have worked on it"]
    assert passages_of(ours, 0) == passages_of(theirs, 0)
    assert set(files(theirs.root)) <= set(files(ours.root))


def _cut_at_new_edges(place: WorkspaceFolder, recording: str = R0) -> None:
    """The passages begin a little later, under other options, and have clips and drafts of their own."""
    with Store.create_or_open(place) as store:
        moved = []
        for passage in list_passages(store, recording):
            number = f"{recording}-{round(passage.start * 1000) + 100:09d}-{round(passage.end * 1000):09d}"
            other = replace(passage, id=number, start=passage.start + 0.1)
            other = replace(other, clip=place.relative(place.clip(recording, number)))
            sha256 = hashlib.sha256(write_clip(place, other).read_bytes()).hexdigest()
            moved.append(replace(other, clip_sha256=sha256))
            for table in DRAFTS:
                connection_of(store).execute(f"UPDATE {table} SET passage = ? WHERE passage = ?", (number, passage.id))
            connection_of(store).execute("UPDATE results SET item = ? WHERE item = ?", (number, passage.id))
        write_outcomes(store, [Finished(Mark("passages", "c2"), recording, (Passage,), moved, 0.1)])


WAYS = st.sampled_from(("absent", "whole", "undrafted", "redrafted long ago", "redrafted lately", "cut otherwise"))
SHARD = st.tuples(st.lists(st.tuples(WAYS, st.booleans()), min_size=2, max_size=2), st.integers(0, 2))
"""How each of two recordings is, whether it is reviewed, and the second in which all of the shard was built."""


_UNREVIEWED_AND_ABSENT = [("cut otherwise", False), ("absent", False)]


@given(st.lists(SHARD, min_size=2, max_size=3))
@example(
    [(_UNREVIEWED_AND_ABSENT, 0), ([("redrafted lately", False), ("absent", False)], 0), ([("whole", False)] * 2, 1)]
)
@example([([("whole", False)] * 2, 0), ([("whole", False)] * 2, 2), (_UNREVIEWED_AND_ABSENT, 1)])
@example([([(way, False), (way, False)], 2) for way in ("whole", "redrafted lately")] + [([("whole", True)] * 2, 0)])
@settings(max_examples=12, deadline=None)
def test_whatever_is_merged_in_whatever_order_peoples_work_is_whole_and_again_adds_nothing(
    shards: list[tuple[list[tuple[str, bool]], int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        places = [_a_shard(Path(folder, f"shard{i}"), *shard) for i, shard in enumerate(shards)]
        target = merged(Path(folder, "all"), *places)
        held = rows(target.root)
        for place in places:
            theirs = rows(place.root)
            assert set(theirs["reviews"]) <= set(held["reviews"])
            assert {row[0] for row in theirs["recordings"]} <= {row[0] for row in held["recordings"]}
        drafted, clips = {row[0] for row in held["transcripts"]}, " ".join(files(target.root, ["clips"]))
        for row in held["reviews"]:
            assert row[1] in drafted
            assert str(row[1]) in clips
        found = Backup()
        verify(target.root, found)
        assert found.is_whole
        before = contents(target.root)
        assert contents(merged(target.root, *places, *reversed(places)).root) == before


def _a_shard(folder: Path, shard: list[tuple[str, bool]], second: int) -> WorkspaceFolder:
    """Two recordings, each as it is in one of several ways, and reviewed or not; all made in one second."""
    place = a_workspace(folder, [number for number, (way, _) in enumerate(shard) if way != "absent"])
    for number, (way, reviewed) in enumerate(shard):
        if way == "absent":
            continue
        if way == "cut otherwise":
            _cut_at_new_edges(place, f"{number:016x}")
        passage = passages_of(place, number)[0]
        if way == "undrafted":
            _forget_draft(place, passages_of(place, number)[1])
        if way.startswith("redrafted"):
            _redraft(place, passage, "2001" if way.endswith("ago") else "2101", text=way)
        if reviewed:
            review(place, passage, f"{folder.name}, {way}")
    with Store.create_or_open(place) as store:
        when = f"2026-02-01T10:00:0{second}+00:00"
        connection_of(store).execute("UPDATE results SET finished_at = ? WHERE length(finished_at) > 4", (when,))
    return place


def test_of_two_as_new_as_each_other_the_same_is_taken_whichever_is_merged_first(tmp_path: Path) -> None:
    one = a_workspace(tmp_path / "one", [0])
    two = copy_of(one, tmp_path / "two")
    drafted, settled = passages_of(one, 0)
    for place, text in ((one, "ملخص."), (two, "ملخص آخر.")):
        _redraft(place, drafted, "2026", text)
        with Store.create_or_open(place) as store:
            write_resolved(store, [ResolvedPassage(settled, True, transcript=text, resolved_at="2026")])
    there, back = merged(tmp_path / "there", one, two), merged(tmp_path / "back", two, one)
    assert contents(there.root) == contents(back.root)
    assert len({row[2] for row in rows(there.root)["results"] if row[0] == "summarize"}) == 2


def test_of_two_calibrations_the_one_that_was_learned_from_more_reviews_is_taken(tmp_path: Path) -> None:
    few, many = a_workspace(tmp_path / "few", [0]), a_workspace(tmp_path / "many", [1])
    for place, reviews in ((few, 9), (many, 200)):
        with Store.create_or_open(place) as store:
            write_calibration(store, {"reviews": reviews})
    for order, sources in enumerate(([few, many], [many, few])):
        with Store.open(merged(tmp_path / str(order), *sources)) as store:
            assert load_calibration(store) == {"reviews": 200}


def test_what_two_curators_know_of_a_file_is_put_together(tmp_path: Path) -> None:
    ours, theirs = a_workspace(tmp_path / "ours", [0]), a_workspace(tmp_path / "theirs", [0])
    with Store.create_or_open(ours) as store:
        connection_of(store).execute('UPDATE sources SET metadata = \'{"speaker": "هدى"}\'')
    told = merge(theirs, ours)
    assert [(c.what, c.taken) for c in told.conflicts] == [("described differently", "ours")]
    with Store.open(ours) as store:
        known = load_recording(store, R0).metadata
    assert (known.speaker, known.programme) == ("هدى", "programme 0")


def test_one_path_that_is_two_recordings_keeps_both(tmp_path: Path) -> None:
    ours, theirs = a_workspace(tmp_path / "ours", [0]), a_workspace(tmp_path / "theirs", [1])
    for place, number in ((ours, 0), (theirs, 1)):
        with Store.create_or_open(place) as store:
            connection_of(store).execute("UPDATE sources SET path = '/in/today.mp3'")
            connection_of(store).execute("UPDATE results SET item = '/in/today.mp3' WHERE stage = 'ingest'")
            assert source_paths(store, f"{number:016x}")
    told = merge(theirs, ours)
    assert [c.what for c in told.conflicts] == ["one path, two recordings"]
    with Store.open(ours) as store:
        assert source_paths(store, R0) == ["/in/today.mp3"]
        assert source_paths(store, f"{1:016x}") == [f"/in/today.mp3#{1:016x}"]
        assert load_recording(store, f"{1:016x}").metadata.programme == "programme 2"
    before = contents(ours.root)
    merge(theirs, ours)
    assert contents(ours.root) == before


def test_the_same_file_under_two_names_is_one_recording_with_both(tmp_path: Path) -> None:
    ours, theirs = a_workspace(tmp_path / "ours", [0]), a_workspace(tmp_path / "theirs", [0])
    with Store.create_or_open(theirs) as store:
        put_recording(store, load_recording(store, R0), Metadata(speaker="هدى"), folder="/mnt")
    merge(theirs, ours)
    with Store.open(ours) as store:
        assert len(source_paths(store, R0)) == 2
        assert len(rows(ours.root)["recordings"]) == 1


def test_options_that_differ_are_said_and_the_targets_stay(tmp_path: Path, aramega: Run) -> None:
    ours, theirs = a_workspace(tmp_path / "ours", [0]), a_workspace(tmp_path / "theirs", [1])
    save_config(Config.model_validate({"passages": {"max_seconds": 90}}), theirs.config)
    before = ours.config.read_text()
    said = aramega("merge", theirs.root, "--into", ours.root)
    assert "option passages.max_seconds is 90.0 there and 120.0 in aramega.toml here" in said.out
    assert ours.config.read_text() == before


def test_what_was_withdrawn_from_one_is_withdrawn_from_all(tmp_path: Path) -> None:
    one, two = a_workspace(tmp_path / "one", [0]), a_workspace(tmp_path / "two", [1])
    (one.root / "withdrawn.txt").write_text("a.mp3\n")
    (two.root / "withdrawn.txt").write_text("b.mp3\tasked\n")
    target = merged(tmp_path / "all", one, two, two)
    assert (target.root / "withdrawn.txt").read_text() == "a.mp3\nb.mp3\tasked\n"


def test_what_both_paid_for_is_counted_once_a_payment(tmp_path: Path) -> None:
    one, two = a_workspace(tmp_path / "one", [0]), a_workspace(tmp_path / "two", [1])
    for place, asked in ((one, "a"), (two, "b")):
        with closing(Journal(place.answers)) as journal:
            journal.note(asked, "model", Reply("جواب", 10, 5, False))
    assert spent_so_far(merged(tmp_path / "all", one, two, one).answers).tokens == 30


def test_a_missing_clip_is_said(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news", [0])
    clip = next(iter(files(place.root, ["clips"])))
    (place.root / clip).unlink()
    said = aramega("merge", place.root, "--into", tmp_path / "all", "--json")
    assert said.code == 3
    assert json.loads(said.out)["missing"] == [clip]


def test_a_database_that_points_outside_is_refused(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0])
    with closing(sqlite3.connect(place.database, isolation_level=None)) as connection:
        connection.execute("UPDATE passages SET clip = 'clips/../../secret'")
    with pytest.raises(AramegaError, match="no path inside clips/"):
        merge(place, WorkspaceFolder(tmp_path / "all"))


def test_a_workspace_is_not_merged_into_itself(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news", [0])
    assert "cannot be merged into itself" in aramega("merge", place.root, "--into", place.root).err


def _draft_rows(place: WorkspaceFolder) -> dict[str, object]:
    return {table: found for table, found in rows(place.root).items() if table in (*DRAFTS, "results")}


def test_a_table_of_a_plugin_in_one_of_two_workspaces_is_said(tmp_path: Path) -> None:
    plain, laughing = a_workspace(tmp_path / "plain", [0]), a_workspace(tmp_path / "laughing", [1])
    table = '\n[plugins.laughter]\nlaugh = "هه"\n'
    laughing.config.write_text(laughing.config.read_text(encoding="utf-8") + table, encoding="utf-8")
    there = "{'laugh': 'هه'}"
    assert compare_options(laughing, plain) == [f"plugins.laughter is {there} there and None in aramega.toml here"]
    assert compare_options(plain, laughing) == [f"plugins.laughter is None there and {there} in aramega.toml here"]
