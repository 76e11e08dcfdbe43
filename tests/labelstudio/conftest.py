"""The real Label Studio, shared by all tests of a run, and workspaces where it can hear them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from aramega.labelstudio.client import LabelStudioClient
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import drafted_workspace
from tests.support.label_studio import Server, shared_server


@pytest.fixture(scope="session")
def label_studio(shared_folder: Path) -> Server:
    return shared_server(shared_folder / "label-studio")


@pytest.fixture
def client(label_studio: Server) -> Iterator[LabelStudioClient]:
    with label_studio.client() as client:
        yield client


@pytest.fixture
def workspace(label_studio: Server) -> WorkspaceFolder:
    """Six drafted passages, under the server's document root."""
    return drafted_workspace(label_studio.files / f"ws-{uuid4().hex[:12]}")


@pytest.fixture
def far_from_any_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without credentials, and an environment without a token."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    return tmp_path


@pytest.fixture
def workspace_alone(far_from_any_server: Path) -> WorkspaceFolder:
    """Six drafted passages, no server, no token."""
    return drafted_workspace(far_from_any_server / "ws", clips=False)
