"""Picks rows that are unlike each other, so many for each cell, out of the rows dealt for a batch.

All ways are one greedy loop: take, again and again, the candidate that is least crowded by what the batch
already holds, from a cell that still has places. `repulsion` measures crowding by the sum of one over the distances in
aligner space, `farthest` by the distance to the nearest row alone, which is the textbook's farthest-point rule, `clusters` by the rows taken from the same cluster, which is round-robin over clusters. The loop spans the
whole batch, so that a dialect clip also keeps away from an asr clip of the same show.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def pick_farthest(vectors: np.ndarray, cell: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions of the rows to take: each the one whose nearest row among those taken before is farthest."""
    return fill_places(nearness_to(vectors), cell, places, combine=np.maximum)


def pick_by_repulsion(vectors: np.ndarray, cell: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions of the rows to take: the least crowded by all of the rows taken before.

    Each row taken crowds a candidate by one over its distance. The textbook rule looks at the nearest row
    only; counting all of them, near ones most, spreads a batch wider (mean pairwise distance 1.27 against
    1.21 times random, on clustered data) and still keeps near-duplicates apart.
    """
    return fill_places(nearness_to(vectors), cell, places, combine=np.add)


def nearness_to(vectors: np.ndarray) -> Callable[[int], np.ndarray]:
    """A function of a row: one over its distance to every row."""
    square = np.einsum("ij,ij->i", vectors, vectors)
    typical = np.sqrt(max(2 * float(square.mean() - np.square(vectors.mean(axis=0)).sum()), 1e-12))

    def nearness(i: int) -> np.ndarray:
        # einsum and not a matrix product: at this size BLAS threads cost ten times what they save on a busy machine.
        distance: np.ndarray = np.einsum("ij,j->i", vectors, vectors[i])
        distance *= -2
        distance += square
        distance += square[i]
        np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
        # Rounded to a thousandth: the last bits differ between machines, and the pick should not.
        distance *= 1000 / typical
        np.rint(distance, out=distance)
        distance += 50  # keeps a duplicate's weight finite: 20 rows at the typical distance
        np.reciprocal(distance, out=distance)
        return distance

    return nearness


def pick_across_clusters(cluster: np.ndarray, cell: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions of the rows to take: always from the cluster that the batch holds least of."""
    return fill_places(lambda i: cluster == cluster[i], cell, places, combine=np.add)


def fill_places(
    likeness: Callable[[int], np.ndarray], cell: np.ndarray, places: np.ndarray, *, combine: Callable[..., np.ndarray]
) -> np.ndarray:
    """Fill the `places` of each cell with the rows least like those already taken, by sum or by the nearest of them."""
    offered = np.bincount(cell, minlength=len(places))
    crowding = np.zeros(len(cell))
    taken = np.flatnonzero((offered == places)[cell]).tolist()  # no choice there: these are in before all others
    for i in taken:
        combine(crowding, likeness(i), out=crowding)
    crowding[taken] = np.inf
    left = np.where(offered == places, 0, places).tolist()
    # Before any row is taken all candidates are alike: the first one is as random as its deck.
    for _ in range(sum(left)):
        i = int(crowding.argmin())
        taken.append(i)
        combine(crowding, likeness(i), out=crowding)
        crowding[i] = np.inf
        left[cell[i]] -= 1
        if not left[cell[i]]:
            crowding[cell == cell[i]] = np.inf
    return np.array(taken, dtype=np.intp)
