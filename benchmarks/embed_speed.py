"""Embedding clips against the audio encoder's own forward: how much do reading, mel features and pooling cost?

    python benchmarks/embed_speed.py

The peer is the encoder alone, on mel features that are ready in memory and packed in the same batches. Ours reads
FLAC files, makes mel features in threads, runs the encoder, pools, and writes the cache. Runs alternate, the median of
the pairs is given. The encoder has a quarter of Qwen2.5-Omni's width and an eighth of its layers (with random
weights): at full size it is some 60 times slower, and what we add to it stays the same. On a CPU the threads
that make features take their core from the encoder, so the ratio is lowest there.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.models.config import ModelConfig, TinyShape
from recipes.models.load import LoadedModel, audio_tower, load_model
from recipes.training.embedding_cache import Clip, batches_by_length, embed_missing, open_cache

BATCH_SECONDS = 60.0


def write_clips(folder: Path, *, count: int) -> list[Clip]:
    """Clips of 2 to 20 seconds as FLAC files."""
    rng = np.random.default_rng(0)
    clips = []
    for number in range(count):
        seconds = float(rng.uniform(2, 20))
        path = folder / f"{number}.flac"
        soundfile.write(path, rng.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32), 16_000)
        clips.append(Clip(str(number), seconds, lambda path=path: soundfile.read(path, dtype="float32")[0]))
    return clips


def encoder_alone(model: LoadedModel, clips: list[Clip]) -> float:
    """Seconds of the encoder's forward passes over the same batches."""
    tower = audio_tower(model.thinker)
    ready = []
    for batch in batches_by_length(clips, seconds=BATCH_SECONDS):
        mels = [model.encoder.mel(clip.read()) for clip in batch]
        ready.append((torch.from_numpy(np.concatenate(mels, axis=1)), torch.tensor([mel.shape[1] for mel in mels])))
    started = time.perf_counter()
    with torch.inference_mode():
        for features, lengths in ready:
            halved = ((lengths - 1) // 2 + 1).to(model.device)
            frames = tower(features.to(model.device), feature_lens=lengths.to(model.device), aftercnn_lens=halved)
            frames.last_hidden_state.sum().item()
    return time.perf_counter() - started


def ours(model: LoadedModel, clips: list[Clip], folder: Path, *, threads: int) -> float:
    cache = open_cache(folder, model)
    started = time.perf_counter()
    embed_missing(model, clips, cache, batch_seconds=BATCH_SECONDS, threads=threads)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shape = TinyShape(audio_width=320, audio_layers=4, head_width=64, width=64)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(ModelConfig(path="tiny", dtype="float32", tiny=shape), device=device)
    with tempfile.TemporaryDirectory() as folder:
        clips = write_clips(Path(folder), count=options.clips)
        audio = sum(clip.seconds for clip in clips)
        pairs = []
        for pair in range(options.pairs + 1):
            alone = encoder_alone(model, clips)
            whole = ours(model, clips, Path(folder) / f"cache-{pair}", threads=options.threads)
            pairs.append((alone, whole))
    pairs = pairs[1:]  # the first warms up
    print(f"| {len(clips)} clips, {audio:.0f} s of audio, on {device} | s of audio per s |\n|---|---|")
    print(f"| encoder's forward alone | {audio / statistics.median(alone for alone, _ in pairs):.0f} |")
    print(f"| read, mel, encode, pool, cache | {audio / statistics.median(whole for _, whole in pairs):.0f} |")
    print(f"| ratio (bar: 0.9) | {statistics.median(alone / whole for alone, whole in pairs):.2f} |")


if __name__ == "__main__":
    main()
