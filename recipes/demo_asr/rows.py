"""Rows: what one training example is made of, as audio with timed text and as Whisper's tokens.

Most training is on short rows, cut to their speech: Whisper's encoder takes 30 s whatever it hears, and nine tenths of
that would be silence. The last phase is on whole windows, as `whisper.decode` will see them: one utterance with
timestamps or without, two to six with pauses and timestamps, and windows without speech, after whose first token
`<|nospeech|>` is to be expected.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recipes.demo_asr.features import FRAME_SAMPLES, RATE, change_speed, music, noise, roughen
from recipes.demo_asr.sentences import vocabulary
from recipes.demo_asr.voices import Clip, RecordedSpeaker, SpeechCache

if TYPE_CHECKING:
    from whisper.tokenizer import Tokenizer

WINDOW_SECONDS = 30.0
IGNORED = -100  # what cross entropy skips
LETTERS = " ءأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"


@dataclass(frozen=True)
class Spoken:
    """One utterance's place in a row, in seconds, and its words."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Row:
    """One training example: audio, and where in it what is said."""

    audio: np.ndarray
    spoken: Sequence[Spoken]
    with_timestamps: bool

    @property
    def text(self) -> str:
        return " ".join(spoken.text for spoken in self.spoken)


class Tokens:
    """The tokens in use, as rows of a small embedding: Whisper has 51,865, this model some 1,700.

    All others share the last row. `rows[i]` is the Whisper token of row i.
    """

    def __init__(self) -> None:
        from whisper.tokenizer import get_tokenizer

        self.tokenizer: Tokenizer = get_tokenizer(multilingual=True, language="ar", task="transcribe")
        text = {token for word in vocabulary() for token in self.tokenizer.encode(" " + word)}
        special = {*self.tokenizer.sot_sequence, self.tokenizer.eot, self.tokenizer.no_timestamps}
        special.add(self.no_speech)
        stamps = range(self.tokenizer.timestamp_begin, self.tokenizer.timestamp_begin + 1501)
        self.rows = sorted(text | special | set(stamps))
        self.vocabulary_size = self.tokenizer.encoding.n_vocab

    @property
    def no_speech(self) -> int:
        token: int | None = self.tokenizer.no_speech
        assert token is not None
        return token

    @cached_property
    def row_of(self) -> dict[int, int]:
        return {token: row for row, token in enumerate(self.rows)}

    @property
    def unused_row(self) -> int:
        return len(self.rows)

    @property
    def unused_tokens(self) -> int:
        return int(self.vocabulary_size) - len(self.rows)

    def timestamp(self, seconds: float) -> int:
        return int(self.tokenizer.timestamp_begin) + round(seconds * 50)

    def sequence(self, row: Row) -> tuple[list[int], list[int]]:
        """What the decoder is given and what it should answer, as Whisper's tokens."""
        start = list(self.tokenizer.sot_sequence)
        if not row.spoken:
            # A real Whisper says so right after the first token; asked on, it has nothing to write.
            tokens = [*start, self.tokenizer.no_timestamps]
            return tokens, [self.no_speech, IGNORED, IGNORED, self.tokenizer.eot]
        if row.with_timestamps:
            tokens = list(start)
            for spoken in row.spoken:
                words = self.tokenizer.encode(" " + spoken.text)
                tokens += [self.timestamp(spoken.start), *words, self.timestamp(spoken.end)]
        else:
            tokens = [*start, self.tokenizer.no_timestamps, *self.tokenizer.encode(" " + row.text)]
        return tokens, [*tokens[1:], self.tokenizer.eot]


def letters(text: str) -> list[int]:
    """For CTC: 0 is the blank."""
    return [1 + LETTERS.index(letter) for letter in text]


class Source:
    """Where utterances come from: the synthetic cache and, for a share of them, real speakers."""

    def __init__(self, cache: SpeechCache, speakers: Sequence[RecordedSpeaker], *, real_share: float = 0.5) -> None:
        self.cache, self.speakers = cache, speakers
        self.real_share = real_share if speakers else 0.0

    def draw(self, rng: random.Random) -> Clip:
        if rng.random() < self.real_share:
            clip, spread = rng.choice(self.speakers).utterance(rng, rng.choice((1, 1, 2, 3, 4, 5, 6, 7))), 0.15
        else:
            clip, spread = self.cache[rng.randrange(len(self.cache))], 0.08
        if rng.random() < 0.6:
            clip = Clip(change_speed(clip.audio, rng.uniform(1 - spread, 1 + spread)), clip.text)
        return clip


def short_rows(source: Source, rng: random.Random, count: int) -> list[Row]:
    """`count` utterances of about the same length, with up to 0.4 s around them: cheap to train on together."""
    pool = sorted((source.draw(rng) for _ in range(4 * count)), key=lambda clip: len(clip.audio))
    first = rng.randrange(len(pool) - count + 1)
    clips = pool[first : first + count]
    seconds = max(len(clip.audio) for clip in clips) / RATE + rng.uniform(0.1, 0.8)
    rows = []
    for clip in clips:
        slack = seconds - len(clip.audio) / RATE
        rows.append(_lay([clip], [min(slack, 1.0) * rng.random()], seconds, rng, with_timestamps=rng.random() < 0.5))
    return rows


def packed_rows(source: Source, rng: random.Random, count: int, *, seconds: float) -> list[Row]:
    """Rows of `seconds` with as many utterances as fit, pauses between them, timestamps."""
    return [_packed(source, rng, seconds, most=1 + int(seconds / 3)) for _ in range(count)]


def windows(source: Source, rng: random.Random, count: int) -> list[Row]:
    """Whole 30 s windows of every kind that recognition will meet."""
    kinds: list[tuple[int, Callable[[], Row]]] = [
        (6, lambda: _packed(source, rng, WINDOW_SECONDS, most=rng.randint(2, 9))),
        (3, lambda: _single(source, rng, with_timestamps=True)),
        (4, lambda: _single(source, rng, with_timestamps=False)),
        (3, lambda: _without_speech(rng)),
    ]
    weights = [weight for weight, _ in kinds]
    return [rng.choices([make for _, make in kinds], weights)[0]() for _ in range(count)]


def _single(source: Source, rng: random.Random, *, with_timestamps: bool) -> Row:
    clip = source.draw(rng)
    # A segment as a detector cuts it: little before, something after, then the padding's digital zeros.
    before, after = rng.uniform(0, 0.5), rng.uniform(0, 0.5)
    seconds = before + len(clip.audio) / RATE + after
    row = _lay([clip], [before], seconds, rng, with_timestamps=with_timestamps)
    return Row(_padded(row.audio), row.spoken, with_timestamps)


def _packed(source: Source, rng: random.Random, seconds: float, *, most: int) -> Row:
    """A row of `seconds` with as many utterances as fit, at most `most`."""
    clips, starts, at = [], [], rng.uniform(0, 0.8)
    for _ in range(most):
        clip = source.draw(rng)
        end = at + len(clip.audio) / RATE
        if end > seconds - 0.1:
            break
        clips.append(clip)
        starts.append(at)
        at = end + rng.choice((0.15, 0.3, 0.5, 0.8, 1.2)) * rng.uniform(0.8, 1.3)
    if not clips:
        return _packed(source, rng, seconds, most=most)
    audible = min(seconds, at) if seconds == WINDOW_SECONDS else seconds
    lay = rng.choice((_lay, _lay_cut_out))
    row = lay(clips, starts, audible, rng, with_timestamps=True)
    return Row(_padded(row.audio), row.spoken, True) if seconds == WINDOW_SECONDS else row


def _without_speech(rng: random.Random) -> Row:
    """A window of noise, music or silence."""
    audible = int(rng.uniform(2, WINDOW_SECONDS) * RATE)
    kind = rng.choice(("music", "music", "noise", "silence"))
    if kind == "music":
        audio = music(audible, rng) + 10 ** rng.uniform(-4, -1.7) * noise(audible, rng, "white")
    elif kind == "noise":
        audio = noise(audible, rng, rng.choice(("white", "pink"))) * 10 ** rng.uniform(-4, -1)
    else:
        audio = np.zeros(audible, np.float32)
    return Row(_padded(audio.astype(np.float32)), [], True)


def _lay(
    clips: Sequence[Clip], starts: Sequence[float], seconds: float, rng: random.Random, *, with_timestamps: bool
) -> Row:
    """The clips in one recording: one channel and one noise over all, pauses too."""
    row = _lay_clean(clips, starts, seconds, rng, with_timestamps=with_timestamps)
    return Row(roughen(row.audio, rng), row.spoken, with_timestamps)


def _lay_cut_out(
    clips: Sequence[Clip], starts: Sequence[float], seconds: float, rng: random.Random, *, with_timestamps: bool
) -> Row:
    """The clips as cut out of recordings and set side by side: each its own channel, digital silence between."""
    rough = [Clip(roughen(clip.audio, rng), clip.text) for clip in clips]
    return _lay_clean(rough, starts, seconds, rng, with_timestamps=with_timestamps)


def _lay_clean(
    clips: Sequence[Clip], starts: Sequence[float], seconds: float, rng: random.Random, *, with_timestamps: bool
) -> Row:
    """The clips with silence between them, as they were spoken: no channel, no noise."""
    audio = np.zeros(int(seconds * RATE) // FRAME_SAMPLES * FRAME_SAMPLES, np.float32)
    spoken = []
    for clip, start in zip(clips, starts, strict=True):
        first = int(start * RATE)
        part = clip.audio[: len(audio) - first] * rng.uniform(0.5, 1.1)
        audio[first : first + len(part)] += part
        spoken.append(Spoken(start, start + len(clip.audio) / RATE, clip.text))
    return Row(audio, spoken, with_timestamps)


def _padded(audio: np.ndarray) -> np.ndarray:
    whole = int(WINDOW_SECONDS * RATE)
    return np.pad(audio[:whole], (0, max(0, whole - len(audio))))
