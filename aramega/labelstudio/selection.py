"""Selection: chooses the passages of a push, their order, and how many gold ones lie in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.reviews import gold_passages
from aramega.workspace import WorkspaceFolder


@dataclass(frozen=True)
class PushRequest:
    """What to push, where to, and how."""

    project: str
    where: str = "coalesce(decision, '') <> 'reject'"
    limit: int | None = None
    template: str = ""
    """A file, or one of ours by name; empty to keep the project's own, or to make it a passage_review."""
    audio: str = "local"
    overlap: float | None = None
    """The share of tasks that several annotators get."""
    annotators: int = 2
    gold: float = 0.0
    """How many of the tasks, as a share, are to be passages whose answer is known."""
    passages: Sequence[str] | None = None
    """Just these, instead of `where`."""
    against: WorkspaceFolder | None = None
    """Where the same passages have other summaries, for choosing between the two."""


def choose_passages(store: Store, request: PushRequest) -> list[str]:
    """The passages asked for, the most useful first, with gold ones in between."""
    if request.passages is not None:
        return list(request.passages)
    chosen = list(find_passages(store, request.where, order="priority DESC, passage", limit=request.limit))
    if request.gold <= 0:
        return chosen
    return mix_in_gold(chosen, gold_passages(store), request.gold)


def mix_in_gold(passages: Sequence[str], gold: Sequence[str], rate: float) -> list[str]:
    """`gold` passages spread evenly among the others, so that about `rate` of the whole are gold while they last."""
    golden = set(gold)
    others = [p for p in passages if p not in golden]
    gap = max(1, round(1 / min(rate, 1.0)) - 1)
    mixed: list[str] = []
    left = iter(gold)
    for number, passage in enumerate(others):
        if number % gap == 0:
            mixed += [p for p in (next(left, None),) if p]
        mixed.append(passage)
    return mixed
