"""What machines write for a passage: who said what, in short, in which dialect, and how sure that is.

Each record names what made it (`model`, `prompt`), so that provenance can travel to the published row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto
from typing import Literal

from aramega.records.recordings import Passage, Recording, Segment, SegmentedRecording

Decision = Literal["keep", "review first", "reject"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it was said, in seconds of the recording."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Line:
    """What was heard in one segment."""

    segment: str
    text: str
    start: float
    """In seconds of the recording, by the recognizer's own clock, which is finer than the segment's edges."""
    end: float
    language: str = ""
    avg_logprob: float | None = None
    """Mean log-probability of the tokens of the window this was heard in; None where nothing was recognized
    by a model (a broadcaster's subtitle)."""
    compression_ratio: float | None = None
    no_speech: float | None = None
    temperature: float | None = None
    tokens: tuple[int, ...] = ()
    words: tuple[Word, ...] = ()
    flags: tuple[str, ...] = ()
    """Why this may be no transcript of what was said: `loop`, `phantom`, `too fast`, … The check stage decides."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard in a passage, segment by segment."""

    passage: str
    lines: tuple[Line, ...]
    model: str
    language: str = ""
    at_hand: str = ""
    """What a broadcaster's subtitles say of the passage, where there are some."""
    at_hand_cer: float | None = None
    """How far the draft is from them, by the `asr` profile."""
    note: str = ""
    """What lay beside the recording under its name and is no transcript."""

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines if line.text)


@dataclass(frozen=True, slots=True)
class Summary:
    """One to three sentences, a title and topics for a passage."""

    passage: str
    text: str
    title: str
    topics: tuple[str, ...]
    abstractive: bool
    """False where the sentences are the transcript's own, picked and not written."""
    model: str
    prompt: str = ""
    """The prompt's name, version and hash; empty where there was none."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Labels:
    """Dialect and emotion, the likeliest first; empty where it is left to the annotator."""

    passage: str
    dialect: tuple[Score, ...] = ()
    dialect_by: str = ""
    emotion: tuple[Score, ...] = ()
    emotion_by: str = ""


@dataclass(frozen=True, slots=True)
class SentenceEvidence:
    """What a sentence of a summary rests on."""

    sentence: str
    segments: tuple[str, ...] = ()
    """Those in which the words stand that carry it."""
    share: float = 0.0
    """Of its content, what they hold."""
    doubts: tuple[str, ...] = ()
    """What in it was not said so: `number: 26`, `name: …`, `negation: …`, `direction: …`, `foreign: 12%`."""


@dataclass(frozen=True, slots=True)
class Check:
    """What can be measured of a draft without knowing the other passages; None where there is nothing to measure."""

    passage: str
    avg_logprob: float | None
    compression_ratio: float | None
    characters_per_second: float
    arabic_share: float
    music_share: float
    words: int
    summary_sentences: int
    summary_words: int
    compression: float | None
    """Words of the transcript for each word of the summary."""
    coverage: float | None
    """Share of the summary's words that lie in stretches copied from the transcript (Newsroom's definition)."""
    density: float | None
    """Mean squared length of those stretches, over the summary's words (Newsroom's definition)."""
    novel_bigrams: float | None
    unsupported_numbers: tuple[str, ...] = ()
    """Numbers of the summary that the transcript does not hold, in digits or in words."""
    unsupported_names: tuple[str, ...] = ()
    doubted: float = 0.0
    """Share of the transcript in lines that may be nothing that was said."""
    unheard: float = 0.0
    """Share of the speech in segments without a word."""
    flags: tuple[str, ...] = ()
    """All that its lines are flagged with."""
    signature: str = ""
    """MinHash of the transcript's word trigrams, as hexadecimal: what near-duplicates are found by."""
    evidence: tuple[SentenceEvidence, ...] = ()
    """Of each sentence of the summary."""
    support: float | None = None
    """The least share of a sentence's content that the transcript holds."""
    contradictions: int = 0
    """Sentences of the summary that negate, or turn round, what was said."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a draft, given all the others: whether it is worth an annotator's time, and when."""

    passage: str
    decision: Decision
    reasons: tuple[str, ...]
    score: float
    """0 to 1: the surer the recognizer and the fewer the doubts, the higher; no probability."""
    priority: float
    """0 to 1: the least sure and the most valuable first."""
    duplicate_of: str = ""
    """The passage that says the same and came first."""
    similarity: float = 0.0
    confidence: float | None = None
    """How likely a person accepts the draft unchanged; None until `aramega review calibrate` has learned it."""
    expected_cer: float | None = None
    """Characters of the transcript that a person is expected to change; None until that was learned."""


@dataclass(frozen=True, slots=True)
class Draft:
    """All that machines wrote for one passage; None for what is not there yet."""

    transcript: Transcript | None = None
    summary: Summary | None = None
    labels: Labels | None = None
    check: Check | None = None
    verdict: Verdict | None = None


class Part(Flag):
    """The parts of a passage, or of a recording, that are loaded only for those who ask for them."""

    SEGMENTS = auto()
    TIMELINE = auto()
    """Of a recording."""
    MUSIC = auto()
    """The seconds of music in a passage, which are read from its recording's timeline."""
    PASSAGES = auto()
    """Of a recording, with their summaries."""
    REPEATS = auto()
    """Of a recording: what of it was heard before."""
    TRANSCRIPT = auto()
    SUMMARY = auto()
    LABELS = auto()
    CHECK = auto()
    VERDICT = auto()
    DRAFT = TRANSCRIPT | SUMMARY | LABELS | CHECK | VERDICT
    ALL = SEGMENTS | TIMELINE | MUSIC | PASSAGES | REPEATS | DRAFT


@dataclass(frozen=True, slots=True)
class DraftedPassage:
    """A passage with where it came from and what is known of it: what the stages after passages work on, and what
    is reviewed and published."""

    recording: Recording
    passage: Passage
    segments: tuple[Segment, ...]
    draft: Draft
    sources: tuple[str, ...] = ()
    """Where the recording's bytes are, as the curator named them."""
    music_seconds: float = 0.0

    @property
    def id(self) -> str:
        return self.passage.id


@dataclass(frozen=True, slots=True)
class SummarizedRecording(SegmentedRecording):
    """A recording with its passages in order and the summaries they have so far: what is summarized as a whole."""

    passages: tuple[Passage, ...] = ()
    summaries: tuple[Summary, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a recording under one title."""

    start: float
    title: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """A whole recording in short, with its chapters."""

    recording: str
    text: str
    chapters: tuple[Chapter, ...]
    model: str
    prompt: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
