"""Speakers: espeak-ng in many languages and variants, and real recorded words strung together.

A speaker gives utterances with nothing silent at their ends, so an utterance's length is the length of its speech.
What espeak says is random words, Arabic ones or made-up syllables: only the sound of speech matters here, not what is
said. How a thing is said (whispered, in another pitch) is `delivery.py`'s.
"""

from __future__ import annotations

import csv
import functools
import io
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.fft import irfft, rfft

from tests.support.synth.shaping import RATE, Rng

WORDS = [
    "مساء",
    "صباح",
    "نشرة",
    "الأخبار",
    "اليوم",
    "غدا",
    "السوق",
    "العمل",
    "المدينة",
    "القرية",
    "الطريق",
    "البحر",
    "الجبل",
    "كتاب",
    "مدرسة",
    "طالب",
    "أستاذ",
    "طبيب",
    "مستشفى",
    "قطار",
    "سيارة",
    "طائرة",
    "مطار",
    "رحلة",
    "برنامج",
    "ضيف",
    "حلقة",
    "سؤال",
    "جواب",
    "رأي",
    "خبر",
    "صحيفة",
    "تقرير",
    "مراسل",
    "حكومة",
    "شعب",
    "انتخاب",
    "قانون",
    "محكمة",
    "قال",
    "يقول",
    "كتب",
    "ذهب",
    "وصل",
    "عاد",
    "فتح",
    "أغلق",
    "بدأ",
    "انتهى",
    "شرب",
    "أكل",
    "نظر",
    "سمع",
    "كبير",
    "صغير",
    "جديد",
    "قديم",
    "جميل",
    "سريع",
    "بطيء",
    "ثقيل",
    "خفيف",
    "في",
    "من",
    "إلى",
    "على",
    "عن",
    "مع",
    "بعد",
    "قبل",
    "خلال",
    "حول",
    "بين",
    "عند",
]
SYLLABLES = [
    c + v + e
    for c in ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "ch"]
    for v in "aeiou"
    for e in ("", "n", "s", "l")
]
LATIN_LANGUAGES = ("en", "fr", "es", "de", "tr", "it", "pt", "id", "sw", "nl", "pl", "sv")
VARIANTS = (
    *(f"m{i}" for i in range(1, 9)),
    *(f"f{i}" for i in range(1, 6)),
    *(
        "klatt",
        "klatt2",
        "klatt4",
        "whisper",
        "whisperf",
        "croak",
        "adam",
        "caleb",
        "linda",
        "steph",
        "marcelo",
        "anika",
    ),
)


def trim(audio: np.ndarray, below_db: float = 35.0) -> np.ndarray:
    """Cut leading and trailing 10 ms frames that are `below_db` quieter than the loudest one."""
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    if not len(frames):
        return audio[:0]
    level = 20 * np.log10(np.sqrt((frames**2).mean(1)) + 1e-7)
    loud = np.flatnonzero(level > level.max() - below_db)
    return audio[loud[0] * 160 : (loud[-1] + 1) * 160]


@functools.lru_cache(maxsize=4096)
def espeak(text: str, voice: str, speed: int = 155, pitch: int = 50) -> np.ndarray:
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    audio, rate = sf.read(io.BytesIO(wav), dtype="float32")
    return trim(resampled(audio, rate))


def resampled(audio: np.ndarray, rate: int) -> np.ndarray:
    if rate == RATE or not len(audio):
        return audio.astype(np.float32)
    n = round(len(audio) * RATE / rate)
    spectrum = rfft(audio)[: n // 2 + 1]
    return (irfft(np.pad(spectrum, (0, max(0, n // 2 + 1 - len(spectrum)))), n) * (n / len(audio))).astype(np.float32)


@dataclass(frozen=True)
class EspeakSpeaker:
    voice: str
    speed: int
    pitch: int

    @classmethod
    def random(cls, rng: Rng, foreign_share: float = 0.35) -> EspeakSpeaker:
        language = str(rng.choice(LATIN_LANGUAGES)) if rng.random() < foreign_share else "ar"
        variant = f"+{rng.choice(VARIANTS)}" if rng.random() < 0.9 else ""
        return cls(language + variant, int(rng.integers(115, 210)), int(rng.integers(15, 85)))

    def utterance(self, rng: Rng) -> np.ndarray:
        if self.voice.startswith("ar"):
            text = " ".join(rng.choice(WORDS, rng.integers(1, 12)))
        else:
            text = " ".join("".join(rng.choice(SYLLABLES, rng.integers(1, 4))) for _ in range(rng.integers(1, 12)))
        return espeak(text, self.voice, self.speed, self.pitch)


@dataclass(frozen=True)
class RecordedSpeaker:
    """Real recorded words of one speaker, strung together with gaps too short to be pauses."""

    name: str
    clips: tuple[Path, ...]

    def utterance(self, rng: Rng) -> np.ndarray:
        parts: list[np.ndarray] = []
        for index in rng.choice(len(self.clips), min(len(self.clips), int(rng.integers(1, 8))), replace=False):
            audio, rate = sf.read(self.clips[index], dtype="float32")
            audio = trim(resampled(audio, rate))
            if len(audio) < RATE // 10:
                continue
            gap = np.zeros(int(rng.uniform(0.0, 0.15) * RATE), np.float32)
            parts += [audio * (0.1 / (np.sqrt((audio**2).mean()) + 1e-6)), gap]
        return np.concatenate(parts[:-1]) if parts else np.zeros(0, np.float32)


def recorded_speakers(folder: Path, split: str | None = None) -> list[RecordedSpeaker]:
    clips: dict[str, list[Path]] = {}
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if split is None or row.get("split", split) == split:
                clips.setdefault(row["speaker"], []).append(folder / row["path"])
    return [RecordedSpeaker(f"{folder.name}-{name}", tuple(paths)) for name, paths in sorted(clips.items())]
