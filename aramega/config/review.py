"""Options of `aramega review`: where annotators work, and what they are given."""

from __future__ import annotations

from pydantic import Field

from aramega.config.base import Options


class ReviewConfig(Options):
    """Label Studio: the project annotators work in."""

    url: str = Field(
        "http://127.0.0.1:8080",
        description="Label Studio's address. The token comes from LABEL_STUDIO_API_KEY, or from `review start`.",
    )
    project: str = Field(
        "",
        description="The project's title or number; empty: aramega and the workspace's name.",
    )
    template: str = Field(
        "",
        description="The labelling configuration: a file, or passage_review, segment_review, summary_only or "
        "pairwise_summary; empty: the project's own, passage_review where it is new.",
    )
    audio: str = Field(
        "local",
        description="How clips reach the browser: local (Label Studio reads them from its disk), local:FOLDER (as the "
        "server sees the clips' folder), upload, or the address they were copied to: https://… or s3://….",
    )
    where: str = Field(
        "coalesce(decision, '') <> 'reject'",
        description="Which passages are pushed: an SQLite expression over their facts, as in `--where`.",
    )
    overlap: float = Field(
        0.1,
        ge=0,
        le=1,
        description="The share of tasks that several annotators get, for agreement.",
    )
    annotators: int = Field(2, ge=1, le=20, description="How many annotators those tasks get.")
    gold: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="The share of tasks whose answer is known (reviews marked as ground truth), given to everyone.",
    )
