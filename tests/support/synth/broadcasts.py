"""Whole broadcasts with known truth: stories, jingles, beds and noise, put together as a `Style` says.

The truth is written down as the pieces are laid, never measured afterwards, so nothing that comes later (a bed, noise)
may move or lengthen what is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.support.synth.delivery import revoiced, stretch, swung, whisper
from tests.support.synth.music import MUSIC
from tests.support.synth.noises import NOISES
from tests.support.synth.shaping import RATE, Maker, Rng, band_passed, equalised, reverberated, scaled
from tests.support.synth.voices import EspeakSpeaker, RecordedSpeaker


@dataclass(frozen=True)
class Style:
    """What a broadcast is made of. Shares are chances per story, utterance or gap."""

    snr: float | None = 20.0
    noises: Sequence[str] = ("white", "pink")
    music: Sequence[Maker] = tuple(MUSIC.values())
    jingle_share: float = 0.5
    jingle_seconds: tuple[float, float] = (3.0, 9.0)
    interlude_share: float = 0.0  # of noise as loud as speech, alone
    bed_share: float = 0.0
    event_share: float = 0.0
    phone_share: float = 0.2
    colour_share: float = 0.0
    whisper_share: float = 0.0
    revoice_share: float = 0.0
    swing_share: float = 0.0
    pauses: Sequence[float] = (0.15, 0.3, 0.5, 0.8, 1.2)
    abut_share: float = 0.0


@dataclass
class Broadcast:
    audio: np.ndarray
    speech: list[tuple[float, float]] = field(default_factory=list)
    music: list[tuple[float, float]] = field(default_factory=list)
    beds: list[tuple[float, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.audio) / RATE


def broadcast(rng: Rng, minutes: float, speakers: Sequence[EspeakSpeaker | RecordedSpeaker], style: Style) -> Broadcast:
    """Stories of a few turns with pauses, jingles, beds, sounds in the gaps, and noise over all of it."""
    pieces: list[np.ndarray] = []
    truth = Broadcast(np.zeros(0, np.float32))

    def now() -> int:
        return sum(map(len, pieces))

    def jingle() -> None:
        sound = style.music[rng.integers(len(style.music))](rng, rng.uniform(*style.jingle_seconds))
        sound = scaled(equalised(rng, sound, 6), rng.uniform(0.03, 0.2))
        start = now() / RATE
        pieces.append(sound)
        truth.music.append((start, start + len(sound) / RATE))

    while now() < minutes * 60 * RATE:
        abut = rng.random() < style.abut_share
        if rng.random() < style.jingle_share:
            jingle()
        if rng.random() < style.interlude_share:
            kind = sorted(NOISES)[rng.integers(len(NOISES))]
            pieces.append(scaled(NOISES[kind](rng, rng.uniform(3, 15)), 10 ** rng.uniform(-2.5, -0.7)))
        if not abut:
            pieces.append(np.zeros(int(rng.uniform(0.8, 2.5) * RATE), np.float32))
        story_start = now()
        for index in rng.choice(len(speakers), min(len(speakers), int(rng.integers(1, 4))), replace=False):
            on_phone, coloured_voice = rng.random() < style.phone_share, rng.random() < style.colour_share
            whispered, speed = rng.random() < style.whisper_share, rng.uniform(0.72, 1.4)
            revoice, swing = rng.random() < style.revoice_share, rng.random() < style.swing_share
            for _ in range(rng.integers(2, 7)):
                voice = speakers[index].utterance(rng)
                if len(voice) < RATE // 10:
                    continue
                if revoice:
                    voice = revoiced(rng, voice)
                if swing:
                    voice = swung(rng, voice)
                if whispered:
                    voice = whisper(rng, voice) * 0.5
                if coloured_voice:
                    voice = scaled(reverberated(rng, equalised(rng, stretch(voice, speed))), 0.09)
                voice = voice * rng.uniform(0.5, 1.1)
                start = now() / RATE
                pieces.append((band_passed(voice, 300, 3400) if on_phone else voice).astype(np.float32))
                truth.speech.append((start, start + len(voice) / RATE))
                pause = (
                    float(rng.choice(style.pauses))
                    if rng.random() < 0.7 or style.abut_share == 0
                    else rng.uniform(0.1, 3)
                )
                gap = np.zeros(int(pause * RATE), np.float32)
                if rng.random() < style.event_share and len(gap) > 4000:
                    event = ("clicks", "applause", "crowd", "hum")[rng.integers(4)]
                    gap[:] = scaled(NOISES[event](rng, len(gap) / RATE + 0.01)[: len(gap)], rng.uniform(0.005, 0.1))
                pieces.append(gap)
        if rng.random() < style.bed_share:
            length = (now() - story_start) / RATE
            bed = scaled(style.music[rng.integers(len(style.music))](rng, length), rng.uniform(0.005, 0.04))
            story = np.concatenate(pieces)[story_start:]
            n = min(len(bed), len(story))
            story[:n] += bed[:n]
            pieces[:] = [np.concatenate(pieces)[:story_start], story]
            truth.beds.append((story_start / RATE, story_start / RATE + n / RATE))
        if abut and rng.random() < style.jingle_share:
            jingle()
    truth.audio = np.concatenate(pieces).astype(np.float32)
    if style.snr is not None:
        _add_noise(rng, truth, style)
    truth.audio = np.clip(truth.audio, -1, 1)
    return truth


def _add_noise(rng: Rng, truth: Broadcast, style: Style) -> None:
    spoken = [truth.audio[int(a * RATE) : int(b * RATE)] for a, b in truth.speech]
    level = np.sqrt(np.mean(np.concatenate(spoken) ** 2)) if spoken else 0.05
    block = 60 * RATE
    for start in range(0, len(truth.audio), block):  # the noise's colour and level drift minute by minute
        piece = truth.audio[start : start + block]
        noise = NOISES[style.noises[rng.integers(len(style.noises))]](rng, len(piece) / RATE + 0.01)[: len(piece)]
        piece += noise * level * 10 ** (-((style.snr or 0.0) + rng.uniform(-3, 6)) / 20)
