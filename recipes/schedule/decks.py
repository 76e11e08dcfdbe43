"""Decks: the rows of one share, drawn in a shuffled order as cards are dealt.

A deck deals every row once before it deals any row again, and what it deals next depends on nothing but
its seed, its name and how many rows it has dealt: so the state of a whole schedule is one number a deck.
Consecutive passes are shuffled anew. Each pass deals one fixed half before the other, both shuffled, so
that a row dealt last in one pass cannot come first in the next: at least half the deck lies between.
"""

from __future__ import annotations

import math
import zlib

import numpy as np

HALVES = -1  # stands for a pass number where the fixed halves are drawn


class Deck:
    """The rows of one share, and how many of them were dealt."""

    def __init__(self, name: str, rows: np.ndarray, seed: int) -> None:
        self.name = name
        self.rows = rows
        self.dealt = 0
        self.filled = 0  # places that were filled with a guarantee
        self._turn: Deck | None = None
        self._in_turn = 0
        self._seed = (seed % 2**64, zlib.crc32(name.encode()))
        self._shuffled = (HALVES, rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def passes(self) -> float:
        """How often it has been gone through, candidates and rows in their turn counted alike."""
        return (self.dealt + self._in_turn) / len(self.rows)

    def deal(self, count: int) -> np.ndarray:
        """The next `count` rows."""
        parts = []
        while count:
            number, at = divmod(self.dealt, len(self.rows))
            part = self._order(number)[at : at + count]
            parts.append(part)
            self.dealt += len(part)
            count -= len(part)
        return np.concatenate(parts) if parts else self.rows[:0]

    def deal_in_turn(self, places: int, *, guarantee: float) -> np.ndarray:
        """Those rows of the next `places` whose turn it is: one place in `guarantee` goes to the next row of all, in order.

        So every row is shown while `guarantee` times as many places as there are rows are filled, whatever else is picked.
        """
        if self._turn is None:
            self._turn = Deck(f"{self.name} in turn", self.rows, self._seed[0])
        self._turn.dealt, end = (math.ceil(count / guarantee - 1e-9) for count in (self.filled, self.filled + places))
        self.filled += places
        self._in_turn = end
        return self._turn.deal(end - self._turn.dealt)

    def deal_others(self, count: int, rows: np.ndarray) -> np.ndarray:
        """The next `count` rows that are not among `rows`; some of those where the deck has too few others."""
        dealt = self.deal(count)
        again = int(np.isin(dealt, rows).sum())
        if not again or len(self) < count + len(rows):
            return dealt
        more = self.deal(again + len(rows))
        both = np.concatenate([dealt, more])
        others: np.ndarray = both[~np.isin(both, rows)][:count]
        return others

    def _order(self, number: int) -> np.ndarray:
        """The rows in the order of pass `number`; the current pass is kept."""
        if self._shuffled[0] != number:
            halves = self._generator(HALVES).permutation(self.rows)
            middle = len(halves) // 2
            shuffle = self._generator(number).permutation
            self._shuffled = (number, np.concatenate([shuffle(halves[:middle]), shuffle(halves[middle:])]))
        return self._shuffled[1]

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng([*self._seed, number - HALVES])
