"""Made recordings of slow, reverberant and recited speech, and of songs, to fit the speech model on.

A recording is one voice (or two) in one room: phrases with the pauses of a sermon, a lecture, a poem or a recitation
between them, the room's echo over all of it, then noise. A voice alone is speech, however melodious; a voice that
sings to instruments is music, as a song is. The truth is that of the dry voice: the echo in a pause is
neither speech nor music.

Beside espeak-ng there are the voices of flite and, where installed, festival (Debian: flite, festival,
festvox-us-slt-hts, festvox-ru, festvox-ca-ona-hts, festvox-suopuhe-lj, festvox-suopuhe-mv, festvox-kallpc16k,
festvox-kdlpc16k): they were cut from recordings of people, and breathe and hiss as people do.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile as sf

from tests.support import synth
from tests.support.synth.shaping import RATE, Maker, Rng, equalised
from tests.support.synth.voices import SYLLABLES, resampled, trim

FLITE = ("rms", "slt", "awb", "kal16")
FESTIVAL = {
    "cmu_us_slt_arctic_hts": "us",
    "msu_ru_nsh_clunits": "russian",
    "upc_ca_ona_hts": "catalan",
    "suo_fi_lj_diphone": "finnish",
    "hy_fi_mv_diphone": "finnish",
    "kal_diphone": "english",
    "ked_diphone": "english",
}
TEXTS = 25
"""What each voice says, again and again: these programs are slow, and rooms and manners make it new."""
FESTIVAL_VOICES = Path("/usr/share/festival/voices")


class Speaker(Protocol):
    def utterance(self, rng: Rng) -> np.ndarray: ...


@dataclass(frozen=True)
class RecordedVoice:
    """A voice of flite or festival that says made-up words."""

    program: str
    voice: str
    stretch: float

    def utterance(self, rng: Rng) -> np.ndarray:
        text = np.random.default_rng(int(rng.integers(TEXTS)))
        words = ["".join(text.choice(SYLLABLES, text.integers(1, 4))) for _ in range(text.integers(1, 7))]
        return say(self.program, self.voice, self.stretch, " ".join(words))


def recorded_voices(rng: Rng) -> list[Speaker]:
    """One speaker for every voice that is installed."""
    voices = [("flite", v) for v in FLITE] if shutil.which("flite") else []
    voices += [("festival", v) for v, at in FESTIVAL.items() if (FESTIVAL_VOICES / at / v).exists()]
    return [RecordedVoice(program, voice, float(rng.choice([0.9, 1.4]))) for program, voice in voices]


@functools.lru_cache(maxsize=2048)
def say(program: str, voice: str, stretch: float, text: str) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        wav, txt = Path(folder) / "s.wav", Path(folder) / "s.txt"
        txt.write_text(text)
        command: list[str | Path] = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-f", txt, wav]
        if program == "festival":
            begin = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch}))"
            command = ["text2wave", "-eval", begin, txt, "-o", wav]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        if not wav.exists():
            return np.zeros(0, np.float32)
        audio, rate = sf.read(wav, dtype="float32")
    return synth.scaled(trim(resampled(audio, rate)), 0.1)


def slow_recording(rng: Rng, minutes: float, speakers: Sequence[Speaker], instruments: Maker) -> synth.Broadcast:
    """One or two voices in one room, and now and then some music or a song between them."""
    voices = [speakers[i] for i in rng.choice(len(speakers), int(rng.choice([1, 1, 1, 2])), replace=False)]
    manner, longest_pause = _manner(rng), rng.uniform(0.4, 3.0)
    music_share = rng.choice([0.0, 0.0, 0.1])
    dry: list[np.ndarray] = []
    played: list[np.ndarray] = []
    made = synth.Broadcast(np.zeros(0, np.float32))
    while (at := sum(map(len, dry))) < minutes * 60 * RATE:
        if rng.random() < music_share:
            maker = instruments if rng.random() < 0.5 else functools.partial(song, speakers=speakers, by=instruments)
            sound = synth.scaled(maker(rng, rng.uniform(3, 20)), 10 ** rng.uniform(-1.6, -0.8))
            made.music.append((at / RATE, (at + len(sound)) / RATE))
            dry, played = [*dry, np.zeros_like(sound)], [*played, sound]
            continue
        words = voices[rng.integers(len(voices))].utterance(rng)[: int(rng.uniform(0.6, 4) * RATE)]
        phrase = manner(rng, words)
        if len(phrase) < RATE // 5:
            continue
        made.speech.append((at / RATE, (at + len(phrase)) / RATE))
        pause = np.zeros(int(rng.uniform(0.1, longest_pause) * RATE), np.float32)
        dry += [synth.scaled(phrase, 0.09 * rng.uniform(0.5, 1.1)), pause]
        played.append(np.zeros(len(phrase) + len(pause), np.float32))
    voice = equalised(rng, np.concatenate(dry), rng.uniform(0, 9))
    if rng.random() < 0.8:
        voice = synth.in_a_hall(rng, voice, rng.uniform(0.3, 3.5), rng.uniform(-6, 12))
    if rng.random() < 0.4:
        voice = synth.echoed(rng, voice)
    made.audio = (synth.scaled(voice, 0.06) + np.concatenate(played)).astype(np.float32)
    if rng.random() < 0.45:
        _lay_a_bed(rng, made, speakers, instruments)
    made.audio += room_noise(rng, len(made.audio))
    if rng.random() < 0.3:  # as loud as it can be, which a limiter pays for with overtones
        made.audio = np.tanh(made.audio * rng.uniform(5, 25)).astype(np.float32) * np.float32(0.3)
    return made


def _lay_a_bed(rng: Rng, made: synth.Broadcast, speakers: Sequence[Speaker], instruments: Maker) -> None:
    """Instruments, a humming choir or birds behind a stretch of the reading, softer than it."""
    start, end = np.sort(rng.uniform(0, made.seconds, 2)) if rng.random() < 0.5 else (0.0, made.seconds)
    seconds = float(end - start)
    kind = int(rng.integers(4))
    if kind == 3:
        bed = birds(rng, seconds)
    elif kind == 2:
        bed = choir(rng, seconds, speakers)
    else:
        bed = instruments(rng, seconds)
    bed = synth.scaled(synth.in_a_hall(rng, bed, rng.uniform(0.3, 3.0)), 0.06 * 10 ** (-rng.uniform(3, 22) / 20))
    a = int(start * RATE)
    made.audio[a : a + len(bed)] += bed[: len(made.audio) - a]
    if kind != 3:
        made.beds.append((float(start), float(end)))


def choir(rng: Rng, seconds: float, speakers: Sequence[Speaker]) -> np.ndarray:
    """Three or four voices that hold long vowels, none of which says a word."""
    out = np.zeros(int(seconds * RATE), np.float32)
    for _ in range(int(rng.integers(3, 5))):
        words = speakers[rng.integers(len(speakers))].utterance(rng)[: int(1.2 * RATE)]
        if len(words) < RATE // 5:
            continue
        voice = synth.chanted(rng, words, rng.uniform(3, 5), rng.uniform(4, 8))
        out += np.resize(np.roll(voice, int(rng.integers(len(voice)))), len(out))
    return out


def birds(rng: Rng, seconds: float) -> np.ndarray:
    """Chirps that slide between 2 and 6 kHz, in bursts."""
    out = np.zeros(int(seconds * RATE) + RATE, np.float32)
    at = 0.0
    while at < seconds:
        n = int(rng.uniform(0.05, 0.3) * RATE)
        hz = np.linspace(*rng.uniform(2000, 6000, 2), n)
        for i in range(int(rng.integers(1, 8))):
            first = int((at + i * rng.uniform(0.1, 0.4)) * RATE)
            piece = np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.hanning(n)
            out[first : first + n] += piece[: max(0, len(out) - first)]
        at += rng.uniform(0.3, 3)
    return out[: int(seconds * RATE)]


def _manner(rng: Rng) -> Callable[[Rng, np.ndarray], np.ndarray]:
    """How a reader speaks, the same for a whole recording."""
    slowness = rng.uniform(1.0, 2.2)
    if rng.random() < 0.55:
        return lambda _, audio: synth.slowed(audio, slowness) if slowness > 1.1 else audio
    held = rng.uniform(1.0, 5.0)
    return lambda r, audio: synth.chanted(r, audio, slowness, held) if len(audio) > RATE // 5 else audio


def song_behind(rng: Rng, voice: np.ndarray, instruments: Maker) -> np.ndarray:
    """Instruments about as loud as the voice that sings to them."""
    sound = instruments(rng, len(voice) / RATE + 0.01)[: len(voice)]
    return synth.scaled(np.resize(sound, len(voice)), 0.06 * 10 ** (rng.uniform(0, 10) / 20))


def song(rng: Rng, seconds: float, speakers: Sequence[Speaker], by: Maker) -> np.ndarray:
    """A chanting voice over instruments."""
    parts = [np.zeros(0, np.float32)]
    while sum(map(len, parts)) < seconds * RATE:
        words = speakers[rng.integers(len(speakers))].utterance(rng)
        if len(words) > RATE // 5:
            parts += [synth.chanted(rng, words, rng.uniform(1, 2), rng.uniform(1, 5))]
            parts += [np.zeros(int(rng.uniform(0, 1) * RATE))]
    voice = synth.scaled(np.concatenate(parts)[: int(seconds * RATE)], 0.06)
    return (synth.reverberated(rng, voice) + song_behind(rng, voice, by)).astype(np.float32)


def room_noise(rng: Rng, samples: int) -> np.ndarray:
    kind = str(rng.choice(["pink", "white", "brown", "hum", "crowd", "tilted"]))
    noise = synth.NOISES[kind](rng, samples / RATE + 0.01)[:samples]
    return synth.scaled(np.resize(noise, samples), 0.06 * 10 ** (-rng.uniform(10, 60) / 20))
