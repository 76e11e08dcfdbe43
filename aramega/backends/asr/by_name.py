"""Recognizers by name: `NAME:MODEL` names one of ours or a plugin's; anything else is a Whisper for openai-whisper."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from aramega.backends.asr.recognizer import Recognizer
from aramega.config import TranscribeConfig
from aramega.plugins import Plugin, find_plugins

RECOGNIZERS = {
    "faster-whisper": Plugin("recognizers", "faster-whisper", "aramega.backends.asr.faster_whisper:FasterWhisper"),
}
"""Ours, by what stands before the colon."""
WHISPER = Plugin("recognizers", "openai-whisper", "aramega.backends.asr.openai_whisper:OpenAiWhisper")
"""What hears where nothing stands before a colon that names another."""


def recognizer_named(model: str) -> Plugin:
    """The recognizer that `transcribe.model` names."""
    name = model.partition(":")[0]
    recognizers = {**find_plugins("recognizers"), **RECOGNIZERS}
    return recognizers.get(name, WHISPER)


def make_recognizer(options: TranscribeConfig) -> Recognizer:
    """The recognizer that the options name, not loaded yet."""
    make = cast(Callable[[TranscribeConfig], Recognizer], recognizer_named(options.model).load())
    return make(options)
