"""How far words in time are from where they were said, on made speech whose word borders are known.

    python benchmarks/word_times.py --clips FOLDER --model FOLDER     # or ARAMEGA_REAL_WHISPER

`--clips` holds `index.csv` (path, text, speaker) of single words, cut by their level and joined with pauses and without;
with espeak-ng installed its sentences come too, with the borders that espeak itself tells. `--model` is a Whisper as a
CTranslate2 folder. The text is given, so that only times are measured. The peer is faster-whisper's own
`add_word_timestamps`, from the same attention. The joined words' borders are levels, and so is our correction: their
figures favour us; espeak's do not. WhisperX's way wants an Arabic CTC model, which no package carries: not here.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import ctypes.util
import os
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
import soxr

from aramega.backends.asr import faster_whisper
from aramega.backends.asr.faster_whisper import FasterWhisper
from aramega.backends.asr.recognizer import Sound
from aramega.config import TranscribeConfig

RATE = 16000
SENTENCES = """أعلن الوزير اليوم خطة جديدة لدعم التعليم وقال إن المدارس تحتاج إلى معلمين
شهدت العاصمة أمس أمطارا غزيرة أدت إلى إغلاق عدد من الشوارع الرئيسية
قال رئيس البلدية إن الفرق تعمل ليلا ونهارا لفتح الطرق أمام السيارات
فاز الفريق الوطني على ضيفه بهدفين مقابل هدف واحد في مباراة مثيرة
وأضاف المدرب أن اللاعبين قدموا أداء كبيرا رغم غياب القائد
تراجعت أسعار النفط في الأسواق العالمية بسبب زيادة الإنتاج""".splitlines()


class Timed(NamedTuple):
    text: str
    start: float
    end: float


class Made(NamedTuple):
    sound: Sound
    words: list[Timed]


def join_words(clips: Path, count: int, pauses: tuple[float, float], seed: int) -> list[Made]:
    """Twelve words of one speaker a piece, with pauses of so many seconds between them."""
    rng = random.Random(seed)
    with (clips / "index.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    speakers = sorted({row["speaker"] for row in rows})
    made = []
    for _ in range(count):
        speaker = rng.choice(speakers)
        mine = [row for row in rows if row["speaker"] == speaker]
        parts, words, at = [np.zeros(RATE * 3 // 10, np.float32)], [], RATE * 3 // 10
        for row in rng.choices(mine, k=12):
            word = cut_to_speech(soundfile.read(clips / row["path"], dtype="float32")[0])
            pause = np.zeros(int(rng.uniform(*pauses) * RATE), np.float32)
            words.append(Timed(row["text"], at / RATE, (at + len(word)) / RATE))
            parts += [word, pause]
            at += len(word) + len(pause)
        made.append(Made(with_noise(np.concatenate(parts)), words))
    return made


def cut_to_speech(clip: Sound) -> Sound:
    """The clip from its first to its last frame within 35 dB of its loudest."""
    levels = np.array([np.sqrt(np.mean(clip[i : i + 80] ** 2)) for i in range(0, len(clip) - 79, 80)])
    loud = np.flatnonzero(20 * np.log10(levels + 1e-9) > 20 * np.log10(levels.max()) - 35)
    word = clip[loud[0] * 80 : (loud[-1] + 1) * 80]
    return word * (0.3 / np.abs(word).max())


def with_noise(sound: Sound) -> Sound:
    return (sound + np.random.default_rng(0).normal(0, 1e-3, len(sound))).astype(np.float32)


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("id", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


def speak(sentences: Sequence[str]) -> list[Made]:
    """Sentences as espeak-ng says them, with the borders it tells; none where it is not installed."""
    name = ctypes.util.find_library("espeak-ng")
    if name is None:
        return []
    library = ctypes.CDLL(name)
    rate = library.espeak_Initialize(1, 0, None, 0)
    library.espeak_SetVoiceByName(b"ar")
    return [_speak(library, rate, sentence) for sentence in sentences]


def _speak(library: Any, rate: int, sentence: str) -> Made:
    blocks: list[Any] = []
    starts: dict[int, int] = {}
    place = [number for number, word in enumerate(sentence.split()) for _ in range(len(word) + 1)]

    def receive(samples: Any, count: int, events: Any) -> int:
        if count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != 0:
            if events[i].type == 1:  # a word begins
                starts.setdefault(place[max(0, events[i].position - 1)], events[i].sample)
            i += 1
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    kept = callback(receive)
    library.espeak_SetSynthCallback(kept)
    text = sentence.encode()
    library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    spoken = np.concatenate(blocks).astype(np.float32) / 32768
    borders = [starts[n] / rate for n in sorted(starts)] + [len(spoken) / rate]
    sound = soxr.resample(spoken, rate, RATE)
    words = [Timed(w, *t) for w, t in zip(sentence.split(), pairwise(borders), strict=True)]
    return Made(with_noise(sound), words[:-1])  # where the last word ends, espeak does not say


def errors(made: Sequence[Made], align: Callable[[Sound, str], Sequence[Any]]) -> Any:
    """The distance of every border from the true one, in seconds."""
    found = []
    for sound, words in made:
        aligned = align(sound, " ".join(word.text for word in words))
        if len(aligned) < len(words):
            continue
        for word, true in zip(aligned, words, strict=False):
            found += [abs(word.start - true.start), abs(word.end - true.end)]
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--model", default=os.environ.get("ARAMEGA_REAL_WHISPER", ""))
    parser.add_argument("--pieces", type=int, default=6)
    given = parser.parse_args()
    if not given.model:
        parser.error("no real Whisper: give --model FOLDER (or ARAMEGA_REAL_WHISPER), a CTranslate2 model.")
    ours = FasterWhisper(TranscribeConfig(model=f"faster-whisper:{given.model}", word_timestamps=True, threads=1))
    ours.load()
    sets = {
        "words with pauses": join_words(given.clips, given.pieces, (0.1, 0.5), seed=1),
        "words without pauses": join_words(given.clips, given.pieces, (0.0, 0.02), seed=2),
        "espeak's sentences": speak(SENTENCES[: given.pieces]),
    }
    snap = faster_whisper.snap_to_sound
    print("| speech | borders | faster-whisper: median | 95 % | ours: median | 95 % |\n|---|---|---|---|---|---|")
    for name, made in sets.items():
        if not made:
            continue
        faster_whisper.snap_to_sound = lambda words, _: tuple(words)  # the peer: the same code without our correction
        theirs = errors(made, ours.align)
        faster_whisper.snap_to_sound = snap
        mine = errors(made, ours.align)
        cells = [f"{1000 * value:.0f} ms" for e in (theirs, mine) for value in (np.median(e), np.quantile(e, 0.95))]
        print(f"| {name} | {len(mine)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
