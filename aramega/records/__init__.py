"""The vocabulary: what a recording, a segment, a passage, a draft and a review are.

Every room of the package speaks in these frozen dataclasses, and they import nothing of ours.
"""

from __future__ import annotations

from aramega.errors import AramegaError, NotNow
from aramega.records.drafts import (
    Chapter,
    Check,
    Decision,
    Draft,
    DraftedPassage,
    Labels,
    Line,
    Overview,
    Part,
    Score,
    SentenceEvidence,
    SummarizedRecording,
    Summary,
    Transcript,
    Verdict,
    Word,
)
from aramega.records.extras import Extra
from aramega.records.ids import milliseconds, on_grid, recording_id, stretch_id
from aramega.records.progress import BuildProgress, BuildState, NodeProgress, StageProgress, Work
from aramega.records.recordings import (
    RATE,
    ChannelLayout,
    Downmix,
    Failure,
    Measures,
    Metadata,
    Passage,
    Recording,
    Segment,
    SegmentedRecording,
    Source,
    Span,
    SpanKind,
    Timeline,
)
from aramega.records.reviews import Region, ResolvedPassage, Review, ReviewState, Settled, SettledLine, in_time, moment
from aramega.records.values import from_dict, from_json, timestamp

__all__ = [
    "RATE",
    "AramegaError",
    "BuildProgress",
    "BuildState",
    "ChannelLayout",
    "Chapter",
    "Check",
    "Decision",
    "Downmix",
    "Draft",
    "DraftedPassage",
    "Extra",
    "Failure",
    "Labels",
    "Line",
    "Measures",
    "Metadata",
    "NodeProgress",
    "NotNow",
    "Overview",
    "Part",
    "Passage",
    "Recording",
    "Region",
    "ResolvedPassage",
    "Review",
    "ReviewState",
    "Score",
    "Segment",
    "SegmentedRecording",
    "SentenceEvidence",
    "Settled",
    "SettledLine",
    "Source",
    "Span",
    "SpanKind",
    "StageProgress",
    "SummarizedRecording",
    "Summary",
    "Timeline",
    "Transcript",
    "Verdict",
    "Word",
    "Work",
    "from_dict",
    "from_json",
    "in_time",
    "milliseconds",
    "moment",
    "on_grid",
    "recording_id",
    "stretch_id",
    "timestamp",
]
