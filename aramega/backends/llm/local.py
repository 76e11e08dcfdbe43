"""A transformers chat model in this process: a folder with its weights, tokenizer and chat template.

A model that can also hear or see, such as a merged Qwen2.5-Omni thinker of `recipes.merge`, is asked by text like any
other: here it reads transcripts and hears nothing.
Requests are sorted by length and generated in batches, greedily unless a temperature is set. Nothing is
downloaded. What it gives up against vLLM and the like: continuous batching, so a batch takes as long as its
longest answer; for more than some hundred passages start a server and use `openai:`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aramega.backends.llm import Message, Reply, Request, Talk
from aramega.backends.llm.rounds import hold_in_rounds
from aramega.config.summarize import SummarizeConfig
from aramega.records import AramegaError


class LocalModel:
    """A chat model of this machine's."""

    def __init__(self, options: SummarizeConfig) -> None:
        self.options = options
        self.folder = Path(options.model.model)
        self._takes_system = True

    def load(self) -> None:
        import torch
        from transformers import AutoTokenizer
        from transformers.utils import logging as its_logging

        check_folder(self.folder)
        quiet: Any = its_logging
        quiet.disable_progress_bar()  # the build has one of its own
        self._device = pick_device(self.options.device)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                self.folder, local_files_only=True, padding_side="left"
            )
            model: Any = model_class(self.folder).from_pretrained(self.folder, local_files_only=True, dtype="auto")
        except Exception as error:  # noqa: BLE001  a broken folder fails in as many ways as there are files in it
            raise AramegaError(f"{self.folder}: cannot be loaded as a chat model ({_first_line(error)}).") from None
        if not self._tokenizer.chat_template:
            raise AramegaError(f"{self.folder}: its tokenizer has no chat template. Give an instruction-tuned model.")
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        dtype = torch.float32 if self._device == "cpu" and model.dtype == torch.float16 else model.dtype
        self._model: Any = model.to(self._device, dtype).eval()

    def hold(self, talks: Sequence[Talk[Any]]) -> list[Any]:
        return hold_in_rounds(talks, self.answer)

    def answer(self, requests: Sequence[Request]) -> list[Reply | Exception]:
        """Every request's answer, in order; those of like length are generated together."""
        replies: dict[int, Reply | Exception] = {}
        prompts: dict[int, list[int]] = {}
        for i, request in enumerate(requests):
            try:
                prompts[i] = self._as_prompt(request)
            except Exception as error:  # noqa: BLE001  one passage's, not the batch's
                replies[i] = error
        order = sorted(prompts, key=lambda i: len(prompts[i]))
        size = self.options.concurrency
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            replies_of_batch = self._answer_batch(
                [prompts[i] for i in batch], max(requests[i].max_tokens for i in batch)
            )
            replies |= dict(zip(batch, replies_of_batch, strict=True))
        return [replies[i] for i in range(len(requests))]

    def _as_prompt(self, request: Request) -> list[int]:
        """The tokens of a request, under the model's own template."""
        from jinja2 import TemplateError

        messages: Sequence[Message] = request.messages if self._takes_system else _without_system(request.messages)
        try:
            tokens = self._apply_template(messages)
        except TemplateError:  # templates refuse in their own words: Gemma's knows no system's turn
            tokens = self._apply_template(_without_system(request.messages))
            self._takes_system = False
        shape = self._model.config.get_text_config()
        room = getattr(shape, "max_position_embeddings", None) or len(tokens) + request.max_tokens
        if len(tokens) + request.max_tokens > room:
            raise AramegaError(
                f"a request of {len(tokens)} tokens and an answer of {request.max_tokens} do not fit the {room} the model "
                "holds. Lower summarize.context_tokens."
            )
        return tokens

    def _apply_template(self, messages: Sequence[Message]) -> list[int]:
        turns = [{**asdict(message), "content": self._as_data(message.content)} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens

    def _as_data(self, text: str) -> str:
        """The text with a space inside each token that steers a chat: a transcript that spells one must not end its turn."""
        for token in {added.content for added in self._tokenizer.added_tokens_decoder.values() if added.special}:
            text = text.replace(token, f"{token[:1]} {token[1:]}")
        return text

    def _answer_batch(self, prompts: Sequence[list[int]], max_tokens: int) -> list[Reply | Exception]:
        """One batch; halved where it fails, until it fits the memory or the one that fails is alone."""
        import torch

        try:
            return list(self._generate(prompts, max_tokens))
        except Exception as error:  # noqa: BLE001  whatever one passage does, the others go on
            if isinstance(error, torch.OutOfMemoryError):
                torch.cuda.empty_cache()
                error = AramegaError(f"{len(prompts[0])} tokens do not fit the device's memory. Lower context_tokens.")
            if len(prompts) == 1:
                return [error]
        half = len(prompts) // 2
        return self._answer_batch(prompts[:half], max_tokens) + self._answer_batch(prompts[half:], max_tokens)

    def _generate(self, prompts: Sequence[list[int]], max_tokens: int) -> list[Reply | Exception]:
        import torch

        padded = self._tokenizer.pad({"input_ids": list(prompts)}, return_tensors="pt").to(self._device)
        chance: dict[str, Any] = {"do_sample": False}
        if self.options.temperature:
            chance = {"do_sample": True, "temperature": self.options.temperature}
        with torch.inference_mode():
            generated = self._model.generate(
                **padded,
                max_new_tokens=max_tokens,
                pad_token_id=self._tokenizer.pad_token_id,
                eos_token_id=sorted(self._ends()),
                **chance,
            )
        answers = generated[:, padded["input_ids"].shape[1] :].tolist()
        return [self._as_reply(prompt, answer, max_tokens) for prompt, answer in zip(prompts, answers, strict=True)]

    def _ends(self) -> set[int]:
        """The tokens that end an answer: the tokenizer's, and those the model was saved with."""
        saved = self._model.generation_config.eos_token_id
        ends = {self._tokenizer.eos_token_id, *(saved if isinstance(saved, list) else [saved])}
        return ends - {None}

    def _as_reply(self, prompt: Sequence[int], answer: list[int], max_tokens: int) -> Reply:
        ends = self._ends()
        at = next((i for i, token in enumerate(answer) if token in ends), len(answer))
        text: str = self._tokenizer.decode(answer[:at], skip_special_tokens=True)
        return Reply(text, len(prompt), min(at + 1, len(answer)), cut_off=at >= max_tokens)


def model_class(folder: Path) -> Any:
    """The class that loads this folder: a causal language model, or one that hears or sees and answers in text."""
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
    )

    kind = type(AutoConfig.from_pretrained(folder, local_files_only=True))
    reads_only = kind in MODEL_FOR_CAUSAL_LM_MAPPING or kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
    return AutoModelForCausalLM if reads_only else AutoModelForImageTextToText


def check_folder(folder: Path) -> None:
    """Say what a folder lacks to be a model, before any is loaded."""
    if not folder.is_dir():
        raise AramegaError(f"{folder}: no such folder. hf:FOLDER names one with a transformers model in it.")
    if not (folder / "config.json").exists():
        raise AramegaError(f"{folder}: holds no transformers model (it has no config.json).")


def pick_device(device: str) -> str:
    """The device asked for, or with auto the best one here; one that is not here is an error, never replaced by a slower."""
    import torch

    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    devices = [name for name, is_usable in usable.items() if is_usable]
    if device == "auto":
        return devices[0]
    if device.partition(":")[0] not in devices:
        raise AramegaError(f"summarize.device {device}: there is none here. This machine has: {', '.join(devices)}.")
    return device


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The rules at the head of the first user's turn, for models that know only two roles."""
    rules = "\n\n".join(message.content for message in messages if message.role == "system")
    first, *rest = [message for message in messages if message.role != "system"]
    return [Message(first.role, f"{rules}\n\n{first.content}"), *rest]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
