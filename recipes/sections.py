"""Section: one table of the config file. Every room describes its own; `recipes/config.py` puts them together."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Options with defaults. An unknown key is an error, and values don't change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
