"""Summarizers by name: `NAME:MODEL` names one of ours or a plugin's; and whether what ours need is there."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

from aramega.backends.llm import ChatModel
from aramega.config.summarize import OWN_BACKENDS, SummarizeConfig
from aramega.plugins import Plugin, get_plugin
from aramega.records import AramegaError


def check_model(options: SummarizeConfig) -> None:
    """Raise, before anything starts, if the backend can't be used on this machine."""
    kind = options.model.kind
    if plugin := summarizer_plugin(options):
        plugin.load()
    if kind == "openai":
        _require(
            "openai",
            f"summarize.backend {options.backend} needs the openai client: pip install '.[draft]' in aramega's clone",
        )
    if kind == "hf":
        for package in ("torch", "transformers"):
            _require(package, f"summarize.backend hf: needs {package}: pip install torch transformers")
        from aramega.backends.llm.local import check_folder

        check_folder(Path(options.model.model))


def summarizer_plugin(options: SummarizeConfig) -> Plugin | None:
    """The plugin that the options name; None for one of ours."""
    kind = options.model.kind
    return None if kind in OWN_BACKENDS else get_plugin("summarizers", kind, OWN_BACKENDS)


def open_model(options: SummarizeConfig, answers: Path, read_clip: Callable[[str], bytes] | None = None) -> ChatModel:
    """The chat model that the options name, not loaded yet; `answers` is where an endpoint's journal lies, `read_clip`
    gives a clip as a WAV file to one that hears."""
    if plugin := summarizer_plugin(options):
        return cast(ChatModel, plugin.load()(options))
    if options.model.kind == "openai":
        from aramega.backends.llm.endpoint import Endpoint

        return Endpoint(options, answers, read_clip)
    from aramega.backends.llm.local import LocalModel

    return LocalModel(options)


def _require(package: str, message: str) -> None:
    if not importlib.util.find_spec(package):
        raise AramegaError(message)
