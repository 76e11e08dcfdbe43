"""Recognizers by name: `NAME:MODEL` names one of ours or a plugin's; of anything else we look what it is and what is
installed here.

A CTranslate2 folder is heard by faster-whisper, and so is a Whisper's name where faster-whisper is installed: it is the
quickest on a CPU. A checkpoint file and a transformers folder run in openai-whisper's code, the reference.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aramega.backends.asr.recognizer import Recognizer
from aramega.backends.asr.transformers_folder import is_hub_name
from aramega.config import TranscribeConfig
from aramega.plugins import Plugin, find_plugins

FASTER = Plugin("recognizers", "faster-whisper", "aramega.backends.asr.faster_whisper:FasterWhisper")
ENDPOINT = Plugin("recognizers", "endpoint", "aramega.backends.asr.endpoint:TranscriptionEndpoint")
WHISPER = Plugin("recognizers", "openai-whisper", "aramega.backends.asr.openai_whisper:OpenAiWhisper")
RECOGNIZERS = {"faster-whisper": FASTER, "openai-whisper": WHISPER, "endpoint": ENDPOINT}
"""Ours, by what stands before the colon."""


@dataclass(frozen=True)
class Choice:
    """Which recognizer hears, and why that one."""

    plugin: Plugin
    why: str


def choose_recognizer(model: str) -> Choice:
    """The recognizer for what `transcribe.model` names, by what it is and what is installed."""
    name, colon, _ = model.partition(":")
    recognizers = {**find_plugins("recognizers"), **RECOGNIZERS}
    if name in recognizers and (colon or name not in RECOGNIZERS):
        return Choice(recognizers[name], "it is asked for by name")
    return _choose_by_content(model)


def _choose_by_content(model: str) -> Choice:
    """By what lies at the path, or else by what is installed."""
    path = Path(model).expanduser()
    if (path / "model.bin").is_file():
        return Choice(FASTER, "the folder holds a CTranslate2 model")
    if (path / "config.json").is_file() or is_hub_name(model):
        return Choice(WHISPER, "a transformers checkpoint, run in the reference's code")
    if model == "demo" or path.exists() or "/" in model or model.endswith((".pt", ".pth", ".bin")):
        return Choice(WHISPER, "a checkpoint file in its format")
    if importlib.util.find_spec("faster_whisper"):
        return Choice(FASTER, "it is installed, and the quickest")
    return Choice(WHISPER, "faster-whisper is not installed")


def recognizer_named(model: str) -> Plugin:
    """The recognizer that `transcribe.model` names."""
    return choose_recognizer(model).plugin


def describe_choice(model: str) -> str:
    """One line for a curator: what hears, and why that."""
    choice = choose_recognizer(model)
    return f"{model} is heard by {choice.plugin.name}: {choice.why}."


def make_recognizer(options: TranscribeConfig) -> Recognizer:
    """The recognizer that the options name, not loaded yet."""
    make = cast(Callable[[TranscribeConfig], Recognizer], recognizer_named(options.model).load())
    return make(options)
