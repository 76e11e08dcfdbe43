"""Near-duplicates: what the checks call said before, publishing calls a leak."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aramega.publish.leaks import SplitRow, find_leaks, signature_of
from aramega.records import DraftedPassage
from aramega.stages.check.stage import check_draft
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.text.near_duplicates import find_duplicates, stack
from tests.support.drafts import drafted_workspace

THRESHOLD = 0.8
WORDS = [f"كلمة{n}" for n in range(3000)]


def test_the_checks_and_publishing_agree_on_every_pair_near_the_threshold(tmp_path: Path) -> None:
    with Store.open(drafted_workspace(tmp_path / "ws", 1, 1, clips=False)) as store:
        drafted = load_drafted(store, next(find_passages(store)))
    rng, said_before, leaking = random.Random(3), [], []
    for _ in range(400):
        texts = pair_near_the_threshold(rng)
        signatures = [check_draft(saying(drafted, text)).signature for text in texts]
        said_before.append(bool(list(find_duplicates(stack(list(map(bytes.fromhex, signatures))), THRESHOLD))))
        leaking.append(bool(list(find_leaks(in_two_splits(texts), THRESHOLD))))
    assert said_before == leaking
    assert 0.2 < sum(leaking) / len(leaking) < 0.8, "the pairs lie on both sides"


def pair_near_the_threshold(rng: random.Random) -> tuple[str, str]:
    """Two transcripts of 60 to 140 words that share about four fifths of their trigrams."""
    first = rng.choices(WORDS, k=rng.randint(60, 140))
    other = list(first)
    for place in rng.sample(range(len(first)), k=max(1, len(first) // 27)):
        other[place] = rng.choice(WORDS)
    return " ".join(first), " ".join(other)


def saying(drafted: DraftedPassage, text: str) -> DraftedPassage:
    transcript = drafted.draft.transcript
    assert transcript
    heard = replace(transcript, lines=(replace(transcript.lines[0], text=text),))
    return replace(drafted, draft=replace(drafted.draft, transcript=heard))


def in_two_splits(texts: Sequence[str]) -> list[SplitRow]:
    return [
        SplitRow(split, split, split, "", "", signature_of(text))
        for split, text in zip(("train", "test"), texts, strict=True)
    ]
