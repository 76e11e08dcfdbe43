"""Near-duplicates among 200,000 transcripts: time and memory, against datasketch's own LSH in the same run.

    python benchmarks/duplicates.py [--transcripts 200000]

The transcripts are random words of a news-like vocabulary, 60 to 140 of them, and one in fifty says again
what an earlier one said, with one word in thirty changed.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np

from aramega.text.near_duplicates import find_duplicates, signature, stack

THRESHOLD = 0.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transcripts", type=int, default=200_000)
    count = parser.parse_args().transcripts
    begun = time.perf_counter()
    texts = list(transcripts(count))
    repeats = len(texts) // 50
    print(f"{count:,} transcripts made in {time.perf_counter() - begun:.1f} s, {repeats:,} of them repetitions")
    before = memory()

    begun = time.perf_counter()
    signatures = [signature(text) for text in texts]
    signed = time.perf_counter() - begun
    begun = time.perf_counter()
    found = list(find_duplicates(stack(signatures), THRESHOLD))
    ours = time.perf_counter() - begun
    ours_memory = memory() - before

    begun = time.perf_counter()
    theirs_found = with_datasketch(signatures)
    theirs = time.perf_counter() - begun
    theirs_memory = memory() - before - ours_memory

    print(f"{'':36}{'time':>10}{'memory added':>15}{'found':>9}")
    print(f"{'signatures (the check stage, once)':36}{signed:>8.1f} s")
    print(f"{'aramega: sorted bands':36}{ours:>8.1f} s{ours_memory:>12.0f} MB{len(found):>9,}")
    print(f"{'datasketch: MinHashLSH':36}{theirs:>8.1f} s{theirs_memory:>12.0f} MB{theirs_found:>9,}")
    print(
        f"signatures and bands together: {signed + ours:.1f} s; bands against datasketch: {theirs / ours:.1f} x as fast"
    )
    print(f"peak of the whole process: {memory():.0f} MB")


def transcripts(count: int) -> Iterator[str]:
    rng = np.random.default_rng(1)
    vocabulary = np.array([f"كلمة{n}" for n in range(30_000)])
    popularity = 1 / np.arange(1, 30_001)
    popularity /= popularity.sum()
    kept: list[np.ndarray] = []
    for number in range(count):
        if number % 50 == 49:
            words = kept[int(rng.integers(len(kept)))].copy()
            changed = rng.random(len(words)) < 1 / 30
            words[changed] = rng.choice(vocabulary, int(changed.sum()))
        else:
            words = rng.choice(vocabulary, int(rng.integers(60, 140)), p=popularity)
            if len(kept) < 2000:
                kept.append(words)
        yield " ".join(words)


def with_datasketch(signatures: list[bytes]) -> int:
    from datasketch import MinHash, MinHashLSH

    index, found = MinHashLSH(threshold=THRESHOLD, num_perm=128), 0
    for number, one in enumerate(signatures):
        minhash = MinHash(num_perm=128, seed=1)
        minhash.hashvalues = np.frombuffer(one, "<u4").astype(minhash.hashvalues.dtype)
        found += bool(index.query(minhash))
        index.insert(number, minhash)
    return found


def memory() -> float:
    """The most this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
