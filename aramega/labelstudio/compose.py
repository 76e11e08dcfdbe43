"""Compose: a team's Label Studio as a docker-compose file, `compose.yaml` beside this module with its gaps filled.

PostgreSQL stands behind it; secrets come from an `.env` beside the file.
"""

from __future__ import annotations

from importlib import resources

from aramega.labelstudio.local_server import VERSION
from aramega.workspace import WorkspaceFolder

CLIPS_INSIDE = "/label-studio/files/clips"
"""Where the server sees the clips: what `--audio local:…` must say."""


def compose_file(workspace: WorkspaceFolder, version: str = VERSION) -> str:
    """The file's text. It listens on this machine only: a proxy that speaks TLS belongs before it."""
    text = resources.files("aramega.labelstudio").joinpath("compose.yaml").read_text(encoding="utf-8")
    clips = str(workspace.root / "clips").replace("$", "$$")  # Compose reads $ as the start of a variable
    for gap, value in (("@VERSION@", version), ("@CLIPS_INSIDE@", CLIPS_INSIDE), ("@CLIPS@", clips)):
        text = text.replace(gap, value)
    return text
