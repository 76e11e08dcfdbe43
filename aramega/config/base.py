"""What every stage's options share: frozen, and no unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """A section of the configuration. Each field's description is its help, in the CLI, the TOML and the docs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
