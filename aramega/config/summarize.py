"""Options of the summarize stage, and of the language model that it and the overview stage ask."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from aramega.config.base import CHANGES_NOTHING, Options
from aramega.config.files import content_key
from aramega.plugins import find_plugins
from aramega.prompts import load_prompt

EXTRACTIVE_METHOD = "lexrank@2"
"""How sentences are picked, as `text.extractive` names it: by another version they are picked anew."""
OWN_BACKENDS = ("extractive", "openai", "hf")
_PLUGIN_NAME = re.compile(r"[a-z][a-z0-9_-]+")
_ENDPOINT = re.compile(r"openai:(?P<model>.+)@(?P<url>https?://.+)", re.IGNORECASE)


@dataclass(frozen=True)
class BackendName:
    """What a `backend` option says."""

    kind: str
    """extractive, openai, hf, or a plugin's name."""
    model: str = ""
    """The endpoint's name for it, or the folder of a local one."""
    url: str = ""

    @property
    def provenance(self) -> str:
        """What a summary is said to be made by: no address and no path of anyone's machine."""
        return f"{self.kind}:{Path(self.model).name if self.kind == 'hf' else self.model}"


class SummarizeConfig(Options):
    """Title, summary and topics of each passage."""

    backend: str = Field(
        "extractive",
        description="extractive picks sentences and needs no model; openai:MODEL@URL asks any OpenAI-compatible endpoint "
        "(vLLM, Ollama, llama.cpp, a vendor), for example openai:qwen3@http://127.0.0.1:8000/v1; hf:FOLDER runs a local "
        "transformers chat model (a merged model of recipes.merge too), which reads transcripts and hears nothing. The same MODEL at another URL counts as the same, and nothing is done again.",
    )
    hears: bool = Field(
        False,
        description="The openai: endpoint is sent each passage's sound in place of its transcript: for an audio LLM, such "
        "as one of your own that python -m recipes.serve answers for. prompt is then the question that goes with it.",
    )
    prompt: str = Field(
        "",
        description="A prompt file of your own; empty for the one that comes with aramega. Its text counts, not its name.",
    )
    merge_prompt: str = Field(
        "", description="As prompt, for joining the summaries of the parts of a passage longer than the context."
    )
    max_sentences: int = Field(3, ge=1, le=10, description="Longest summary, in sentences.")
    max_words: int = Field(90, ge=10, description="Longest summary, in words; a longer one is sent back once.")
    max_topics: int = Field(5, ge=1, le=20, description="So many topics at most.")
    formulas: tuple[str, ...] = Field(
        (),
        description="Phrases of your own that are no content, beside the openings, greetings and blessings that are known: "
        "the sentence that ends each programme, a channel's motto. extractive passes over them.",
    )
    context_tokens: int = Field(
        8192,
        ge=512,
        description="What the model can hold, in tokens. A passage that does not fit is summarized in parts, then whole.",
    )
    max_answer_tokens: int = Field(600, ge=50, description="Room for an answer, in tokens; reasoning models want more.")
    characters_per_token: float = Field(
        2.0,
        gt=0.2,
        le=8,
        description="For estimates: Arabic characters to a token. Newer vocabularies reach 2 to 3, GPT-3.5's 1.2.",
    )
    temperature: float = Field(0.0, ge=0, le=2, description="0 writes the likeliest words, always the same.")
    key_variable: str = Field(
        "OPENAI_API_KEY",
        json_schema_extra=CHANGES_NOTHING,
        description="The environment variable that holds the endpoint's key; servers of your own need none.",
    )
    concurrency: int = Field(
        16,
        ge=1,
        le=512,
        json_schema_extra=CHANGES_NOTHING,
        description="So many requests at a time; for hf, the batch.",
    )
    timeout: float = Field(
        120.0,
        gt=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Seconds to wait for one answer before asking again.",
    )
    retries: int = Field(
        8,
        ge=0,
        le=20,
        json_schema_extra=CHANGES_NOTHING,
        description="Times a request is asked again after 429, 5xx, a timeout or a lost connection, waiting longer each time: 8 times are a minute and a half, enough for a server to start again.",
    )
    max_tokens_total: int = Field(
        0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Stop before the workspace's endpoint requests, over all runs, pass so many tokens; 0 for no limit.",
    )
    max_cost: float = Field(
        0.0,
        ge=0,
        json_schema_extra=CHANGES_NOTHING,
        description="Stop before they cost more than this, in the currency of the prices; 0 for no limit.",
    )
    price_in: float = Field(
        0.0, ge=0, json_schema_extra=CHANGES_NOTHING, description="Price of a million tokens of requests."
    )
    price_out: float = Field(
        0.0, ge=0, json_schema_extra=CHANGES_NOTHING, description="Price of a million tokens of answers."
    )
    device: str = Field(
        "auto",
        json_schema_extra=CHANGES_NOTHING,
        description="Where an hf model runs: auto, cpu, cuda, cuda:1, mps.",
    )

    @field_validator("backend")
    @classmethod
    def _backend_can_be_read(cls, backend: str) -> str:
        named = parse_backend(backend)
        return f"hf:{named.model}" if named.kind == "hf" else backend.strip()

    @field_validator("prompt", "merge_prompt")
    @classmethod
    def _from_anywhere(cls, path: str) -> str:
        """Absolute, for the workspace keeps the option and a later run may start in another folder."""
        return str(Path(path).expanduser().absolute()) if path else ""

    @model_validator(mode="after")
    def _limits_can_be_kept(self) -> Self:
        if self.max_cost and not (self.price_in or self.price_out):
            raise ValueError("max_cost needs price_in and price_out, the prices of a million tokens")
        if self.hears and self.model.kind != "openai":
            raise ValueError(
                f"hears needs a backend that can be sent sound, openai:MODEL@URL, and backend is {self.backend}. "
                "For a model of yours run python -m recipes.serve FOLDER; it prints what to give here"
            )
        if self.max_answer_tokens * 2 > self.context_tokens:
            raise ValueError(
                f"max_answer_tokens ({self.max_answer_tokens}) leaves too little of context_tokens "
                f"({self.context_tokens}) for the passage: give it half at most"
            )
        return self

    @property
    def model(self) -> BackendName:
        return parse_backend(self.backend)

    @property
    def prompt_kind(self) -> str:
        """Which kind of prompt a passage is asked about with."""
        return "hear" if self.hears else "summary"

    def deciding(self) -> dict[str, Any]:
        """A prompt and a local model count by what they hold, an endpoint by its model's name; where sentences are only
        picked, none does."""
        if self.model.kind == "extractive":
            limits = {key: getattr(self, key) for key in ("backend", "max_sentences", "max_words", "max_topics")}
            return {**limits, "formulas": list(self.formulas), "method": EXTRACTIVE_METHOD}
        prompts = {
            "prompt": load_prompt(self.prompt_kind, self.prompt),
            "merge_prompt": load_prompt("merge", self.merge_prompt),
        }
        tags = {key: prompt.tag for key, prompt in prompts.items()}
        backend = f"openai:{self.model.model}" if self.model.kind == "openai" else self.backend
        passed_over = {"formulas"} if self.hears else {"formulas", "hears"}
        asked = {key: value for key, value in super().deciding().items() if key not in passed_over}
        return {**asked, **tags, "backend": content_key(backend)}


def parse_backend(backend: str) -> BackendName:
    """What the option names; ValueError says what would be right."""
    backend = backend.strip()
    if backend == "extractive":
        return BackendName("extractive")
    if backend.startswith("hf:") and backend[3:].strip():
        return BackendName("hf", str(Path(backend[3:].strip()).expanduser().absolute()))
    name, _, model = backend.partition(":")
    if name not in OWN_BACKENDS and (name in find_plugins("summarizers") or _PLUGIN_NAME.fullmatch(name)):
        return BackendName(name, model)  # where none of that name is installed, the stage says so when it is to run
    if match := _ENDPOINT.fullmatch(backend):
        address = urlsplit(match["url"])
        if address.username or address.password:
            raise ValueError("backend has a name or password in its URL; put the key in the environment (key_variable)")
        if not address.hostname:
            raise ValueError(f"backend has no host in its URL: {match['url']}")
        return BackendName("openai", match["model"].strip(), match["url"].rstrip("/"))
    raise ValueError(
        f"backend {backend!r} is none of: extractive, openai:MODEL@URL (such as openai:qwen3@http://127.0.0.1:8000/v1), "
        "hf:FOLDER"
    )
