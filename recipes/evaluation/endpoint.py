"""Asks an OpenAI-compatible endpoint (vLLM, llama.cpp, Ollama, a vendor) many questions at once.

The `openai` client sends the requests: it retries 429, 5xx and timeouts with backoff, and honours Retry-After.
We add three rules: an answer that can't be read is asked again, one question's failure is its own
and never stops the rest, and a refused key stops everything at once, because every other question would
fail the same way. The key comes from the environment and is never shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from recipes.errors import RecipeError
from recipes.evaluation.config import EndpointConfig

T = TypeVar("T")
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Answer(Generic[T]):
    """The answer to one question: a value, or why there is none."""

    value: T | None
    error: str = ""


def ask_all(
    config: EndpointConfig, questions: Sequence[Messages], read: Callable[[str], T], *, max_tokens: int = 512
) -> list[Answer[T]]:
    """Ask every question; answers in order, as `read` parses them. Where it raises ValueError the question is asked again."""
    client = _client(config)

    def ask(messages: Messages) -> Answer[T]:
        return _ask(client, config, messages, read, max_tokens)

    with ThreadPoolExecutor(config.concurrency) as pool:
        futures = [pool.submit(ask, messages) for messages in questions]
        try:
            return [future.result() for future in futures]
        except RecipeError:
            for future in futures:
                future.cancel()
            raise


def _client(config: EndpointConfig) -> Any:
    """The `openai` client of this endpoint, or an error that says what is missing."""
    try:
        import openai
    except ImportError:
        raise RecipeError("an LLM endpoint needs the openai client: pip install openai") from None
    if not config.url or not config.model:
        raise RecipeError(
            "an LLM endpoint needs both a url and a model: set them under [eval.judge] or [eval.cascade]."
        )
    return openai.OpenAI(
        base_url=config.url,
        # Local servers ask for no key, but the client insists on one.
        api_key=os.environ.get(config.key_variable) or "none",
        timeout=config.timeout,
        max_retries=config.retries,
    )


def _ask(
    client: Any, config: EndpointConfig, messages: Messages, read: Callable[[str], T], max_tokens: int
) -> Answer[T]:
    """Ask one question, and again while its answer can't be read and retries are left."""
    import openai

    error = ""
    for _ in range(config.retries + 1):
        try:
            reply = client.chat.completions.create(
                model=config.model, messages=messages, temperature=0, max_tokens=max_tokens
            )
            return Answer(read(_text(reply)))
        except ValueError as unreadable:
            error = f"unreadable answer: {unreadable}"
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise RecipeError(
                f"{config.url} refused the key in ${config.key_variable}. Set that variable to a key it knows."
            ) from None
        except openai.NotFoundError:
            raise RecipeError(f"{config.url} knows no model {config.model!r}, or no chat at that address.") from None
        except openai.APIConnectionError:
            return Answer(None, f"no connection to {config.url}")
        except openai.APIError as failed:
            return Answer(None, f"the endpoint failed: {type(failed).__name__}")
    return Answer(None, error)


def _text(reply: Any) -> str:
    """An endpoint that answers HTML gives the client something that is no completion at all."""
    choices = getattr(reply, "choices", None)
    text = choices[0].message.content if choices else None
    if not isinstance(text, str):
        raise ValueError("no message in the reply")
    return text
