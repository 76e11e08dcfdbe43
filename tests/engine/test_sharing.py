"""Sharing: pieces go out, an item comes back; a piece that fails costs time and nothing else."""

from __future__ import annotations

from aramega.engine import Outcome
from aramega.engine.sharing import Sharing, is_divided, item_of
from aramega.stages.base import Joint, Piece, Pieces


def outcome(item: str, *records: object, error: str = "", took: float = 1.0) -> Outcome:
    return Outcome(0, item, records, error, "", took)


def divided() -> tuple[Sharing, list[str]]:
    sharing = Sharing()
    answer = outcome("a.mp3", Pieces(("left", "right")))
    assert is_divided(answer)
    sharing.divide(answer, "whole")
    tasks = [task for task in (sharing.next_task(0), sharing.next_task(0)) if task]
    assert [task.items for task in tasks] == [(Piece("whole", "left"),), (Piece("whole", "right"),)]
    assert sharing.next_task(0) is None
    return sharing, [task.ids[0] for task in tasks]


def test_pieces_are_joined_in_their_order_whoever_is_first() -> None:
    sharing, (left, right) = divided()
    assert sharing.take(outcome(right, "B")) is None
    assert sharing.next_task(0) is None
    assert sharing.take(outcome(left, "A")) is None
    joint = sharing.next_task(0)
    assert joint
    assert joint.ids == ("a.mp3",)
    assert joint.items == (Joint("whole", (("A",), ("B",))),)
    assert sharing.take(outcome("a.mp3", "AB")) == outcome("a.mp3", "AB", took=4.0)


def test_after_a_failed_piece_one_worker_does_it_all() -> None:
    sharing, (left, right) = divided()
    sharing.take(outcome(left, error="its worker died twice"))
    sharing.take(outcome(right, "B"))
    joint = sharing.next_task(0)
    assert joint
    assert joint.items == (Joint("whole"),)
    assert sharing.take(outcome("a.mp3", error="broken"))


def test_items_that_were_never_divided_pass_through() -> None:
    assert Sharing().take(outcome("b.mp3", "B")) == outcome("b.mp3", "B")


def test_a_piece_tells_which_item_it_is_of() -> None:
    assert {item_of(task_id) for task_id in divided()[1]} == {"a.mp3"}
    assert item_of("b.mp3") == "b.mp3"
