"""Any OpenAI-compatible endpoint (vLLM, Ollama, llama.cpp, a vendor), asked many things at once.

The `openai` client does the talking; when to ask again is ours (`troubles`), because a budget and a journal stand
between two tries. Every answer is in the journal before anyone sees it. When nobody is answered any more, or
the budget is used up, what is left is left for a later run (`NotNow`) and not failed ten thousand times.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aramega.backends.llm import InvalidAnswer, Reply, Request, Talk
from aramega.backends.llm.dialects import Dialect, read_completion
from aramega.backends.llm.estimates import Budget, at_most, request_tokens, tokens_of
from aramega.backends.llm.journal import Journal, Spent, request_hash
from aramega.backends.llm.troubles import Cure, Trouble, diagnose, scrub, wait_before
from aramega.config.summarize import SummarizeConfig
from aramega.records import AramegaError, NotNow

GREETING_SECONDS = 10.0
"""How long a server may take to say which models it has, before it counts as not there."""
MOST_IN_A_ROW = 5
"""Requests given up one after another, with none answered between, before the server is taken to be broken."""


class Endpoint:
    """A chat model at an address. One process may hold several, each with its own count of what is under way."""

    def __init__(
        self, options: SummarizeConfig, answers: Path, read_clip: Callable[[str], bytes] | None = None
    ) -> None:
        self.options = options
        self.url, self.model = options.model.url, options.model.model
        self._key = os.environ.get(options.key_variable, "")
        self._answers = answers
        self._read_clip = read_clip
        self._budget = Budget(options.max_tokens_total, options.max_cost, options.price_in, options.price_out)
        self._dialect = Dialect()
        self._rng = random.Random()
        self._under_way: dict[str, asyncio.Task[Reply]] = {}
        self._reserved = Spent()
        self._worst = 1.0
        """The most that a prompt was longer than its estimate."""
        self._answered = 0
        self._given_up = 0
        """In a row, since the last answer: requests that failed again and again, and perhaps not by their own fault."""
        self._closed: NotNow | None = None
        self._not_before = 0.0

    def load(self) -> None:
        import openai
        from openai.types.chat import ChatCompletion  # now: it takes a while, and the first requests would wait

        self._answers.parent.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self._answers)
        self._answer_type: Any = ChatCompletion
        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(self.options.concurrency)
        self._freed = asyncio.Condition()
        self._client = openai.AsyncOpenAI(
            base_url=self.url,
            api_key=self._key or "none",  # the client insists on one; a server of one's own does not look at it
            timeout=self.options.timeout,
            max_retries=0,
        )
        try:
            self._loop.run_until_complete(self._greet())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.close()
        self._journal.close()

    def hold(self, talks: Sequence[Talk[Any]]) -> list[Any]:
        return self._loop.run_until_complete(self._hold_all(talks))

    async def _hold_all(self, talks: Sequence[Talk[Any]]) -> list[Any]:
        places = asyncio.Semaphore(self.options.concurrency)  # not all talks begin before the first is answered

        async def hold_in_place(talk: Talk[Any]) -> Any:
            async with places:
                return await self._hold_one(talk)

        return await asyncio.gather(*(hold_in_place(talk) for talk in talks))

    async def _hold_one(self, talk: Talk[Any]) -> Any:
        """What the talk returns, or what it ended with."""
        asked: list[str] = []
        try:
            requests = next(talk)
            while True:
                hashes = [request_hash(r, self.model, self.options.temperature) for r in requests]
                asked += hashes
                pairs = zip(requests, hashes, strict=True)
                replies = await asyncio.gather(*(self._ask(r, h) for r, h in pairs), return_exceptions=True)
                for reply in replies:
                    if isinstance(reply, BaseException):
                        raise reply
                requests = talk.send([reply for reply in replies if isinstance(reply, Reply)])
        except StopIteration as end:
            return end.value
        except InvalidAnswer as invalid:
            self._journal.mark_invalid(asked)
            return invalid
        except sqlite3.Error as error:
            self._closed = NotNow(
                f"{self._answers}: cannot be written ({error}). Answers must be noted to be paid for."
            )
            return self._closed
        except Exception as error:  # noqa: BLE001  whatever one talk does, the others go on
            return error

    async def _ask(self, request: Request, asked: str) -> Reply:
        """The journal's answer, or that of whoever is asking the same just now, or the server's."""
        if earlier := self._journal.find(asked):
            return earlier
        if asked not in self._under_way:
            task = asyncio.create_task(self._ask_server(request, asked))
            self._under_way[asked] = task
            task.add_done_callback(lambda _: self._under_way.pop(asked))
        return await self._under_way[asked]

    async def _ask_server(self, request: Request, asked: str) -> Reply:
        async with self._slots:
            reserved = await self._reserve(request)
            try:
                reply = await self._ask_until_answered(request, self._journal.idempotency_key(asked))
                self._journal.note(asked, self.model, reply)
                return reply
            finally:
                await self._release(reserved)

    async def _reserve(self, request: Request) -> Spent:
        """Set a request's cost aside. Where it is too much, wait for what is under way: it may come out cheaper."""
        async with self._freed:
            while True:
                if self._closed:
                    raise self._closed
                more = at_most(request, self.options.characters_per_token)
                spoken_for = self._journal.spent() + self._reserved.at_worst(self._worst)
                objection = self._budget.objection(spoken_for, more.at_worst(self._worst))
                if not objection:
                    self._reserved += more
                    return more
                if not self._reserved.requests:
                    self._closed = NotNow(objection)
                    raise self._closed
                await self._freed.wait()

    async def _release(self, reserved: Spent) -> None:
        async with self._freed:
            self._reserved -= reserved
            self._freed.notify_all()

    async def _ask_until_answered(self, request: Request, key: str) -> Reply:
        # Not `aramega.retry`: a refused try frees its share of the budget, a server's own "wait" holds for every
        # request at once, and what is answered meanwhile decides whether this server is given up.
        answered_before, tries = self._answered, 0
        while True:
            await self._wait_for_turn()
            try:
                reply = await self._ask_once(request, key)
            except Exception as error:  # noqa: BLE001  diagnose raises what it doesn't know
                trouble = self._diagnose(error)
            else:
                self._answered += 1
                self._given_up = 0
                return reply
            tries += 1
            enough = min(self.options.retries + 1, trouble.tries or tries + 1)
            if trouble.cure in (Cure.GIVE_UP, Cure.STOP) or tries >= enough:
                raise await self._give_up(trouble, tries, answered_since=self._answered > answered_before)
            wait = wait_before(tries - 1, trouble.wait, self._rng)
            if trouble.wait is not None:  # the server's word is for everyone
                self._not_before = max(self._not_before, self._loop.time() + trouble.wait)
            await asyncio.sleep(wait)

    async def _wait_for_turn(self) -> None:
        while (wait := self._not_before - self._loop.time()) > 0:
            await asyncio.sleep(wait)
        if self._closed:
            raise self._closed

    async def _ask_once(self, request: Request, key: str) -> Reply:
        """One request, in the simplest dialect that it takes."""
        import openai

        dialect, refused = self._dialect, None
        sound = self._read_clip(request.clip) if self._read_clip and request.clip else b""
        while True:
            request_body = dialect.body(request, self.model, self.options.temperature, sound=sound)
            try:
                # Not `chat.completions.create`: it walks every message and schema to check it, 2 ms a request.
                asking = self._client.post(
                    "/chat/completions",
                    cast_to=self._answer_type,
                    body=request_body,
                    options={"headers": {"Idempotency-Key": f"{key}{dialect.mark}"}},
                )
                # The client's timeout is between two bytes; a server that drips must not hold a place for ever.
                answer = await asyncio.wait_for(asking, self.options.timeout)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused = refused or error
                simpler = dialect.simpler(str(error))
                if simpler is None:
                    raise refused from None
                dialect = simpler
                continue
            self._dialect = dialect
            return self._read(answer, request)

    def _read(self, answer: Any, request: Request) -> Reply:
        """A reply with what it took: by the server's own count, else by the rule."""
        completion = read_completion(answer)
        estimate = request_tokens(request, self.options.characters_per_token)
        if completion.prompt_tokens:
            self._worst = max(self._worst, completion.prompt_tokens / estimate)
        return replace(
            completion,
            prompt_tokens=completion.prompt_tokens or estimate,
            completion_tokens=completion.completion_tokens
            or tokens_of(completion.text, self.options.characters_per_token),
        )

    def _diagnose(self, error: Exception) -> Trouble:
        return diagnose(error, url=self.url, model=self.model, key=self._key, key_variable=self.options.key_variable)

    async def _give_up(self, trouble: Trouble, tries: int, *, answered_since: bool) -> AramegaError:
        """What to end a request with: its own failure, or the end of asking for this run."""
        self._given_up += trouble.cure is Cure.AGAIN
        nobody_there = trouble.cure is Cure.AGAIN_OR_STOP and not answered_since
        broken = trouble.cure is Cure.AGAIN and self._given_up >= MOST_IN_A_ROW
        if trouble.cure is Cure.STOP or nobody_there or broken:
            models = await self._models() if trouble.unknown_model else ""
            self._closed = self._closed or NotNow(f"{trouble.what}.{models} Run again once that is mended.")
            return self._closed
        return AramegaError(f"{trouble.what}{f', {tries} times' if tries > 1 else ''}.")

    async def _greet(self) -> None:
        """Find out now, and once, that nobody is there or that the key is wrong."""
        import openai

        try:
            await self._client.models.list(timeout=GREETING_SECONDS)
        except (openai.APIConnectionError, openai.AuthenticationError) as error:
            raise NotNow(f"{self._diagnose(error).what}. Run again once that is mended.") from None
        except Exception:  # noqa: BLE001  not every server lists its models; asking it will show what it is
            return

    async def _models(self) -> str:
        try:
            listed = await self._client.models.list(timeout=GREETING_SECONDS)
            names = [scrub(str(model.id), self._key) for model in listed.data]
        except Exception:  # noqa: BLE001  this only helps a message that is given anyway
            return " Give the address up to and including /v1."
        return f" It has: {', '.join(names[:20])}." if names else ""
