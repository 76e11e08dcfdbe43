"""Near-duplicates: what a signature is, and what is found by it."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from aramega.text import normalize
from aramega.text.near_duplicates import SIZE, find_duplicates, signature, stack


def random_text(rng: np.random.Generator, length: int) -> list[str]:
    return [f"كلمة{n}" for n in rng.integers(0, 5000, length)]


def test_near_duplicates_are_found_and_strangers_are_not() -> None:
    rng = np.random.default_rng(1)
    texts = [random_text(rng, 80) for _ in range(60)]
    texts[20] = [*texts[7][:70], *random_text(rng, 2), *texts[7][72:]]
    texts[41] = list(texts[7])
    texts[55] = list(texts[30])
    signatures = stack([signature(" ".join(text)) for text in texts])
    found = {row: (first, likeness) for row, first, likeness in find_duplicates(signatures, 0.8)}
    assert {row: first for row, (first, _) in found.items()} == {20: 7, 41: 7, 55: 30}
    assert found[41][1] == 1.0


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_every_repetition_points_at_the_first_of_its_kind(kinds: list[int]) -> None:
    distinct = np.random.default_rng(0).integers(0, 2**32, (7, SIZE), dtype=np.uint32)
    found = {row: first for row, first, _ in find_duplicates(distinct[kinds], 0.8)}
    assert found == {row: kinds.index(kind) for row, kind in enumerate(kinds) if kinds.index(kind) < row}


def test_texts_without_words_and_of_two_words_have_signatures_too() -> None:
    assert signature("") == b""
    assert signature("شكرا لكم") == signature("لكم شكرا")
    assert signature("أهلا وسهلا بكم") == signature("اهلا وسهلا بكم"), "by the asr profile"
    assert len(signature("نعم")) == 4 * SIZE


@given(st.lists(st.sampled_from("قال الوزير إن المشروع الجديد سيكتمل قريبا في العاصمة".split()), max_size=40))
def test_signatures_are_datasketchs_so_those_in_workspaces_of_before_keep_their_meaning(words: list[str]) -> None:
    text = " ".join(words)
    plain = normalize(text, "asr").split()
    theirs = MinHash(num_perm=SIZE, seed=1, hashfunc=crc32)
    shingles = [" ".join(plain[i : i + 3]) for i in range(len(plain) - 2)] if len(plain) > 2 else plain
    theirs.update_batch([shingle.encode() for shingle in shingles])
    assert signature(text) == (theirs.hashvalues.astype("<u4").tobytes() if plain else b"")
