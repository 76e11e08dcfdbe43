"""Are repeats found, and only repeats?

    python benchmarks/fingerprints.py WORDS [--hours 50] [--real FOLDER] [--stretches 200]

An archive of so many hours is made: the recorded words of WORDS (a folder with an index.csv, such as Arabic Speech
Commands) in an order that never comes twice, each at another speed, and the clips of FOLDER (ARAMEGA_REAL_SOUND). Stretches of 20 to 60 s of it are then played again, louder, softer, through codecs, faster
and slower, in noise, in babble, and each is looked for: is the right place found (recall), and is any place named that
is not it? Every recording of the archive is also looked for in all others: pairs there are false, but for clips of FOLDER whose
samples agree as well (a correlation above 0.5), which hold the same sound.
The peer is Chromaprint, through ffmpeg, with the usual match: the offset where most 32-bit values differ in 7 bits or
fewer, from 15 % of them on.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aramega.audio import landmarks as marks
from aramega.audio.landmarks import Landmarks, find_landmarks, join_landmarks
from aramega.audio.mel import HOP, LEAD, MEL_BANDS, decibels, mel_weights, power_spectra
from aramega.audio.repeats import Match, differing_bits, find_matches
from tests.support.synth.voices import resampled, trim

RATE = 16_000
MINUTES = 30
Sound = np.ndarray


@dataclass
class Heard:
    """A recording of the archive."""

    name: str
    seconds: float
    landmarks: Landmarks
    keep: Sound | None
    """Its samples, of those from which stretches are taken."""


def recorded_words(folder: Path) -> list[Sound]:
    """The clips of a folder with an index.csv, without the silence around the word."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        paths = [folder / row["path"] for row in csv.DictReader(lines)]
    return [word for path in paths if len(word := trim(decode(path))) > RATE // 5]


def made_recording(words: Sequence[Sound], seed: int) -> Sound:
    """Real words in an order of its own, at speeds and levels of their own, with short pauses."""
    rng = np.random.default_rng(seed)
    parts: list[Sound] = []
    length = 0
    while length < MINUTES * 60 * RATE:
        word = words[int(rng.integers(len(words)))]
        places = np.arange(0, len(word) - 1, rng.uniform(0.85, 1.18))
        said = np.interp(places, np.arange(len(word)), word) * rng.uniform(0.3, 1.0)
        parts += [said.astype(np.float32), np.zeros(int(rng.exponential(0.15) * RATE), np.float32)]
        length += sum(map(len, parts[-2:]))
    sound = np.concatenate(parts)
    return sound + rng.standard_normal(len(sound)).astype(np.float32) * 1e-3


def decode(path: Path) -> Sound:
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(resampled(audio.mean(axis=1), rate), np.float32)


def through(sound: Sound, *options: str, form: str = "wav") -> Sound:
    raw = ["-f", "f32le", "-ar", str(RATE), "-ac", "1"]
    there = ["ffmpeg", "-v", "error", *raw, "-i", "-", *options, "-f", form, "-"]
    back = ["ffmpeg", "-v", "error", "-i", "-", *raw, "-"]
    coded = subprocess.run(there, input=sound.astype("<f4").tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(subprocess.run(back, input=coded, capture_output=True, check=True).stdout, np.float32)


def with_noise(sound: Sound, noise: Sound, snr_db: float) -> Sound:
    noise = np.resize(noise, len(sound))
    ratio = np.sqrt((sound**2).mean() / (noise**2).mean() / 10 ** (snr_db / 10))
    return (sound + ratio * noise).astype(np.float32)


def changes(noises: dict[str, Sound]) -> dict[str, Callable[[Sound], Sound]]:
    return {
        "as it was": lambda x: x,
        "14 dB softer": lambda x: x * 0.2,
        "mp3, 32 kbit/s": lambda x: through(x, "-b:a", "32k", form="mp3"),
        "opus, 12 kbit/s": lambda x: through(x, "-c:a", "libopus", "-b:a", "12k", form="ogg"),
        "3 % faster": lambda x: through(x, "-af", "asetrate=16480,aresample=16000"),
        "3 % slower": lambda x: through(x, "-af", "asetrate=15520,aresample=16000"),
        "3 % faster, same pitch": lambda x: through(x, "-af", "atempo=1.03"),
        "white noise, 10 dB": lambda x: with_noise(x, noises["white"], 10),
        "brown noise, 5 dB": lambda x: with_noise(x, noises["brown"], 5),
        "babble, 10 dB": lambda x: with_noise(x, noises["babble"], 10),
        "telephone": lambda x: through(x, "-af", "highpass=300,lowpass=3400"),
    }


def listen(sound: Sound) -> Landmarks:
    """As ingest does, without what else it hears."""
    samples = np.concatenate((np.zeros(LEAD, np.float32), sound, np.zeros(LEAD + HOP, np.float32)))
    frames = len(sound) // HOP
    mels = np.full((frames + 2 * marks.CONTEXT, MEL_BANDS), -140, np.float32)
    mels[marks.CONTEXT : -marks.CONTEXT] = decibels(power_spectra(samples) @ mel_weights())[:frames]
    minutes = range(0, frames, 3000)
    return join_landmarks([find_landmarks(mels[at : at + 3000 + 2 * marks.CONTEXT]).later(at) for at in minutes])


def archive_of(words: Path, hours: float, real: Path | None, kept: int) -> Iterator[Heard]:
    if real:
        for path in sorted(real.rglob("*.flac")) + sorted(real.rglob("*.wav")):
            sound = decode(path)
            yield Heard(str(path.relative_to(real)), len(sound) / RATE, listen(sound), sound)
    material = recorded_words(words)
    for number in range(round(hours * 60 / MINUTES)):
        sound = made_recording(material, number)
        yield Heard(f"made-{number}", len(sound) / RATE, listen(sound), sound if number < kept else None)


def chromaprint(sound: Sound) -> np.ndarray:
    raw = ["-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-f", "chromaprint", "-fp_format", "raw", "-"]
    command = ["ffmpeg", "-v", "error", *raw]
    out = subprocess.run(command, input=sound.astype("<f4").tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(out, "<u4")


def chromaprint_share(stretch: np.ndarray, whole: np.ndarray) -> float:
    """Of the best offset, the share of values that differ in 7 bits or fewer."""
    if len(whole) < len(stretch) or not len(stretch):
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(whole, len(stretch))
    best = 0.0
    for first in range(0, len(windows), 1000):
        block = np.ascontiguousarray(windows[first : first + 1000] ^ stretch)
        bits = differing_bits(block.reshape(-1).astype(np.uint64), np.zeros(block.size, np.uint64))
        best = max(best, float((bits.reshape(block.shape) <= 7).mean(axis=1).max()))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", type=Path)
    parser.add_argument("--hours", type=float, default=50)
    parser.add_argument("--real", type=Path, default=os.environ.get("ARAMEGA_REAL_SOUND"))
    parser.add_argument("--stretches", type=int, default=200)
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    archive = list(archive_of(options.words, options.hours, Path(options.real) if options.real else None, kept=6))
    hours = sum(heard.seconds for heard in archive) / 3600
    print(f"archive: {len(archive)} recordings, {hours:.1f} h, {sum(len(h.landmarks) for h in archive):,} landmarks")
    cost(archive, hours)
    false_pairs(archive, hours)
    recall(archive, options.stretches)


def cost(archive: list[Heard], hours: float) -> None:
    bytes_an_hour = 12 * sum(len(heard.landmarks) for heard in archive) / hours
    print(f"{bytes_an_hour / 1e3:.0f} kB an hour, {bytes_an_hour * 8760 / 1e6:.0f} MB for a year of all hours")
    sound = next(heard.keep for heard in reversed(archive) if heard.keep is not None)
    samples = np.concatenate((np.zeros(LEAD, np.float32), sound, np.zeros(LEAD + HOP, np.float32)))
    mels = decibels(power_spectra(samples) @ mel_weights())
    started = time.process_time()
    for first in range(0, len(mels) - 3000 - 2 * marks.CONTEXT, 3000):
        find_landmarks(mels[first : first + 3000 + 2 * marks.CONTEXT])
    taken = time.process_time() - started
    print(f"landmarks, the spectra being there: {taken * 3600 / (len(sound) / RATE):.2f} s of a core an hour")


def false_pairs(archive: list[Heard], hours: float) -> None:
    everything = [(heard.name, heard.landmarks) for heard in archive]
    started, pairs = time.process_time(), []
    for number, heard in enumerate(archive):
        for match in find_matches(heard.landmarks, everything[:number]):
            pairs.append((heard.name, match))
    taken = time.process_time() - started
    sounds = {heard.name: heard.keep for heard in archive}
    false = [(name, match) for name, match in pairs if not is_same_sound(sounds[name], sounds[match.of], match)]
    print(f"each looked for in all before it: {taken / hours:.2f} s of a core an hour")
    print(f"pairs: {len(pairs) - len(false)} whose samples agree; false: {len(false)}")
    for name, match in false[:20]:
        print(f"  {name} {match}")


def is_same_sound(new: Sound | None, old: Sound | None, match: Match) -> bool:
    """Whether the samples of a second in the middle of the match are alike."""
    if new is None or old is None:
        return False
    middle = (match.start + match.end) / 2
    at_old = match.of_start + (middle - match.start) * (match.of_end - match.of_start) / match.seconds
    piece = new[int(middle * RATE) :][:RATE]
    around = old[max(0, int((at_old - 0.2) * RATE)) :][: int(1.4 * RATE)]
    if len(around) <= len(piece):
        return False
    products = scipy.signal.fftconvolve(around, piece[::-1], "valid")
    energies = np.sqrt(scipy.signal.fftconvolve(around**2, np.ones(len(piece)), "valid") * (piece**2).sum())
    return bool((np.abs(products) / (energies + 1e-9)).max() > 0.5)


def recall(archive: list[Heard], stretches: int) -> None:
    rng, chance = np.random.default_rng(5), random.Random(5)
    sources = [heard for heard in archive if heard.keep is not None and heard.seconds >= 21]
    made = [heard for heard in sources if heard.name.startswith("made")]
    real = [heard for heard in sources if not heard.name.startswith("made")]
    babble = sum(np.resize(heard.keep, 60 * RATE) for heard in made[-3:])
    noises = {
        "white": rng.standard_normal(60 * RATE),
        "brown": np.convolve(rng.standard_normal(60 * RATE), np.exp(-np.arange(200) / 20), "same"),
        "babble": babble,
    }
    picked = []
    for number in range(stretches):
        heard = chance.choice(real if real and number % 2 else made)
        seconds = min(chance.uniform(20, 60), heard.seconds)
        first = int(chance.uniform(0, heard.seconds - seconds) * RATE)
        picked.append((heard, first, heard.keep[first : first + int(seconds * RATE)]))
    everything = [(heard.name, heard.landmarks) for heard in archive]
    by_name = {heard.name: heard for heard in archive}
    peers = {heard.name: chromaprint(heard.keep) for heard in {h.name: h for h, _, _ in picked}.values()}
    print(
        f"\n| {stretches} stretches | found | wrong place | of it covered | Chromaprint finds |\n|---|---|---|---|---|"
    )
    for name, change in changes(noises).items():
        found = wrong = peer = 0
        covered = 0.0
        for heard, first, stretch in picked:
            sound = change(stretch)
            matches = find_matches(listen(sound), everything)
            right = [m for m in matches if m.of == heard.name and abs(m.of_start - first / RATE - m.start) < 3]
            found += bool(right)
            others = [m for m in matches if m not in right]
            sounds = [(m, by_name[m.of].keep) for m in others]
            wrong += sum(not is_same_sound(sound, theirs, m) for m, theirs in sounds)
            covered += sum(m.seconds for m in right) / (len(sound) / RATE) / len(picked)
            peer += chromaprint_share(chromaprint(sound), peers[heard.name]) >= 0.15
        print(
            f"| {name} | {found / len(picked):.3f} | {wrong} | {covered:.2f} | {peer / len(picked):.3f} |", flush=True
        )


if __name__ == "__main__":
    main()
