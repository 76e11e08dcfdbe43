"""Quotas: how many places of a batch go to which rows.

A phase's shares form a tree: modality, then task, then label. `Split` hands out whole places down the tree
and remembers what it owes as exact integers: every batch is within one place of its share at each branch,
and no rounding is lost over time. The leaves are cells, each with its deck.

Labels are balanced as far as that does not mean hearing the same few clips over and over: a label's share
is held at what lets each of its rows come at most `max_visits` times in an epoch of its task, and the other
labels share the rest. An epoch of a task is `coverage` of its rows drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recipes.errors import RecipeError
from recipes.schedule.decks import Deck
from recipes.schedule.phases import Phase
from recipes.schedule.table import MODALITIES, TEXT, ScheduleTable

DeckBox = Callable[[str, np.ndarray], Deck]


@dataclass(frozen=True)
class Cell:
    """A leaf of the tree: the rows that may fill its places."""

    deck: Deck
    ratio: float  # rows dealt for each place; those not picked wait for the next pass
    placed: bool  # all of its rows have a place in aligner space (text has none)
    guarantee: float = 0.0  # one place in so many is filled in turn, without a choice; 0: none

    def candidates(self, places: int) -> int:
        return max(places, int(places * self.ratio))

    def deal(self, places: int) -> list[tuple[np.ndarray, int]]:
        """Rows and how many of them to take: those whose turn it is, and candidates for the other places."""
        if not self.guarantee or self.ratio <= 1:
            return [(self.deck.deal(self.candidates(places)), places)]
        sure = self.deck.deal_in_turn(places, guarantee=self.guarantee)
        free = places - len(sure)
        offered = [(self.deck.deal_others(self.candidates(free), sure), free)] if free else []
        return [(sure, len(sure)), *offered] if len(sure) else offered


class Split:
    """Shares n places among branches, exactly in the long run."""

    def __init__(self, weights: Sequence[float], branches: Sequence[Split] | None = None) -> None:
        # A million parts: equal weights become equal integers, so that equal shares are exactly equal.
        scaled = np.rint(np.asarray(weights, dtype=np.float64) / max(weights) * 1_000_000)
        self.weights = np.maximum(scaled, 1).astype(np.int64)
        self.total = int(self.weights.sum())
        self.owed = np.zeros(len(self.weights), dtype=np.int64)
        self.branches = branches

    def take(self, places: int) -> np.ndarray:
        """The places of each leaf below, in order; what was owed before is paid first."""
        self.owed += places * self.weights
        counts = np.maximum(self.owed // self.total, 0)
        remainder = self.owed - counts * self.total
        missing = places - int(counts.sum())
        if missing > 0:
            counts[np.argsort(-remainder, kind="stable")[:missing]] += 1
        elif missing < 0:
            given = np.flatnonzero(counts)
            counts[given[np.argsort(remainder[given], kind="stable")[:-missing]]] -= 1
        self.owed -= counts * self.total
        if self.branches is None:
            return counts
        return np.concatenate([branch.take(int(n)) for branch, n in zip(self.branches, counts, strict=True)])

    def nodes(self) -> list[Split]:
        """This split and all below it, in a fixed order."""
        return [self, *(node for branch in self.branches or () for node in branch.nodes())]


@dataclass(frozen=True)
class Quotas:
    """A phase's shares over the rows that there are: the tree of splits, and its cells."""

    tree: Split
    cells: list[Cell]
    notes: list[str]  # where a share is not what was asked for, or rows are too few


def lay_out_quotas(phase: Phase, table: ScheduleTable, batch_size: int, deck_of: DeckBox) -> Quotas:
    """Resolve a phase's shares over the rows that there are."""
    check_tasks(phase, table)
    cells: list[Cell] = []
    notes: list[str] = []
    shares = phase.modalities or {"any": 1.0}
    groups = []
    for modality, share in shares.items():
        rows_of = rows_by_task(phase, table, modality)
        total = sum(phase.tasks[name] for name in rows_of)
        branches = []
        for name, rows in rows_of.items():
            decks = [
                deck_of(f"{modality}/{name}{label}", of_label)
                for label, of_label in rows_by_label(phase, table, rows).items()
            ]
            parts = label_shares(phase, decks, rows=len(rows))
            places = batch_size * share * phase.tasks[name] / total
            notes += [f"{phase.name}: {note}" for note in check_shares(phase, decks, parts, places)]
            branches.append(Split(parts.tolist()))
            cells += [make_cell(phase, table, deck, part, len(rows)) for deck, part in zip(decks, parts, strict=True)]
        groups.append(Split([phase.tasks[name] for name in rows_of], branches))
    absent = phase.tasks.keys() - {cell.deck.name.split("/")[1] for cell in cells}
    notes += [
        f"{phase.name}: {name} has no rows of modality {' or '.join(shares)}: left out" for name in sorted(absent)
    ]
    return Quotas(Split(list(shares.values()), groups), cells, notes)


def check_tasks(phase: Phase, table: ScheduleTable) -> None:
    """Refuse a phase with a task that has no rows or no positive weight."""
    for name, weight in phase.tasks.items():
        if not weight > 0:
            raise RecipeError(f"schedule: phase {phase.name!r}: weight {weight} of task {name!r} must be above 0")
        if not (table.task == table.task_index(name)).any():
            raise RecipeError(
                f"schedule: phase {phase.name!r}: task {name!r} has no rows. "
                "Add data for it, or take it out of the phase."
            )


def rows_by_task(phase: Phase, table: ScheduleTable, modality: str) -> dict[str, np.ndarray]:
    """The rows of each of the phase's tasks in one modality, or in any."""
    fits = table.modality == MODALITIES.index(modality) if modality != "any" else np.ones(len(table), dtype=bool)
    rows = {name: np.flatnonzero(fits & (table.task == table.task_index(name))) for name in phase.tasks}
    drawable = {name: of_task.astype(np.int32) for name, of_task in rows.items() if len(of_task)}
    if not drawable:
        raise RecipeError(
            f"schedule: phase {phase.name!r}: none of {', '.join(phase.tasks)} has rows of modality {modality!r}. "
            "Change schedule.modality, or the phase's tasks."
        )
    return drawable


def rows_by_label(phase: Phase, table: ScheduleTable, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of each label that has any; all of them together where labels are left as they are."""
    if phase.labels == "natural":
        return {"": rows}
    labels = table.label[rows]
    return {f"/{table.labels[label]}": rows[labels == label] for label in np.unique(labels)}


def label_shares(phase: Phase, decks: Sequence[Deck], *, rows: int) -> np.ndarray:
    """Shares of a task's places: as equal as `max_visits` allows."""
    sizes = np.array([len(deck) for deck in decks], dtype=np.float64)
    return fill_evenly(phase.max_visits * sizes / (phase.coverage * rows))


def fill_evenly(limits: np.ndarray) -> np.ndarray:
    """Shares that sum to one, equal but for those held at their limit; the limits sum to one or more."""
    shares = np.zeros(len(limits))
    order = np.argsort(limits, kind="stable")
    left = 1.0
    for done, i in enumerate(order):
        shares[i] = min(limits[i], left / (len(order) - done))
        left -= shares[i]
    even = shares >= shares.max() * (1 - 1e-9)
    shares[even] = shares[even].mean()  # the same to the last bit, so that equal shares stay equal
    return shares


def make_cell(phase: Phase, table: ScheduleTable, deck: Deck, share: float, rows: int) -> Cell:
    """A cell offers as many rows for a place as keep each row to its visits in an epoch of its task.

    That is one visit, or `max_visits` for a label that equal shares draw on more than its size does.
    """
    placed = bool((table.modality[deck.rows] != TEXT).all())
    if phase.picker == "random" or not placed:
        return Cell(deck, 1.0, placed)
    visits = phase.max_visits if share * rows > len(deck) else 1.0
    spare = visits * len(deck) / (share * phase.coverage * rows)
    # The places that the label has in the guaranteed passes of its task, one fewer for rounding, for each of its rows.
    turns = max(1.0, (phase.guarantee * share * rows - 1) / len(deck)) if phase.guarantee else 0.0
    return Cell(deck, float(np.clip(spare, 1, phase.candidates)), placed, turns)


def check_shares(phase: Phase, decks: Sequence[Deck], shares: np.ndarray, places: float) -> Iterator[str]:
    """Say where a label is held back, and where there are too few rows for the places."""
    for deck, share in zip(decks, shares, strict=True):
        if share < shares.max() * (1 - 1e-9):
            yield (
                f"{deck.name} gets {share:.1%} of its task, not {1 / len(shares):.1%}: "
                f"its rows would come more than {phase.max_visits:g} times an epoch (ads.max_visits)"
            )
        if np.ceil(places * share) > max(1, len(deck) // 2):
            yield f"{deck.name} has {len(deck)} rows for {places * share:.1f} places a batch: they repeat at once"
