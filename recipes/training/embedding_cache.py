"""The cache of embeddings: each clip's vector at the aligner, computed once, kept on disk, read as one array.

A cache folder belongs to one model (a hash of its audio tower) and holds shards of (clip key, vector), each
written under a temporary name and renamed: so a killed run loses one shard at most, several processes may write
beside each other, and vectors of another model are refused. Full width is stored; PCA happens on reading.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipes.errors import RecipeError
from recipes.models.aligner import aligner_key, embed_mels
from recipes.models.load import LoadedModel
from recipes.training.prefetch import prepare_ahead


@dataclass(frozen=True)
class Clip:
    """A recording to embed, and how to read it."""

    key: str
    seconds: float
    read: Callable[[], np.ndarray]


class EmbeddingCache:
    """The vectors of one model, on disk."""

    def __init__(self, folder: Path, *, key: str, model: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        manifest = folder / "model.json"
        if manifest.is_file():
            theirs = json.loads(manifest.read_text(encoding="utf-8"))
            if theirs["key"] != key:
                raise RecipeError(
                    f"{folder}: these embeddings were made by {theirs['model']} (audio tower {theirs['key']}), "
                    f"and the model here is {model} (audio tower {key}). Give another folder, or delete this one."
                )
        else:
            write_atomically(manifest, json.dumps({"model": model, "key": key}).encode())

    def keys(self) -> set[str]:
        """The keys of the cached clips."""
        keys: set[str] = set()
        for path in self._shards():
            with np.load(path) as shard:
                keys.update(shard["keys"].tolist())
        return keys

    def add(self, keys: Sequence[str], vectors: np.ndarray) -> None:
        """Write one shard."""
        temporary = self.folder / f".shard-{os.getpid()}-{time.time_ns()}.npz"
        with temporary.open("wb") as file:
            np.savez(file, keys=np.array(keys), vectors=vectors.astype(np.float32))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self.folder / temporary.name[1:])

    def vectors(self, keys: Sequence[str]) -> np.ndarray:
        """One row per key; a key of "" (an example without audio) gets zeros."""
        where: dict[str, list[int]] = {}
        for row, key in enumerate(keys):
            where.setdefault(key, []).append(row)
        where.pop("", None)
        table: np.ndarray | None = None
        for path in self._shards():
            with np.load(path) as shard:
                names, vectors = shard["keys"].tolist(), shard["vectors"]
            if table is None:
                table = np.zeros((len(keys), vectors.shape[1]), np.float32)
            for name, vector in zip(names, vectors, strict=True):
                table[where.pop(name, [])] = vector
        if where:
            raise RecipeError(
                f"{self.folder}: {len(where)} clips have no embedding, the first {next(iter(where))}. "
                "Run `python -m recipes.embed` with this config: it computes only what is missing."
            )
        return np.zeros((len(keys), 1), np.float32) if table is None else table

    def _shards(self) -> list[Path]:
        return sorted(self.folder.glob("shard-*.npz"))


def open_cache(folder: Path, loaded: LoadedModel) -> EmbeddingCache:
    """The cache of this model's embeddings; another model's is refused."""
    return EmbeddingCache(folder, key=aligner_key(loaded), model=loaded.name)


def embed_missing(
    loaded: LoadedModel,
    clips: Sequence[Clip],
    cache: EmbeddingCache,
    *,
    batch_seconds: float = 240.0,
    threads: int = 2,
    shard_clips: int = 2000,
) -> int:
    """Embed the clips that `cache` lacks, in batches of `batch_seconds`; return their number."""
    cached = cache.keys()
    todo = {clip.key: clip for clip in clips if clip.key and clip.key not in cached}
    keys: list[str] = []
    vectors: list[np.ndarray] = []
    for names, batch in embed_clips(loaded, list(todo.values()), batch_seconds=batch_seconds, threads=threads):
        keys += names
        vectors.append(batch)
        if len(keys) >= shard_clips:
            cache.add(keys, np.concatenate(vectors))
            keys, vectors = [], []
    if keys:
        cache.add(keys, np.concatenate(vectors))
    return len(todo)


def embed_clips(
    loaded: LoadedModel, clips: Sequence[Clip], *, batch_seconds: float, threads: int
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Keys and vectors, batch by batch: reading and mel features run in threads ahead of the tower."""

    def mels(batch: list[Clip]) -> list[np.ndarray]:
        return [loaded.encoder.mel(clip.read()) for clip in batch]

    with ThreadPoolExecutor(threads) as pool:
        batches = batches_by_length(clips, seconds=batch_seconds)
        for batch, features in prepare_ahead(batches, mels, pool=pool, depth=threads + 1):
            yield [clip.key for clip in batch], embed_mels(loaded, features)


def batches_by_length(clips: Sequence[Clip], *, seconds: float) -> list[list[Clip]]:
    """Batches of at most `seconds` of audio, the longest clips first: if memory is short it shows at once."""
    batches: list[list[Clip]] = []
    filled = 0.0
    for clip in sorted(clips, key=lambda clip: (-clip.seconds, clip.key)):
        if not batches or filled + clip.seconds > seconds:
            batches.append([])
            filled = 0.0
        batches[-1].append(clip)
        filled += clip.seconds
    return batches


def reduce_width(vectors: np.ndarray, *, width: int) -> np.ndarray:
    """PCA to `width` dimensions (0: leave as is). Rows of zeros, examples without audio, stay zeros."""
    if not 0 < width < vectors.shape[1]:
        return vectors
    heard = vectors.any(axis=1)
    if not heard.any():
        return vectors[:, :width]
    centred = vectors[heard] - vectors[heard].mean(axis=0)
    # Through the covariance: a million clips of width 3,584 are 14 GB, their covariance 51 MB.
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    axes = axes[:, ::-1][:, :width]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(width)])  # eigh leaves the sign open
    reduced = np.zeros((len(vectors), width), np.float32)
    reduced[heard] = centred @ axes
    return reduced


def write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
