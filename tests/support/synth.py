"""Makers of sound with known truth: voices, music, noises, and whole broadcasts put together from them.

Everything comes from one `numpy` generator, so a seed gives the same samples every time. Voices are espeak-ng
(any of its languages and variants) and, where a folder of real clips is at hand, recorded words strung together.
Music and noise are synthesised here, in two families: `MUSIC` is what the speech model may be fitted on,
`HELD_OUT_MUSIC` is never shown to it and is what tests and benchmarks judge it by.

Not here: speech whose truth is doubtful (singing is music, babble of many voices is noise).
"""

from __future__ import annotations

import csv
import functools
import io
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.fft import irfft, rfft

RATE = 16_000
Rng = np.random.Generator
Maker = Callable[[Rng, float], np.ndarray]

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


# --- voices ---------------------------------------------------------------------------------------------------------


def trim(audio: np.ndarray, below_db: float = 35.0) -> np.ndarray:
    """Cut leading and trailing 10 ms frames that are `below_db` quieter than the loudest one."""
    frames = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    if not len(frames):
        return audio[:0]
    level = 20 * np.log10(np.sqrt((frames**2).mean(1)) + 1e-7)
    loud = np.flatnonzero(level > level.max() - below_db)
    return audio[loud[0] * 160 : (loud[-1] + 1) * 160]


def stretch(audio: np.ndarray, factor: float) -> np.ndarray:
    """Play `audio` `factor` times faster: pitch and formants move along, which makes another speaker of it."""
    return np.interp(np.arange(0, len(audio) - 1, factor), np.arange(len(audio)), audio).astype(np.float32)


@functools.lru_cache(maxsize=4096)
def espeak(text: str, voice: str, speed: int = 155, pitch: int = 50) -> np.ndarray:
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    audio, rate = sf.read(io.BytesIO(wav), dtype="float32")
    return trim(_resample(audio, rate))


def _resample(audio: np.ndarray, rate: int) -> np.ndarray:
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
            audio = trim(_resample(audio, rate))
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


def whisper(rng: Rng, speech: np.ndarray) -> np.ndarray:
    """Keep the spectral envelope, replace the voice by noise: what whispering does."""
    n, hop = 512, 128
    padded = np.pad(speech, (n, n)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[::hop] * np.hanning(n).astype(np.float32)
    envelope = np.abs(rfft(frames, axis=1))
    kernel = np.hanning(15) / np.hanning(15).sum()
    envelope = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, envelope)
    breath = irfft(envelope * np.exp(2j * np.pi * rng.random(envelope.shape)), n, axis=1) * np.hanning(n)
    out = np.zeros(len(padded) + n)
    for i, frame in enumerate(breath):
        out[i * hop : i * hop + n] += frame
    return out[n : n + len(speech)].astype(np.float32)


def revoiced(rng: Rng, speech: np.ndarray) -> np.ndarray:
    """The same words from another throat: the envelope of `speech` over a new pitch that rises and falls."""
    n, hop = 512, 128
    seconds = len(speech) / RATE
    points = max(3, int(seconds * 4))
    contour = rng.uniform(75, 280) * 2 ** rng.normal(0, 0.25, points)
    hz = np.interp(np.linspace(0, points - 1, len(speech)), np.arange(points), contour)
    phase = np.cumsum(hz / RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0) + rng.standard_normal(len(speech)) * rng.uniform(0.005, 0.08)
    window = np.hanning(n).astype(np.float32)

    def spectra(sound: np.ndarray) -> np.ndarray:
        return rfft(
            np.lib.stride_tricks.sliding_window_view(np.pad(sound, n).astype(np.float32), n)[::hop] * window, axis=1
        )

    original, source = np.abs(spectra(speech)), spectra(pulses)
    breath = np.abs(spectra(rng.standard_normal(len(speech)))) * np.exp(2j * np.pi * rng.random(original.shape)) * 0.1
    hissing = (original[:, 100:].sum(axis=1) > 0.6 * original[:, 3:100].sum(axis=1))[:, None]
    kernel = np.hanning(13) / np.hanning(13).sum()
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, "same"), 1, original)
    shift = rng.uniform(0.8, 1.25)  # a longer or shorter throat
    bins = np.minimum(np.arange(n // 2 + 1) / shift, n // 2)
    smooth = np.apply_along_axis(lambda row: np.interp(bins, np.arange(n // 2 + 1), row), 1, smooth)
    frames = irfft(np.where(hissing, breath, source) * smooth, n, axis=1) * window
    out = np.zeros(len(speech) + 3 * n)
    for i, frame in enumerate(frames):
        out[i * hop : i * hop + n] += frame
    return scaled(out[n : n + len(speech)], 0.1)


def swung(rng: Rng, audio: np.ndarray, depth_db: float = 8.0) -> np.ndarray:
    """Louder and softer as it goes, as when a speaker turns from the microphone or whispers a word."""
    points = max(2, int(len(audio) / RATE * 2.5))
    curve = np.interp(
        np.linspace(0, points - 1, len(audio)), np.arange(points), rng.uniform(-depth_db, depth_db / 2, points)
    )
    return (audio * 10 ** (curve / 20)).astype(np.float32)


# --- shaping --------------------------------------------------------------------------------------------------------


def filtered(audio: np.ndarray, gain_at: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`audio` with its spectrum multiplied by `gain_at(hz)`."""
    if not len(audio):
        return audio
    spectrum = rfft(audio.astype(np.float32))
    return irfft(spectrum * gain_at(np.fft.rfftfreq(len(audio), 1 / RATE)).astype(np.float32), len(audio))


def band_passed(audio: np.ndarray, low: float, high: float) -> np.ndarray:
    return filtered(audio, lambda hz: ((hz >= low) & (hz <= high)).astype(np.float32))


def equalised(rng: Rng, audio: np.ndarray, depth_db: float = 9.0) -> np.ndarray:
    """A random smooth tone curve: another microphone, another room's colour."""
    knots, points = np.array([0, 150, 400, 1000, 2500, 5000, 8000.0]), rng.uniform(-depth_db, depth_db, 7)
    return filtered(audio, lambda hz: 10 ** (np.interp(hz, knots, points) / 20))


def reverberated(rng: Rng, audio: np.ndarray) -> np.ndarray:
    """A short decaying-noise room, kept within the length of `audio` so that the truth stays true."""
    n = int(rng.uniform(0.05, 0.5) * RATE)
    room = rng.standard_normal(n) * np.exp(-np.arange(n) * (6.9 / n)) * rng.uniform(0.05, 0.35)
    room[0] = 1.0
    size = len(audio) + n
    return irfft(rfft(audio, size) * rfft(room, size), size)[: len(audio)].astype(np.float32)


def scaled(audio: np.ndarray, rms: float) -> np.ndarray:
    return (audio * (rms / (np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-9))).astype(np.float32)


# --- noises ---------------------------------------------------------------------------------------------------------


def coloured(rng: Rng, seconds: float, slope: float) -> np.ndarray:
    """Noise whose amplitude spectrum falls as f^-slope: 0 white, 0.5 pink, 1 brown."""
    n = int(seconds * RATE)
    noise = filtered(rng.standard_normal(n).astype(np.float32), lambda hz: np.maximum(hz, 20.0) ** -slope)
    return scaled(noise, 1.0)


def babble(rng: Rng, seconds: float) -> np.ndarray:
    n = int(min(seconds, 12.0) * RATE)  # repeated after that: voices are slow to make
    out = np.zeros(n, np.float32)
    for _ in range(rng.integers(8, 14)):
        speaker, at = EspeakSpeaker.random(rng), -int(rng.integers(0, RATE))
        while at < n:
            voice = speaker.utterance(rng)
            if len(voice) < RATE // 2:
                continue
            a, b = max(0, at), min(n, at + len(voice))
            if b > a:
                out[a:b] += voice[a - at : b - at]
            at += len(voice)
    return np.resize(scaled(reverberated(rng, out), 1.0), int(seconds * RATE))


def hum(rng: Rng, seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    base, out = rng.choice([50.0, 60.0, 100.0, 120.0]), coloured(rng, seconds, 0.5) * rng.uniform(0.02, 0.3)
    for k in range(1, rng.integers(3, 20)):
        out = out + np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) * rng.uniform(0, 1) / k
    return scaled(out, 1.0)


def crowd(rng: Rng, seconds: float) -> np.ndarray:
    """Noise that swells at a few hertz within a speech-like band: a hall, a street, surf."""
    n = int(seconds * RATE)
    noise = filtered(
        coloured(rng, seconds, rng.uniform(0.3, 0.9)), lambda hz: 1 / (1 + ((hz - 700) / rng.uniform(600, 2500)) ** 2)
    )
    points = max(3, int(seconds * rng.uniform(0.3, 4)))
    swell = np.interp(np.linspace(0, points - 1, n), np.arange(points), rng.uniform(0.2, 1.0, points))
    return scaled(noise * swell, 1.0)


def clicks(rng: Rng, seconds: float) -> np.ndarray:
    out = coloured(rng, seconds, 0.5) * 0.02
    for at in rng.integers(0, max(1, len(out) - 800), max(1, int(seconds * rng.uniform(0.5, 12)))):
        n = int(rng.integers(20, 800))
        out[at : at + n] += (
            rng.standard_normal(n)[: len(out) - at]
            * np.exp(-np.arange(n) / (n / 5))[: len(out) - at]
            * rng.uniform(0.3, 1)
        )
    return scaled(out, 1.0)


def applause(rng: Rng, seconds: float) -> np.ndarray:
    n = int(seconds * RATE)
    out = np.zeros(n + 400, np.float32)
    clap = np.exp(-np.arange(400) / rng.uniform(30, 90))
    for at in rng.integers(0, n, int(seconds * rng.uniform(40, 300))):
        out[at : at + 400] += rng.standard_normal(400) * clap * rng.uniform(0.3, 1)
    return scaled(out[:n], 1.0)


NOISES: dict[str, Maker] = {
    "white": lambda rng, s: coloured(rng, s, 0.0),
    "pink": lambda rng, s: coloured(rng, s, 0.5),
    "brown": lambda rng, s: coloured(rng, s, 1.0),
    "tilted": lambda rng, s: equalised(rng, coloured(rng, s, rng.uniform(-0.3, 1.2)), 12),
    "babble": babble,
    "hum": hum,
    "crowd": crowd,
    "clicks": clicks,
    "applause": applause,
}


# --- music ----------------------------------------------------------------------------------------------------------

SCALES = (
    (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 1, 4, 5, 7, 8, 11), (0, 1.5, 3.5, 5, 7, 8.5, 10.5),
    (0, 1.5, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10),
)  # fmt: skip


@dataclass(frozen=True)
class Timbre:
    """How one note sounds: partials with their own strength and decay, an attack, a vibrato."""

    partials: tuple[tuple[float, float, float], ...]  # (frequency ratio, amplitude, decay per second)
    attack: float
    release: float = 0.03
    vibrato: float = 0.0  # depth as a share of the frequency
    vibrato_hz: float = 5.5

    @classmethod
    def random(cls, rng: Rng, *, sustained: bool) -> Timbre:
        count, tilt = int(rng.integers(1, 18)), rng.uniform(0.3, 2.0)
        odd, stiff = rng.random() < 0.3, rng.choice([0.0, 0.0, 0.0005, 0.003])
        decay, faster = (0.0, 0.0) if sustained else (rng.uniform(0.5, 9), rng.uniform(0, 1.2))
        partials = []
        for k in range(1, count + 1):
            ratio = (2 * k - 1 if odd else k) * np.sqrt(1 + stiff * k * k)
            partials.append((float(ratio), float(rng.uniform(0.3, 1) * k**-tilt), float(decay + faster * k)))
        return cls(
            tuple(partials),
            attack=float(rng.uniform(0.02, 0.4) if sustained else rng.uniform(0.001, 0.02)),
            vibrato=float(rng.choice([0, 0, rng.uniform(0.002, 0.02)])),
            vibrato_hz=float(rng.uniform(3, 8)),
        )


def note(hz: float, seconds: float, timbre: Timbre) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    wobble = timbre.vibrato / (2 * np.pi * timbre.vibrato_hz) * np.cos(2 * np.pi * timbre.vibrato_hz * t)
    out = np.zeros(len(t))
    for ratio, amplitude, decay in timbre.partials:
        if hz * ratio < 7800:
            out += amplitude * np.exp(-decay * t) * np.sin(2 * np.pi * hz * ratio * (t + wobble))
    return out * np.minimum(1, t / timbre.attack) * np.minimum(1, (seconds - t) / timbre.release)


def _place(out: np.ndarray, at: float, sound: np.ndarray, gain: float = 1.0) -> None:
    a = int(at * RATE)
    n = min(len(sound), len(out) - a)
    if n > 0:
        out[a : a + n] += sound[:n] * gain


def melody(
    rng: Rng, seconds: float, timbre: Timbre | None = None, *, low: float = 110, legato: float | None = None
) -> np.ndarray:
    """Notes of a scale, one after another: arpeggios, plucked strings, leads, depending on the timbre."""
    timbre = timbre or Timbre.random(rng, sustained=bool(rng.random() < 0.4))
    out, scale = np.zeros(int(seconds * RATE)), SCALES[rng.integers(len(SCALES))]
    root, beat = low * 2 ** rng.uniform(0, 2), 60 / rng.uniform(60, 190)
    lengths, step = rng.choice([0.25, 0.5, 0.5, 1.0, 2.0], 4), int(rng.integers(0, 7))
    hold = legato or rng.uniform(0.6, 2.5)
    at = 0.0
    while at < seconds:
        step = int(np.clip(step + rng.integers(-3, 4), -5, 14))
        hz = root * 2 ** (scale[step % len(scale)] / 12 + step // len(scale))
        length = float(rng.choice(lengths)) * beat
        if rng.random() > 0.08:
            _place(out, at, note(hz, min(length * hold, seconds), timbre), rng.uniform(0.5, 1))
        at += length
    return out


def chords(rng: Rng, seconds: float, timbre: Timbre | None = None) -> np.ndarray:
    timbre = timbre or Timbre.random(rng, sustained=bool(rng.random() < 0.4))
    out, root = np.zeros(int(seconds * RATE)), rng.uniform(80, 420)
    beat = rng.uniform(0.25, 1.2) if timbre.attack < 0.05 else rng.uniform(1, 4)
    ratios = [(1, 1.26, 1.5), (1, 1.19, 1.5), (1, 1.335, 1.68), (1, 1.26, 1.5, 1.89), (1, 1.5), (1, 1.19, 1.41, 1.78)]
    for at in np.arange(0, seconds, beat):
        base = root * 2 ** (rng.choice([0, 0, 5, 7, -5, 3, -2]) / 12)
        for ratio in ratios[rng.integers(len(ratios))]:
            _place(
                out,
                at,
                note(base * ratio * rng.uniform(0.997, 1.003), min(beat * rng.uniform(1, 2.5), seconds), timbre),
            )
    return out


def fm(rng: Rng, seconds: float) -> np.ndarray:
    """Frequency-modulated bells and electric pianos."""
    out, beat, root = np.zeros(int(seconds * RATE)), rng.uniform(0.12, 0.8), rng.uniform(110, 600)
    ratio, depth, decay = rng.choice([1, 1.41, 2, 2.76, 3.5, 7]), rng.uniform(0.5, 6), rng.uniform(1, 7)
    scale = SCALES[rng.integers(len(SCALES))]
    for at in np.arange(0, seconds, beat):
        t = np.arange(int(min(seconds, beat * rng.uniform(1, 3)) * RATE)) / RATE
        hz, fade = root * 2 ** (rng.choice(scale) / 12), np.exp(-decay * t)
        _place(out, at, fade * np.sin(2 * np.pi * hz * t + depth * fade * np.sin(2 * np.pi * hz * ratio * t)))
    return out


def drums(rng: Rng, seconds: float) -> np.ndarray:
    out, step = np.zeros(int(seconds * RATE)), 60 / rng.uniform(70, 170) / 4
    t = np.arange(int(0.3 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (rng.uniform(40, 70) * t + rng.uniform(1, 6) * (1 - np.exp(-t * 40)) / 2)) * np.exp(
        -t * rng.uniform(8, 20)
    )
    crack = rng.standard_normal(len(t))
    snare = crack * np.exp(-t * rng.uniform(12, 40)) + np.sin(2 * np.pi * rng.uniform(150, 260) * t) * np.exp(-t * 25)
    hat = band_passed(crack, rng.uniform(3000, 6000), 8000) * np.exp(-t * rng.uniform(30, 120))
    patterns = [
        (kick, rng.random(16) < 0.3, 1.0),
        (snare, rng.random(16) < 0.2, 0.6),
        (hat, rng.random(16) < 0.6, 0.35),
    ]
    for i in range(int(seconds / step) + 1):
        for sound, hits, gain in patterns:
            if hits[i % 16]:
                _place(out, i * step, sound, gain * rng.uniform(0.7, 1))
    return out


def pad(rng: Rng, seconds: float) -> np.ndarray:
    """Slow detuned chords under a moving filter."""
    out = chords(rng, seconds, Timbre.random(rng, sustained=True))
    dull = band_passed(out, 0, rng.uniform(400, 1500))
    sweep = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.05, 0.6) * np.arange(len(out)) / RATE)
    return out * sweep + dull * (1 - sweep)


VOWELS = ((700, 1200, 2600), (300, 2200, 2900), (350, 800, 2500), (500, 1800, 2500), (550, 950, 2450))


def singing(rng: Rng, seconds: float) -> np.ndarray:
    """Held notes of harmonics under vowel formants, with vibrato: a choir or a singer, not speech."""
    out, scale = np.zeros(int(seconds * RATE)), SCALES[rng.integers(len(SCALES))]
    root, at, step = rng.uniform(110, 330), 0.0, 2
    while at < seconds:
        length, step = rng.uniform(0.5, 2.2), int(np.clip(step + rng.integers(-2, 3), -2, 9))
        hz = root * 2 ** (scale[step % len(scale)] / 12 + step // len(scale))
        formants = VOWELS[rng.integers(len(VOWELS))]
        partials = []
        for k in range(1, int(5000 / hz)):
            envelope = sum(1 / (1 + ((k * hz - f) / (60 + 0.06 * f)) ** 2) for f in formants)
            partials.append((float(k), float(envelope * k**-0.3), 0.0))
        timbre = Timbre(
            tuple(partials),
            attack=0.08,
            release=0.1,
            vibrato=rng.uniform(0.008, 0.025),
            vibrato_hz=rng.uniform(4.5, 6.5),
        )
        _place(out, at, note(hz, min(length * 1.05, seconds), timbre))
        at += length
    return out


def band(rng: Rng, seconds: float) -> np.ndarray:
    """Drums, a bass and something on top."""
    top = (melody, chords, fm, pad)[rng.integers(4)]
    mix = scaled(drums(rng, seconds), rng.uniform(0.3, 1)) + scaled(top(rng, seconds), 1.0)
    return mix + scaled(melody(rng, seconds, low=40), rng.uniform(0.2, 0.8))


def pips(rng: Rng, seconds: float) -> np.ndarray:
    """Time signals, ring tones and test tones: bare sines switched on and off."""
    out, tone, gap = (
        np.zeros(int(seconds * RATE)),
        rng.choice([0.05, 0.1, 0.2, 0.5, 2.0]),
        rng.choice([0.05, 0.1, 0.5, 0.9]),
    )
    pair = rng.uniform(300, 2500, 2)
    for i, at in enumerate(np.arange(0, seconds, tone + gap)):
        timbre = Timbre(
            ((1.0, 1.0, 0.0), (pair[i % 2] / pair[0], float(rng.random() < 0.5), 0.0)), attack=0.003, release=0.004
        )
        _place(out, at, note(pair[0], tone, timbre))
    return out


def chiptune(rng: Rng, seconds: float) -> np.ndarray:
    """Square waves and hiss, as an old game console plays."""
    square = Timbre(tuple((2.0 * k - 1, 1 / (2 * k - 1), 0.0) for k in range(1, 12)), attack=0.002, release=0.005)
    hiss = rng.standard_normal(int(seconds * RATE)) * (np.arange(int(seconds * RATE)) % 4000 < 500) * 0.15
    return (
        melody(rng, seconds, square, low=160, legato=0.9)
        + 0.7 * melody(rng, seconds, square, low=60, legato=0.9)
        + hiss
    )


def oud(rng: Rng, seconds: float) -> np.ndarray:
    """Karplus-Strong plucked strings in a quarter-tone scale, with fast repeated plucks."""
    out, scale, root, at, step = np.zeros(int(seconds * RATE)), SCALES[3], rng.uniform(90, 150), 0.0, 3
    while at < seconds:
        step = int(np.clip(step + rng.integers(-2, 3), -4, 12))
        period = int(RATE / (root * 2 ** (scale[step % 7] / 12 + step // 7)))
        string, rows = rng.uniform(-1, 1, period), []
        for _ in range(int(0.9 * RATE / period)):
            rows.append(string)
            string = 0.498 * (string + np.roll(string, 1))
        length = float(rng.choice([0.09, 0.18, 0.18, 0.36, 0.72]))
        _place(out, at, np.concatenate(rows), rng.uniform(0.5, 1))
        at += length
    return out


def strings(rng: Rng, seconds: float) -> np.ndarray:
    """A bowed section: detuned saw-like voices that slide into their notes."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros(len(t))
    for voice in (1.0, 1.26, 1.5, 2.0):
        steps = rng.choice([0, 2, 4, 5, 7, -1, -3], int(seconds / 1.2) + 2) / 12
        glide = np.convolve(2 ** np.repeat(steps, int(1.2 * RATE))[: len(t)], np.ones(1600) / 1600, "same")
        for detune in (0.996, 1.0, 1.005):
            phase = 2 * np.pi * np.cumsum(rng.uniform(210, 230) * voice * detune * glide) / RATE
            out += sum(np.sin(k * phase) / k for k in range(1, 9))
    return out * (0.7 + 0.3 * np.sin(2 * np.pi * 0.3 * t))


def gamelan(rng: Rng, seconds: float) -> np.ndarray:
    """Struck metal: inharmonic partials that ring on."""
    bell = Timbre(((1.0, 1.0, 1.5), (2.76, 0.6, 2.5), (5.4, 0.4, 4.0), (8.9, 0.25, 6.0)), attack=0.002)
    return melody(rng, seconds, bell, low=180, legato=4.0)


MUSIC: dict[str, Maker] = {
    "melody": melody, "chords": chords, "fm": fm, "drums": drums, "pad": pad, "singing": singing, "band": band,
    "pips": pips,
}  # fmt: skip
HELD_OUT_MUSIC: dict[str, Maker] = {"chiptune": chiptune, "oud": oud, "strings": strings, "gamelan": gamelan}


# --- broadcasts -----------------------------------------------------------------------------------------------------


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
