"""Options of the check stage: rules that read as they are meant, and weights for what is reviewed first."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from aramega.config.base import Options
from aramega.errors import AramegaError
from aramega.plugins import find_plugins

FACTS = {
    "avg_logprob": "the recognizer's mean log-probability, over the tokens",
    "compression_ratio": "how much zlib shrinks the letters of the transcript: a loop shrinks a lot",
    "characters_per_second": "of the transcript, over the speech",
    "arabic_share": "Arabic letters among all letters of the transcript",
    "doubted": "share of the transcript in lines that look like loops, phantoms, guesses or silence",
    "unheard": "share of the speech in segments without a word",
    "music_share": "music inside the passage",
    "snr_db": "signal to noise",
    "bandwidth_hz": "highest frequency that carries signal",
    "seconds": "length of the clip",
    "words": "of the transcript",
    "similarity": "to the earlier passage that says the same",
    "subtitles_cer": "distance from the broadcaster's subtitles",
    "dialect_score": "of the likeliest dialect",
    "summary_words": "of the summary",
    "summary_sentences": "of the summary",
    "compression": "words of the transcript for each of the summary",
    "coverage": "share of the summary's words copied from the transcript",
    "density": "mean squared length of copied stretches",
    "novel_bigrams": "share of the summary's bigrams that the transcript does not have",
    "unsupported_numbers": "how many numbers of the summary the transcript does not hold",
    "unsupported_names": "how many words of names in the summary the transcript does not hold",
    "support": "least share of a summary sentence's content that the transcript holds",
    "contradictions": "sentences of the summary that negate, or turn round, what was said",
}
"""What a rule may ask about, and what it is."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_TERM = re.compile(r"\s*([a-z_]+)\s*(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class Rule:
    """A reason, and what must be so for it to hold."""

    reason: str
    terms: tuple[tuple[str, str, float], ...]

    def holds(self, facts: Mapping[str, float | None]) -> bool:
        """Whether all terms are so; of what is not known, nothing is."""
        return all(
            (value := facts.get(name)) is not None and _COMPARE[sign](value, limit) for name, sign, limit in self.terms
        )


def read_rule(text: str) -> Rule:
    """`reason: fact < number and …` as a rule; ValueError says what is wrong with how it is written."""
    reason, colon, condition = text.partition(":")
    if not (colon and reason.strip()):
        raise ValueError(f"a rule is written `reason: fact < number`; {text!r} is not")
    terms = []
    for part in condition.split(" and "):
        match = _TERM.fullmatch(part)
        if not match:
            raise ValueError(f"{text!r}: {part.strip()!r} is not a comparison such as words < 10")
        terms.append((match[1], match[2], float(match[3])))
    return Rule(reason.strip(), tuple(terms))


def check_facts(options: CheckConfig) -> None:
    """Raise if a rule asks about what nobody measures.

    A configuration is read without this: a plugin that is gone must not keep anyone from looking at a workspace.
    """
    for name, place in asked_facts(options).items():
        if name in FACTS or name in find_plugins("facts"):
            continue
        names = [*FACTS, *find_plugins("facts")]
        near = difflib.get_close_matches(name, names, n=1)
        hint = (
            f"Did you mean {near[0]}?"
            if near
            else f"If a plugin gave it, install that again. A rule may ask about: {', '.join(names)}."
        )
        raise AramegaError(f"check.{place}: {name} is not known. {hint}")


def asked_facts(options: CheckConfig) -> dict[str, str]:
    """The facts that are asked about, each with the place that asks first."""
    facts: dict[str, str] = {}
    for option in ("reject", "review_first"):
        for text in getattr(options, option):
            for name, _, _ in read_rule(text).terms:
                facts.setdefault(name, f"{option}: {text!r}")
    for name in options.priority_weights:
        facts.setdefault(name, "priority_weights")
    return facts


class CheckConfig(Options):
    """Deciding what is kept, what is looked at first and what is not worth an annotator's time."""

    reject: tuple[str, ...] = Field(
        (
            "nothing said: words < 5",
            "mostly doubtful: doubted > 0.5",
            "not Arabic: arabic_share < 0.3",
            "music: music_share > 0.4",
            "said before: similarity >= 0.8",
        ),
        description="Rules that reject a draft: `reason: fact < number`, several comparisons joined by `and`. What may be "
        "asked about: docs/drafts.md lists it.",
    )
    review_first: tuple[str, ...] = Field(
        (
            "unsure of the words: avg_logprob < -0.55",
            "partly doubtful: doubted > 0.1",
            "partly unheard: unheard > 0.15",
            "too fast to be true: characters_per_second > 24",
            "too slow to be all: characters_per_second < 6.25",
            "few words to judge by: words < 18",
            "much that is not Arabic: arabic_share < 0.7",
            "noisy: snr_db < 8",
            "unlike the subtitles: subtitles_cer > 0.3",
            "a number that was not said: unsupported_numbers > 0",
            "a name that was not said: unsupported_names > 0",
            "the opposite of what was said: contradictions > 0",
            "a sentence that was not said: support < 0.4",
            "hardly shorter than what was said: compression < 1.5 and words > 40",
            "mostly new words: coverage < 0.4",
        ),
        description="Rules that put a draft before the others, written as those of reject.",
    )
    phantoms: tuple[str, ...] = Field(
        (),
        description="Lines of your own that recognizers write where nothing is said, beside the known ones («اشتركوا في "
        "القناة»): what your model learned from its subtitles. A line that is, or ends in, one is doubted.",
    )
    doubt_logprob: float = Field(
        -0.9,
        le=0,
        description="A line whose window has a lower mean log-probability may be nothing that was said. Decoding has a "
        "limit of its own (transcribe.min_logprob).",
    )
    near_duplicate: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of word trigrams in common from which two transcripts say the same: jingles, ads, headlines.",
    )
    unsure_weight: float = Field(
        0.6,
        ge=0,
        le=1,
        description="What decides an annotator's order: 1 the least sure first, 0 the most valuable (long, rich) first.",
    )

    random_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the passages that come to annotators at a random place of the order: a fair sample, by which "
        "`aramega review status` says how good the drafts are.",
    )
    priority_weights: dict[str, float] = Field(
        {},
        description="What a fact adds to a draft's place in that order: { unheard = 0.5 } adds half of it. Any fact that a "
        "rule may ask about, a plugin's too. The sum stays between 0 and 1.",
    )

    @field_validator("reject", "review_first")
    @classmethod
    def _rules_can_be_read(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            read_rule(value)
        return values

    def deciding(self) -> dict[str, Any]:
        """Measures depend on what makes a line doubtful; what is made of them is decided anew by every build."""
        return {"phantoms": list(self.phantoms), "doubt_logprob": self.doubt_logprob}
