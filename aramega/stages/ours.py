"""Our stages, made from a configuration, in their order."""

from __future__ import annotations

from typing import Any

from aramega.config import Config
from aramega.stages.base import Stage
from aramega.stages.check import Check
from aramega.stages.ingest import Ingest
from aramega.stages.label import Label
from aramega.stages.overview import Overviews
from aramega.stages.passages import Passages
from aramega.stages.repeats import PassagesOfNews, Repeats
from aramega.stages.segment.stage import SegmentStage
from aramega.stages.summarize import Summarize
from aramega.stages.transcribe import Transcribe
from aramega.workspace import WorkspaceFolder


def make_stages(config: Config, workspace: WorkspaceFolder) -> list[Stage[Any]]:
    """The stages of a build, in their order; those after passages only where a model is named to draft with."""
    looks_for_repeats = config.repeats.enabled
    stages: list[Stage[Any]] = [
        Ingest(config.ingest, workspace),
        *([Repeats(config.repeats, workspace)] if looks_for_repeats else []),
        SegmentStage(config.segment, workspace),
        (PassagesOfNews if looks_for_repeats else Passages)(config.passages, workspace),
    ]
    if config.transcribe.model:
        stages += [
            Transcribe(config.transcribe, workspace),
            Summarize(config.summarize, workspace),
            Label(config.label, workspace),
            Check(config.check, workspace),
        ]
        if config.overview.enabled:
            stages.append(Overviews(config.overview, workspace, config.summarize))
    return stages
