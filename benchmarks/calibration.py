"""Whether confidence learned from reviews holds on speakers it has not heard: real words, a real Whisper.

    python benchmarks/calibration.py --data FOLDER --model FOLDER [--each 20] [--seeds 3]

`--data` holds `arabic-speech-commands` and `baved`, each with an `index.csv` of clips, their words and speakers;
`--model` (or ARAMEGA_REAL_WHISPER) is a real Whisper as a CTranslate2 folder. Each clip is a draft, recognized greedily;
it counts as accepted unchanged where it is the word that was said, under the `asr` profile. Half the speakers teach,
the other half is predicted; another half with each seed.

Beside what is learned from all facts stand the cheap rivals: the share accepted, said of every draft (it is well
calibrated and tells nothing apart: see AUC); the score, taken for a probability; and a regression on the score alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))

from aramega.config import CheckConfig
from aramega.settle.calibration import ReviewedDraft, calibrate
from aramega.settle.reliability import measure_reliability
from aramega.settle.verdicts import Facts, judge
from aramega.text import arabic_share, compression_ratio, edit_counts, normalize

CORPORA = ("arabic-speech-commands", "baved")
FACTS = ("avg_logprob", "compression_ratio", "characters_per_second", "arabic_share", "words", "snr_db")


@dataclass(frozen=True)
class Clip:
    path: Path
    word: str
    speaker: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=os.environ.get("ARAMEGA_REAL_WHISPER"))
    parser.add_argument("--each", type=int, default=20, help="clips of a speaker")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    clips = list(choose_clips(arguments.data, arguments.each))
    reviews = [*recognized(clips, arguments.model)]
    right = fmean(review.is_unchanged for review in reviews)
    print(f"{len(reviews)} clips of {len({clip.speaker for clip in clips})} speakers, {right:.1%} of them right")
    tables = [compare(reviews, seed) for seed in range(arguments.seeds)]
    print(f"{'mean of ' + str(len(tables)) + ' splits':34} {'ECE':>16} {'by chance':>10} {'Brier':>16} {'AUC':>6}")
    for name in tables[0]:
        rows = [table[name] for table in tables]
        print(f"{name:34} {_spread([r[0] for r in rows])} {fmean(r[1] for r in rows):10.3f} "
              f"{_spread([r[2] for r in rows])} {fmean(r[3] for r in rows):6.3f}")  # fmt: skip


def choose_clips(data: Path, each: int) -> Iterator[Clip]:
    """The same clips every time, as many of each speaker."""
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for corpus in CORPORA:
        with (data / corpus / "index.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                clip = Clip(
                    data / corpus / row["path"], row["text"], f"{corpus} {row['speaker']}", float(row["seconds"])
                )
                by_speaker[clip.speaker].append(clip)
    for speaker, clips in sorted(by_speaker.items()):
        yield from random.Random(speaker).sample(clips, min(each, len(clips)))


def recognized(clips: Sequence[Clip], folder: Path) -> Iterator[ReviewedDraft]:
    """Each clip as a reviewed draft: the recognizer's word, what was measured of it, and whether it is right."""
    from faster_whisper import WhisperModel
    from faster_whisper.audio import decode_audio

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    for clip in clips:
        sound = decode_audio(str(clip.path))
        heard = list(model.transcribe(sound, language="ar", beam_size=1, temperature=0.0, without_timestamps=True)[0])
        yield _review(clip, " ".join(part.text.strip() for part in heard), heard, _snr(sound))


def _review(clip: Clip, text: str, heard: Sequence[Any], snr: float) -> ReviewedDraft:
    facts: dict[str, float | None] = {
        "avg_logprob": fmean(part.avg_logprob for part in heard) if heard else None,
        "compression_ratio": compression_ratio(text) if text else None,
        "characters_per_second": len(text) / clip.seconds,
        "arabic_share": arabic_share(text),
        "words": float(len(text.split())),
        "snr_db": snr,
        "doubted": 0.0,
    }
    changes = edit_counts(normalize(clip.word, "asr"), normalize(text, "asr"))
    score = judge(Facts(str(clip.path), facts), CheckConfig()).score
    return ReviewedDraft(str(clip.path), clip.speaker, facts, score, changes[0] == 0, {"transcript": changes})


def _snr(sound: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Loud frames over quiet ones, in dB: what stands in for a passage's signal-to-noise ratio."""
    levels = [float(np.sqrt(np.mean(sound[i : i + 320] ** 2))) + 1e-6 for i in range(0, len(sound) - 320, 320)]
    return float(20 * np.log10(np.percentile(levels, 90) / np.percentile(levels, 10)))


def compare(reviews: Sequence[ReviewedDraft], seed: int) -> dict[str, tuple[float, float, float, float]]:
    """By way of predicting: calibration error, that of chance, Brier score and AUC on the speakers that did not teach."""
    speakers = sorted({review.group for review in reviews})
    random.Random(seed).shuffle(speakers)
    taught = set(speakers[::2])
    teachers = [review for review in reviews if review.group in taught]
    others = [review for review in reviews if review.group not in taught]
    came_true = np.array([review.is_unchanged for review in others])
    share = fmean(review.is_unchanged for review in teachers)
    learned, by_score = calibrate(teachers, FACTS), calibrate(teachers, ())
    ways: dict[str, Callable[[ReviewedDraft], float]] = {
        "the share accepted, for all": lambda review: share,
        "the score, as a probability": lambda review: review.score,
        "learned from the score alone": lambda review: by_score.probability({}, review.score),
        "learned from all facts": lambda review: learned.probability(review.facts, review.score),
    }
    return {name: _judged(np.array([way(review) for review in others]), came_true) for name, way in ways.items()}


def _judged(predicted: Any, came_true: Any) -> tuple[float, float, float, float]:
    held = measure_reliability(predicted, came_true)
    return held.ece, held.ece_by_chance, held.brier, float(roc_auc_score(came_true, predicted))


def _spread(values: Sequence[float]) -> str:
    return f"{fmean(values):.3f} ({min(values):.3f}–{max(values):.3f})".rjust(16)


if __name__ == "__main__":
    main()
