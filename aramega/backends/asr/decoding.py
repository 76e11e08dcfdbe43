"""Decoding many windows at once through Whisper's own encoder and decoder.

The rules are those of `whisper.decode` with timestamps, and at temperature 0 the text is the same. What
differs is the loop: rows that have come to their end leave the batch, so that one long window does not
hold up fifteen short ones; the timestamp rules are applied to all rows at once; and what is sampled at a
higher temperature depends on the window alone, not on what else is in its batch.

Beam search is not here: it costs five times as much, and drafts are going to be corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from whisper.decoding import DecodingOptions, DecodingTask

if TYPE_CHECKING:
    from whisper.model import Whisper

_COMPACT_AT = 0.75
"""Finished rows are dropped once a quarter of them is: the cross-attention cache that must be copied weighs 18 MB a row
in `tiny`."""


@dataclass(frozen=True)
class Decoded:
    """A window's tokens, without those that every window begins with, and how likely they were."""

    tokens: tuple[int, ...]
    sum_logprob: float
    no_speech: float
    language: str

    @property
    def avg_logprob(self) -> float:
        return self.sum_logprob / (len(self.tokens) + 1)


class BatchDecoder:
    """Whisper's decoder over a batch of encoded windows."""

    def __init__(self, model: Whisper, *, language: str | None, prompt: str, max_tokens: int, fp16: bool) -> None:
        options = DecodingOptions(language=language, prompt=prompt or None, sample_len=max_tokens or None, fp16=fp16)
        task = DecodingTask(model, options)
        self.model = model
        self.tokenizer = task.tokenizer
        self.task = task
        self.language = language
        self.initial = torch.tensor([task.initial_tokens], device=model.device)
        self.suppressed = torch.tensor(task._get_suppress_tokens(), device=model.device)
        self.max_initial = task.tokenizer.timestamp_begin + 50  # a window's first word comes within its first second

    @torch.inference_mode()
    def encode(self, mels: Tensor) -> Tensor:
        """What the decoder attends to, one row a window."""
        encoded: Tensor = self.model.encoder(mels.half() if self.task.options.fp16 else mels)
        return encoded

    @torch.inference_mode()
    def decode(self, features: Tensor, temperature: float, seeds: Sequence[int]) -> list[Decoded]:
        """The tokens of each window; `seeds` fix what is drawn where the temperature is above 0."""
        begun, languages = self._begin(features)
        batch = _Batch(begun, features, seeds, self.tokenizer.timestamp_begin)
        cache, hooks = self.model.install_kv_cache_hooks()
        no_speech: list[float] = []
        try:
            given = begun
            for step in range(self.task.sample_len):
                logits = self.model.decoder(given, batch.features, kv_cache=cache)
                if step == 0:
                    no_speech = self._no_speech(logits)
                last = logits[:, -1]
                self._apply_rules(last, batch)
                given = batch.append(_choose(last, temperature, batch.generators), last, self.tokenizer.eot)
                if batch.is_done or batch.length + self.initial.shape[1] > self.task.n_ctx:
                    break
                if batch.live <= _COMPACT_AT * batch.size:
                    given = given[batch.compact(cache)]
        finally:
            for hook in hooks:
                hook.remove()
        return [
            Decoded(tokens, logprob, silence, language)
            for (tokens, logprob), silence, language in zip(batch.results(), no_speech, languages, strict=True)
        ]

    def _begin(self, features: Tensor) -> tuple[Tensor, list[str]]:
        """The tokens that each row begins with, the language among them."""
        begun = self.initial.repeat(len(features), 1)
        if self.language is not None:
            return begun, [self.language] * len(features)
        tokens, shares = self.model.detect_language(features, self.tokenizer)
        begun[:, self.task.sot_index + 1] = tokens
        return begun, [max(share, key=share.get) for share in shares]

    def _no_speech(self, logits: Tensor) -> list[float]:
        at_start = logits[:, self.task.sot_index].float().softmax(dim=-1)
        return at_start[:, self.tokenizer.no_speech].tolist()

    def _apply_rules(self, logits: Tensor, batch: _Batch) -> None:
        """Forbid what may not come next: control tokens, and timestamps out of order or out of pairs."""
        times, eot, never = self.tokenizer.timestamp_begin, self.tokenizer.eot, -torch.inf
        logits[:, self.suppressed] = never
        logits[:, self.tokenizer.no_timestamps] = never
        if batch.length == 0:
            logits[:, :times] = never
            logits[:, self.max_initial + 1 :] = never
        else:
            after_time, after_two = batch.follows_time()
            opens = after_time & ~after_two  # one timestamp stands: its twin or the end must follow
            logits[:, times:].masked_fill_((after_time & after_two)[:, None], never)
            logits[:, :eot].masked_fill_(opens[:, None], never)
            earliest = torch.where(opens, batch.last_time, batch.last_time + 1)
            ids = torch.arange(times, logits.shape[1], device=logits.device)
            logits[:, times:].masked_fill_(ids < earliest[:, None], never)
        likelier = logits[:, times:].logsumexp(-1) > logits[:, :times].amax(-1)
        logits[:, :times].masked_fill_(likelier[:, None], never)


class _Batch:
    """The rows still being decoded, and what became of the others."""

    def __init__(self, begun: Tensor, features: Tensor, seeds: Sequence[int], times_from: int) -> None:
        device = begun.device
        self.features = features
        self.rows = list(range(len(begun)))
        self.tokens = torch.empty((len(begun), 0), dtype=torch.long, device=device)
        self.sums = torch.zeros(len(begun), device=device)
        self.done = torch.zeros(len(begun), dtype=torch.bool, device=device)
        self.last_time = torch.zeros(len(begun), dtype=torch.long, device=device)
        self.times_from = times_from
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.found: dict[int, tuple[tuple[int, ...], float]] = {}

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def live(self) -> int:
        return int((~self.done).sum())

    @property
    def is_done(self) -> bool:
        return bool(self.done.all())

    @property
    def length(self) -> int:
        return self.tokens.shape[1]

    def follows_time(self) -> tuple[Tensor, Tensor]:
        """Whether the last token is a timestamp, and whether the one before it is (or there is none before it)."""
        last = self.tokens[:, -1] >= self.times_from
        before = self.tokens[:, -2] >= self.times_from if self.length > 1 else torch.ones_like(last)
        return last, before

    def append(self, chosen: Tensor, logits: Tensor, eot: int) -> Tensor:
        """Add a token to each live row; what the decoder is to be given next."""
        logprobs = logits.float().log_softmax(-1).gather(1, chosen[:, None])[:, 0]
        self.sums += torch.where(self.done, 0.0, logprobs)
        chosen = torch.where(self.done, eot, chosen)
        self.tokens = torch.cat([self.tokens, chosen[:, None]], dim=1)
        is_time = chosen >= self.times_from
        self.last_time = torch.where(is_time, chosen, self.last_time)
        ended = (chosen == eot) & ~self.done
        for position in ended.nonzero()[:, 0].tolist():
            self._keep(position)
        self.done |= ended
        return chosen[:, None]

    def compact(self, cache: dict[Any, Tensor]) -> Tensor:
        """Let go of the rows that are done; which positions stay."""
        stay = (~self.done).nonzero()[:, 0]
        for module, values in cache.items():
            cache[module] = values[stay]
        self.features, self.tokens, self.sums = self.features[stay], self.tokens[stay], self.sums[stay]
        self.done, self.last_time = self.done[stay], self.last_time[stay]
        staying = stay.tolist()
        self.rows = [self.rows[i] for i in staying]
        self.generators = [self.generators[i] for i in staying]
        return stay

    def results(self) -> list[tuple[tuple[int, ...], float]]:
        """Tokens and log-probability of each row, in the order they came; a row cut off keeps what it had."""
        for position in (~self.done).nonzero()[:, 0].tolist():
            self._keep(position, cut_off=True)
        return [self.found[row] for row in sorted(self.found)]

    def _keep(self, position: int, *, cut_off: bool = False) -> None:
        tokens = self.tokens[position].tolist()
        self.found[self.rows[position]] = (tuple(tokens if cut_off else tokens[:-1]), float(self.sums[position]))


def _choose(logits: Tensor, temperature: float, generators: Sequence[torch.Generator]) -> Tensor:
    """The likeliest token of each row, or one drawn: by one number a row, where torch.multinomial takes one a token."""
    if temperature == 0:
        return logits.argmax(-1)
    reached = (logits.float() / temperature).softmax(-1).double().cpu().cumsum(-1)
    drawn = torch.stack([torch.rand(1, generator=g, dtype=torch.double) for g in generators])
    return torch.searchsorted(reached, drawn * reached[:, -1:], right=True)[:, 0].to(logits.device)
