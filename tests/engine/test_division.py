"""Divided items: pieces go out, an item comes back; a piece that fails costs time and nothing else."""

from __future__ import annotations

from aramega.engine import Divided, Done, Failed, Task
from aramega.engine.division import DividedItems
from aramega.stages.base import JoinTask, PieceTask


def divided() -> DividedItems:
    items = DividedItems()
    items.divide(Divided("ingest", "a.mp3", ("left", "right"), took=1.0), "whole")
    tasks = [items.next_task("ingest") for _ in range(3)]
    assert tasks == [
        Task("ingest", ("a.mp3",), (PieceTask("whole", "left"),), piece=0),
        Task("ingest", ("a.mp3",), (PieceTask("whole", "right"),), piece=1),
        None,
    ]
    return items


def test_pieces_are_joined_in_their_order_whoever_is_first() -> None:
    items = divided()
    assert items.take(Done("ingest", "a.mp3", ["B"], took=1.0, piece=1)) is None
    assert items.next_task("ingest") is None
    assert items.take(Done("ingest", "a.mp3", ["A"], took=1.0, piece=0)) is None
    assert items.next_task("ingest") == Task("ingest", ("a.mp3",), (JoinTask("whole", (["A"], ["B"])),))
    assert items.take(Done("ingest", "a.mp3", ["AB"], took=1.0)) == Done("ingest", "a.mp3", ["AB"], took=4.0)


def test_after_a_failed_piece_one_worker_does_it_all() -> None:
    items = divided()
    items.take(Failed("ingest", "a.mp3", "its worker died twice", piece=0))
    items.take(Done("ingest", "a.mp3", ["B"], piece=1))
    joint = items.next_task("ingest")
    assert joint
    assert joint.items == (JoinTask("whole"),)
    assert items.take(Failed("ingest", "a.mp3", "broken"))


def test_items_that_were_never_divided_pass_through() -> None:
    done = Done("ingest", "b.mp3", ["B"])
    assert DividedItems().take(done) == done
