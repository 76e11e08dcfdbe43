"""The names of our stages, for those who must name one: in a query, on a page.

A stage's name stands here and nowhere else in the package; what is to hold for every stage is asked of its declaration
instead (`takes`, `counts`, `after`), so that it holds for a plugin's as well.
"""

from __future__ import annotations

INGEST = "ingest"
REPEATS = "repeats"
SEGMENT = "segment"
PASSAGES = "passages"
TRANSCRIBE = "transcribe"
SUMMARIZE = "summarize"
LABEL = "label"
CHECK = "check"
OVERVIEW = "overview"

OUR_STAGES = (INGEST, REPEATS, SEGMENT, PASSAGES, TRANSCRIBE, SUMMARIZE, LABEL, CHECK, OVERVIEW)
"""In their order: those that a configuration may ask for; the rest are plugins'."""
