"""backup: one moment of a workspace, whole, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from aramega.backends.llm import Reply
from aramega.backends.llm.journal import Journal, spent_so_far
from aramega.maintenance import backup as room
from aramega.maintenance.backup import back_up, verify
from aramega.records import AramegaError
from aramega.store import Store
from aramega.store.reviews import add_reviews
from tests.maintenance.looking import a_workspace, contents, copy_of, cut_otherwise, every_byte, files, review, rows
from tests.support.cli import Run
from tests.support.database import connection_of
from tests.support.drafts import Annotator, put_drafted
from tests.support.workspaces import a_recording


def test_a_backup_is_a_workspace_like_the_one_it_is_of(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    (place.root / "withdrawn.txt").write_text("نشرة 0.mp3\n")
    (place.root / "publish").mkdir()
    (place.root / "publish" / "annotators.salt").write_text("salt")
    said = aramega("backup", place.root, tmp_path / "copy")
    assert said.code == 0, said.err
    assert contents(tmp_path / "copy") == contents(place.root)
    for paper in ("aramega.toml", "withdrawn.txt", "publish/annotators.salt"):
        assert (tmp_path / "copy" / paper).read_bytes() == (place.root / paper).read_bytes()
    assert "3 recordings" in aramega("status", tmp_path / "copy").out
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert not list((tmp_path / "copy").glob("*-wal"))
    assert not list((tmp_path / "copy").glob(".*"))


def test_a_dry_run_says_what_a_backup_would_hold_and_makes_none(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news", [0, 1])
    before = every_byte(tmp_path)
    planned = aramega("backup", place.root, tmp_path / "copy", "--dry-run", "--json")
    assert (planned.code, planned.err) == (0, "")
    assert every_byte(tmp_path) == before
    assert json.loads(planned.out) == json.loads(aramega("backup", place.root, tmp_path / "copy", "--json").out)
    next((place.root / "clips").rglob("*.flac")).unlink()
    again = aramega("backup", place.root, tmp_path / "copy", "--dry-run")
    assert again.code == 3
    assert "7 were there, 0 would be linked, 0 would be copied." in again.out
    assert "is not in the workspace" in again.err
    inside = aramega("backup", place.root, place.root / "copy", "--dry-run")
    assert "a backup cannot lie in its workspace" in inside.err


def test_clips_are_links_where_the_disk_allows_it_and_copies_where_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = a_workspace(tmp_path / "news", [0])
    assert back_up(place, tmp_path / "linked").linked == 4
    clip = next(iter(files(place.root, ["clips"])))
    assert (tmp_path / "linked" / clip).samefile(place.root / clip)

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    made = back_up(place, tmp_path / "copied")
    assert (made.linked, made.copied) == (0, 4)
    assert not (tmp_path / "copied" / clip).samefile(place.root / clip)
    assert contents(tmp_path / "copied") == contents(place.root)


def test_a_second_backup_brings_only_what_is_new(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0, 1])
    back_up(place, tmp_path / "copy")
    with Store.create_or_open(place) as store:
        put_drafted(store, place, a_recording("9" * 16), 1, seconds=4.0, clips=True)
    made = back_up(place, tmp_path / "copy")
    assert (made.unchanged, made.linked, made.copied) == (8, 1, 0)
    assert contents(tmp_path / "copy") == contents(place.root)
    assert json.loads((tmp_path / "copy" / "backup.json").read_text())["clips"] == 5


def test_what_is_gone_from_the_workspace_goes_from_its_backup(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0, 1])
    back_up(place, tmp_path / "copy")
    [gone] = cut_otherwise(place, 0)
    [reviewed] = cut_otherwise(place, 1)
    review(place, reviewed)
    back_up(place, tmp_path / "copy")
    held = " ".join(files(tmp_path / "copy"))
    assert gone not in held
    assert reviewed in held, "people's work names it"


def test_frames_can_be_left_out(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    aramega("backup", place.root, tmp_path / "copy")
    aramega("backup", place.root, tmp_path / "copy", "--without-frames")
    assert files(tmp_path / "copy") == files(place.root, ["clips"])


def test_the_copy_is_of_one_moment_while_someone_writes(tmp_path: Path) -> None:
    """A writer puts whole recordings in, each with its passages in one go; no copy holds half of one."""
    place = a_workspace(tmp_path / "news", [0])
    done = threading.Event()

    def write() -> None:
        with Store.create_or_open(place) as store:
            for number in range(100, 130):
                known = a_recording(f"{number:016x}")
                put_drafted(store, place, known, 1, seconds=4.0, clips=True)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    held = []
    while not done.is_set():
        made = back_up(place, tmp_path / "copy")
        assert made.is_whole
        held.append(made.clips)
        copied = rows(tmp_path / "copy")
        assert {row[6] for row in copied["passages"]} == set(files(tmp_path / "copy", ["clips"]))
    writer.join()
    assert held == sorted(held)


def test_a_clip_cut_anew_meanwhile_is_copied_with_the_row_that_knows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a build wrote the clip, then its row, after the database was copied and before the clip was."""
    place = a_workspace(tmp_path / "news", [0])
    copy_databases, copies = room._copy_databases, []
    clip = place.root / next(iter(files(place.root, ["clips"])))

    def copy_and_cut(places: room._Places) -> None:
        copy_databases(places)
        copies.append(1)
        if len(copies) == 1:
            part = clip.with_suffix(".new")
            part.write_bytes(b"cut anew")
            part.replace(clip)
            told = room._hash(clip)
            with Store.create_or_open(place) as store:
                connection_of(store).execute("UPDATE passages SET clip_sha256 = ? WHERE id = ?", (told, clip.stem))

    monkeypatch.setattr(room, "_copy_databases", copy_and_cut)
    assert back_up(place, tmp_path / "copy").is_whole
    assert len(copies) == 2
    assert contents(tmp_path / "copy") == contents(place.root)


def test_a_missing_clip_is_named_and_the_rest_is_copied(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    clip = next(iter(files(place.root, ["clips"])))
    (place.root / clip).unlink()
    said = aramega("backup", place.root, tmp_path / "copy")
    assert said.code == 3
    assert f"{clip}: is not in the workspace." in said.err
    assert contents(tmp_path / "copy") == contents(place.root)


def test_verify_finds_a_clip_that_rotted(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    clip = place.root / next(iter(files(place.root, ["clips"])))
    sound = bytearray(clip.read_bytes())
    sound[-1] ^= 1
    clip.write_bytes(sound)
    os.utime(clip, (1, 1))
    assert aramega("backup", place.root, tmp_path / "copy").code == 0, "an old clip is trusted"
    said = aramega("backup", place.root, tmp_path / "copy", "--verify")
    assert said.code == 3
    assert f"{place.relative(clip)}: is not what its row says." in said.err


def test_a_good_backup_verifies(tmp_path: Path) -> None:
    made = back_up(a_workspace(tmp_path / "news"), tmp_path / "copy")
    verify(tmp_path / "copy", made)
    assert made.is_whole


def test_another_folder_is_never_written_over(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0])
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("mine")
    with pytest.raises(AramegaError, match="is no backup of ours"):
        back_up(place, tmp_path / "papers")
    other = copy_of(place, tmp_path / "other")
    back_up(other, tmp_path / "copy")
    with pytest.raises(AramegaError, match=r"is a backup of .*other, not of .*news"):
        back_up(place, tmp_path / "copy")
    for inside in (place.root, place.root / "backup", tmp_path):
        with pytest.raises(AramegaError, match="cannot lie in its workspace, nor around it"):
            back_up(place, inside)
    assert (tmp_path / "papers" / "thesis.txt").read_text() == "mine"


def test_what_a_kill_between_two_names_left_is_put_back(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0])
    back_up(place, tmp_path / "copy")
    shutil.move(tmp_path / "copy", tmp_path / ".copy.old")
    made = back_up(place, tmp_path / "copy")
    assert made.unchanged == 4
    assert contents(tmp_path / "copy") == contents(place.root)
    assert not (tmp_path / ".copy.old").exists()


def test_answers_are_in_it(tmp_path: Path) -> None:
    place = a_workspace(tmp_path / "news", [0])
    with closing(Journal(place.answers)) as journal:
        journal.note("asked", "model", Reply("جواب", 10, 5, False))
        back_up(place, tmp_path / "copy")
    assert spent_so_far(tmp_path / "copy" / "answers.db").tokens == 15


def test_work_that_waits_in_a_label_studio_is_said_not_to_be_in_it(tmp_path: Path, aramega: Run) -> None:
    place = a_workspace(tmp_path / "news")
    assert aramega("backup", place.root, tmp_path / "copy").err == ""
    with Store.create_or_open(place) as store:
        seen, unseen, *_ = (row[0] for row in connection_of(store).execute("SELECT id FROM passages ORDER BY id"))
        tasks = (("http://labels", 7, number, passage, "d", "") for number, passage in enumerate((seen, unseen)))
        with store.transaction():
            connection_of(store).executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?)", tasks)
            connection_of(store).execute("DELETE FROM reviews")
        add_reviews(store, [Annotator("amal").says(seen)])
    said = aramega("backup", place.root, tmp_path / "copy")
    assert said.code == 0
    assert "1 task of project 7 at http://labels (never pulled) without a review here" in said.err
    assert f"aramega review pull {place.root} --project 7" in said.err
    with Store.open(place) as store, store.transaction():
        connection_of(store).execute("INSERT INTO projects VALUES ('http://labels', 7, 'News', '2026-02-01T10:00:00Z')")
    [one] = back_up(place, tmp_path / "copy").unpulled
    assert (one.title, one.tasks, one.pulled_at[:10]) == ("News", 1, "2026-02-01")
    with Store.create_or_open(place) as store:
        add_reviews(store, [Annotator("amal").says(unseen)])
    assert back_up(place, tmp_path / "copy").unpulled == []
