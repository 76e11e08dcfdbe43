"""Options of the overview stage. The model it asks is the summarize stage's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from aramega.config.base import CHANGES_NOTHING, Options
from aramega.prompts import load_prompt


class OverviewConfig(Options):
    """Whole recordings in short, with chapters."""

    enabled: bool = Field(
        False, json_schema_extra=CHANGES_NOTHING, description="Summarize whole recordings too (--summarize-recordings)."
    )
    prompt: str = Field(
        "",
        description="A prompt file of your own; empty for the one that comes with aramega. Its text counts, not its name.",
    )
    max_sentences: int = Field(6, ge=1, le=20, description="Longest summary of a recording, in sentences.")
    max_words: int = Field(180, ge=10, description="Longest summary of a recording, in words.")
    max_chapters: int = Field(12, ge=1, le=100, description="So many chapters at most.")
    max_answer_tokens: int = Field(
        1500, ge=100, description="Room for an answer, in tokens, with all chapters' titles."
    )

    @field_validator("prompt")
    @classmethod
    def _from_anywhere(cls, path: str) -> str:
        """Absolute, for the workspace keeps the option and a later run may start in another folder."""
        return str(Path(path).expanduser().absolute()) if path else ""

    def deciding(self) -> dict[str, Any]:
        """A prompt counts by its text."""
        return {**super().deciding(), "prompt": load_prompt("overview", self.prompt).tag}
