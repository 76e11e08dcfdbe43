"""Decks: the rows of one share, drawn in a shuffled order as cards are dealt.

A deck deals every row once before it deals any row again, and what it deals next depends on nothing but
its seed, its name and how many rows it has dealt: so the state of a whole schedule is one number a deck.
Consecutive passes are shuffled anew. Each pass deals one fixed half before the other, both shuffled, so
that a row dealt last in one pass cannot come first in the next: at least half the deck lies between.
"""

from __future__ import annotations

import zlib

import numpy as np

HALVES = -1  # stands for a pass number where the fixed halves are drawn


class Deck:
    """The rows of one share, and how many of them were dealt."""

    def __init__(self, name: str, rows: np.ndarray, seed: int) -> None:
        self.name = name
        self.rows = rows
        self.dealt = 0
        self._seed = (seed % 2**64, zlib.crc32(name.encode()))
        self._shuffled = (HALVES, rows)

    def __len__(self) -> int:
        return len(self.rows)

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
