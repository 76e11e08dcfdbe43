"""Segmentation: a frame table becomes spans of speech, music and silence, and the speech becomes segments.

`spans` decides what is speech; `plan` decides where to cut it. Both are pure functions of the frame table and the
config; only the optional second opinion listens to samples again.
"""

from aramega.config.segment import SegmentConfig
from aramega.stages.segment.plan import PlannedSegment, plan_segments
from aramega.stages.segment.spans import find_spans

__all__ = ["PlannedSegment", "SegmentConfig", "find_spans", "plan_segments"]
