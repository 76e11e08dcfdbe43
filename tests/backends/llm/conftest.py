"""A chat model of transformers' own, made on the spot, that answers a fixed summary to everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chat_server import SUMMARY
from tests.support.toy_models import toy_chat


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_chat(tmp_path_factory.mktemp("toy-chat"), SUMMARY)
