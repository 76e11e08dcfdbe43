"""Whether batches change what is heard: 200 stretches of the sample broadcast, by the demo checkpoint.

    python benchmarks/same_transcripts.py [--stretches 200] [--batch 16]

Each stretch (1 to 12 s, anywhere) is decoded by `whisper.decode` alone at temperature 0, and by our
recognizer in batches of mixed lengths. The texts must be the same.
"""

from __future__ import annotations

import argparse
import subprocess
import time

import numpy as np

from aramega.backends.asr.by_name import make_recognizer
from aramega.backends.asr.checkpoints import checkpoint_path
from aramega.config import TranscribeConfig
from aramega.records import RATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stretches", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    sounds = stretches(options.stretches)
    recognizer = make_recognizer(TranscribeConfig(model="demo", device="cpu", temperatures=(0.0,), batch=options.batch))
    recognizer.load()
    begun = time.perf_counter()
    batched = [heard.text for heard in recognizer.recognize(sounds)]
    ours = time.perf_counter() - begun
    begun = time.perf_counter()
    alone = [one_at_a_time(recognizer, sound) for sound in sounds]
    theirs = time.perf_counter() - begun
    same = sum(a == b for a, b in zip(batched, alone, strict=True))
    print(
        f"{same} of {len(sounds)} texts identical; {sum(map(len, alone)):,} characters, {len(set(alone))} different texts"
    )
    print(f"in batches {ours:.1f} s, one at a time {theirs:.1f} s: {theirs / ours:.1f} x")
    for a, b in [(a, b) for a, b in zip(batched, alone, strict=True) if a != b][:5]:
        print(f"  batched: {a}\n  alone:   {b}")


def one_at_a_time(recognizer, sound: np.ndarray) -> str:
    import torch
    import whisper

    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(torch.from_numpy(sound)))
    decoded = whisper.decode(recognizer.decoder.model, mel, whisper.DecodingOptions(language="ar", fp16=False))
    phrases = recognizer.vocabulary.phrases(decoded.tokens, len(sound) / RATE)
    return " ".join(phrase.text for phrase in phrases)


def stretches(number: int) -> list[np.ndarray]:
    broadcast = checkpoint_path("demo").with_name("broadcast.mp3")
    decode = ["ffmpeg", "-v", "error", "-i", str(broadcast), "-ar", str(RATE), "-ac", "1", "-f", "f32le", "-"]
    samples = np.frombuffer(subprocess.run(decode, check=True, capture_output=True).stdout, np.float32)
    rng = np.random.default_rng(7)
    cuts = [(float(rng.uniform(0, len(samples) / RATE - 12)), float(rng.uniform(1, 12))) for _ in range(number)]
    return [samples[round(a * RATE) : round((a + n) * RATE)].copy() for a, n in cuts]


if __name__ == "__main__":
    main()
