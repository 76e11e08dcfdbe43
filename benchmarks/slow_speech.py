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
    made.audio = (synth.scaled(voice, 0.06) + np.concatenate(played)).astype(np.float32)
    made.audio += room_noise(rng, len(made.audio))
    return made


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
    return synth.scaled(np.resize(sound, len(voice)), 0.06 * 10 ** (rng.uniform(-3, 8) / 20))


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
