"""The workspace's database: what is done, what is left, what failed. All SQL on it stands in this room.

Resume lives here and nowhere else. A stage's result for an item is one row of `results`, written in the
same transaction as the records it made; the row names the fingerprint it was made under, so "what is
left" is simply every item without a current row.
"""

from aramega.store.database import Store
from aramega.store.pending import Mark, current_marks
from aramega.store.recordings import PAGE
from aramega.store.results import Broken, Finished

__all__ = ["PAGE", "Broken", "Finished", "Mark", "Store", "current_marks"]
