"""Evaluate a compacted checkpoint with `whisper.decode`, greedily, in the three ways it will be used.

One utterance in a window, without timestamps and with them, and several packed into one window with timestamps. On
held-out sentences by held-out espeak-ng voices, on held-out real speakers, and on the sample broadcast, whose true
words lie in `sample.json`. For packed windows we also look at what splitting them needs: is the number of timed
segments right, and how far off do they start? `python -m recipes.demo_asr.evaluate demo-asr.pt`
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from aramega.text import cer, wer
from recipes.demo_asr.compact import whole_whisper
from recipes.demo_asr.features import RATE, log_mel, music, noise
from recipes.demo_asr.rows import WINDOW_SECONDS
from recipes.demo_asr.sentences import draw_held_out_sentence
from recipes.demo_asr.voices import HELD_OUT_VARIANTS, Clip, draw_voice, recorded_speakers, speak, string_together

if TYPE_CHECKING:
    from whisper.decoding import DecodingResult
    from whisper.model import Whisper

PAUSE = 0.5
MARGIN = 0.15
TIMESTAMP_BEGIN = 50364


@dataclass(frozen=True)
class Recognized:
    """The true texts beside the recognized ones; for packed windows, how the segments fell."""

    references: Sequence[str]
    answers: Sequence[str]
    windows_split_right: float | None = None
    start_off: float | None = None  # median, seconds

    def __str__(self) -> str:
        line = f"CER {cer(self.references, self.answers):6.1%}  WER {wer(self.references, self.answers):6.1%}"
        if self.windows_split_right is not None:
            line += f"  windows split right {self.windows_split_right:.0%}, starts off by {self.start_off:.2f} s"
        return line


def decode(model: Whisper, audio: Sequence[np.ndarray], *, without_timestamps: bool) -> list[DecodingResult]:
    """Each of `audio` as a window of its own, padded with zeros, at temperature 0."""
    import whisper

    options = whisper.DecodingOptions(language="ar", temperature=0.0, without_timestamps=without_timestamps, fp16=False)
    results: list[DecodingResult] = []
    for first in range(0, len(audio), 8):
        batch = [whisper.pad_or_trim(clip) for clip in audio[first : first + 8]]
        results += whisper.decode(model, log_mel(torch.from_numpy(np.stack(batch))), options)
    return results


def hear_single(model: Whisper, clips: Sequence[Clip], *, without_timestamps: bool) -> Recognized:
    results = decode(model, [clip.audio for clip in clips], without_timestamps=without_timestamps)
    return Recognized([clip.text for clip in clips], [result.text for result in results])


def hear_packed(model: Whisper, clips: Sequence[Clip]) -> Recognized:
    """Recognize clips packed into windows, with timestamps, and compare the segments' number and starts."""
    packs = pack(clips)
    results = decode(model, [joined(pack)[0] for pack in packs], without_timestamps=False)
    references = [" ".join(clip.text for clip in pack) for pack in packs]
    right, off = 0, []
    for clips_of_pack, result in zip(packs, results, strict=True):
        starts = joined(clips_of_pack)[1]
        heard = segment_starts(result.tokens)
        if len(heard) == len(starts):
            right += 1
            off += [abs(a - b) for a, b in zip(heard, starts, strict=True)]
    median = float(np.median(off)) if off else float("nan")
    return Recognized(references, [result.text for result in results], right / len(packs), median)


def pack(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Group clips, in order, into windows: as many as fit with pauses between them."""
    packs: list[list[Clip]] = [[]]
    seconds = 0.0
    for clip in clips:
        length = len(clip.audio) / RATE + PAUSE
        if packs[-1] and seconds + length > WINDOW_SECONDS:
            packs.append([])
            seconds = 0.0
        packs[-1].append(clip)
        seconds += length
    return packs


def joined(clips: Sequence[Clip]) -> tuple[np.ndarray, list[float]]:
    """One audio with pauses, and where each clip starts in it."""
    parts, starts, at = [], [], 0
    for clip in clips:
        starts.append(at / RATE)
        parts += [clip.audio, np.zeros(int(PAUSE * RATE), np.float32)]
        at += len(clip.audio) + int(PAUSE * RATE)
    return np.concatenate(parts), starts


def segment_starts(tokens: Sequence[int]) -> list[float]:
    """The opening timestamps of segments that hold text."""
    starts: list[float] = []
    for token, following in itertools.pairwise(tokens):
        if token >= TIMESTAMP_BEGIN > following:
            starts.append((token - TIMESTAMP_BEGIN) * 0.02)
    return starts


def held_out_espeak(count: int, seed: int = 1) -> list[Clip]:
    rng = random.Random(seed)
    return [speak(draw_held_out_sentence(rng), draw_voice(rng, HELD_OUT_VARIANTS)) for _ in range(count)]


def held_out_words(folder: Path) -> list[Clip]:
    """Every recorded word of the validation speakers, alone."""
    return [clip for speaker in recorded_speakers(folder, "validation") for clip in speaker.clips]


def held_out_strings(folder: Path, count: int, seed: int = 1) -> list[Clip]:
    """Three to seven words of one validation speaker, as the sample broadcast strings them."""
    rng = random.Random(seed)
    speakers = recorded_speakers(folder, "validation")
    return [string_together(rng.sample(rng.choice(speakers).clips, rng.randint(3, 7)), rng) for _ in range(count)]


def sample_clips(path: Path) -> list[Clip]:
    """The sample broadcast, cut at its true utterances with a little around them."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"]
    audio = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    spoken = json.loads(Path(__file__).with_name("sample.json").read_text(encoding="utf-8"))
    return [
        Clip(audio[max(0, int((word["start"] - MARGIN) * RATE)) : int((word["end"] + MARGIN) * RATE)], word["text"])
        for word in spoken
    ]


def no_speech(model: Whisper, clips: Sequence[Clip]) -> tuple[float, float]:
    """The share of speechless windows with a no-speech probability over 0.6, and of windows with speech."""
    rng = random.Random(1)
    silent = [noise(RATE * rng.randint(2, 30), rng, "pink") * 0.02 for _ in range(8)]
    silent += [music(RATE * rng.randint(2, 30), rng) for _ in range(8)]
    speechless = decode(model, silent, without_timestamps=False)
    spoken = decode(model, [clip.audio for clip in clips[:32]], without_timestamps=False)

    def share(results: Sequence[DecodingResult]) -> float:
        return sum(bool(result.no_speech_prob > 0.6) for result in results) / len(results)

    return share(speechless), share(spoken)


def main() -> None:
    parser = argparse.ArgumentParser(description="CER of a compacted checkpoint on what it never heard.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--speech-commands", type=Path, help="the Arabic Speech Commands folder, if you have it")
    parser.add_argument("--broadcast", type=Path, default=Path("aramega/sample/broadcast.mp3"))
    parser.add_argument("--count", type=int, default=96, help="espeak sentences, and strings of real words")
    parser.add_argument("--show", type=int, default=0, help="print so many of the sample's lines as heard")
    options = parser.parse_args()

    model = whole_whisper(torch.load(options.checkpoint, weights_only=True))
    sets = {"espeak, held-out sentences and voices": held_out_espeak(options.count)}
    if options.speech_commands:
        sets["real words of held-out speakers, alone"] = held_out_words(options.speech_commands)
        sets["real words of held-out speakers, strung"] = held_out_strings(options.speech_commands, options.count)
    sets["the sample broadcast"] = sample_clips(options.broadcast)
    for name, clips in sets.items():
        print(f"{name} ({len(clips)})")
        alone = hear_single(model, clips, without_timestamps=True)
        print(f"  one, no timestamps   {alone}")
        print(f"  one, timestamps      {hear_single(model, clips, without_timestamps=False)}")
        print(f"  packed, timestamps   {hear_packed(model, clips)}", flush=True)
    for reference, answer in list(zip(alone.references, alone.answers, strict=True))[: options.show]:
        print(f"    {reference}\n  > {answer}")
    speechless, spoken = no_speech(model, sets["espeak, held-out sentences and voices"])
    print(f"no speech: said of {speechless:.0%} of windows without speech, {spoken:.0%} of windows with it")


if __name__ == "__main__":
    main()
