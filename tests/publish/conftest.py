"""Fixtures of publishing: a Hub of our own, and caches that go with the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import datasets
import huggingface_hub
import pytest

from aramega.retry import without_waiting
from tests.support.loopback_hub import OWNER, Hub, loopback_hub


@pytest.fixture(autouse=True)
def _own_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    datasets.disable_progress_bars()
    huggingface_hub.utils.disable_progress_bars()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub of our own, which the clients in this process take for the real one."""
    with loopback_hub() as server, without_waiting():
        monkeypatch.setenv("HF_TOKEN", OWNER)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in (
            ("ENDPOINT", server.url),
            ("HUGGINGFACE_CO_URL_TEMPLATE", template),
            ("HF_HUB_DISABLE_XET", True),
        ):
            monkeypatch.setattr(huggingface_hub.constants, name, value)
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.url)
        monkeypatch.setattr(
            datasets.config, "HUB_DATASETS_URL", server.url + "/datasets/{repo_id}/resolve/{revision}/{path}"
        )
        # The client is as patient as ever, in less time.
        patience = huggingface_hub.utils.http_backoff.__kwdefaults__
        monkeypatch.setitem(patience, "base_wait_time", 0.01)
        monkeypatch.setitem(patience, "max_wait_time", 0.02)
        yield server
