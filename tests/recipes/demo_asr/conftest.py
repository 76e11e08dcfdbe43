"""A toy of the demo's recognizer: one narrow layer each, and a cache of four spoken words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recipes.demo_asr.model import DemoModel
from recipes.demo_asr.rows import Source, Tokens
from recipes.demo_asr.voices import Clip, SpeechCache, Voice, speak, write_cache

FOUR_WORDS = ("صفر", "واحد", "نعم", "يمين")


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture(scope="session")
def four_words() -> list[Clip]:
    return [speak(word, Voice("", speed, 50)) for word in FOUR_WORDS for speed in (150, 165)]


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory, four_words: list[Clip]) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    write_cache(folder, four_words)
    return folder


@pytest.fixture
def source(cache_folder: Path) -> Source:
    return Source(SpeechCache(cache_folder), [])


def toy_model(tokens: Tokens) -> DemoModel:
    torch.manual_seed(0)
    return DemoModel(tokens, state=32, encoder_layers=1, decoder_layers=1)


@pytest.fixture
def model(tokens: Tokens) -> DemoModel:
    return toy_model(tokens)
