"""Embeddings: each clip once, kept on disk for one model, gone on with after a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recipes.embed import main
from recipes.errors import RecipeError
from recipes.models.aligner import aligner_embeddings
from recipes.training import embedding_cache as embeddings
from recipes.training.embedding_cache import Clip, batches_by_length, embed_missing, open_cache, reduce_width
from tests.recipes.toys import sound, toy_config, toy_dataset, toy_model

MODEL = toy_model()


def clips(count: int) -> list[Clip]:
    return [Clip(f"clip-{i}", 0.4 + 0.1 * i, lambda i=i: sound(0.4 + 0.1 * i, seed=i)) for i in range(count)]


def test_vectors_come_back_by_clip_and_text_has_zeros(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, MODEL)
    assert embed_missing(MODEL, clips(5), cache, batch_seconds=1.0) == 5
    vectors = cache.vectors(["clip-3", "", "clip-0", "clip-3"])
    alone = aligner_embeddings(MODEL, [sound(0.7, seed=3)])[0]
    np.testing.assert_allclose(vectors[0], alone, atol=1e-5)
    assert not vectors[1].any()
    assert np.array_equal(vectors[0], vectors[3])


def test_a_stopped_embedding_goes_on_where_it_was(tmp_path: Path, monkeypatch) -> None:
    cache = open_cache(tmp_path, MODEL)
    embed, batches = embeddings.embed_mels, []

    def power_cut(*arguments: object) -> np.ndarray:
        batches.append(1)
        if len(batches) == 3:
            raise RuntimeError("power cut")
        return embed(*arguments)

    monkeypatch.setattr(embeddings, "embed_mels", power_cut)
    with pytest.raises(RuntimeError):
        embed_missing(MODEL, clips(6), cache, batch_seconds=0.5, shard_clips=1)
    monkeypatch.undo()
    assert len(cache.keys()) == 2
    assert embed_missing(MODEL, clips(6), cache) == 4
    assert cache.keys() == {clip.key for clip in clips(6)}
    assert embed_missing(MODEL, clips(6), cache) == 0


def test_embeddings_of_another_model_are_refused(tmp_path: Path) -> None:
    open_cache(tmp_path, MODEL)
    with pytest.raises(RecipeError, match=r"made by tiny .* Give another folder, or delete this one"):
        open_cache(tmp_path, toy_model(seed=1))


def test_a_missing_clip_is_named_with_the_way_out(tmp_path: Path) -> None:
    cache = open_cache(tmp_path, MODEL)
    embed_missing(MODEL, clips(2), cache)
    with pytest.raises(
        RecipeError, match=r"1 clips have no embedding, the first clip-9\. Run `python -m recipes.embed`"
    ):
        cache.vectors(["clip-0", "clip-9"])


def test_batches_hold_every_clip_once_the_longest_first_within_the_limit() -> None:
    batches = batches_by_length(clips(7), seconds=1.5)
    assert sorted(clip.key for batch in batches for clip in batch) == [f"clip-{i}" for i in range(7)]
    assert batches[0][0].key == "clip-6"
    assert all(len(batch) == 1 or sum(clip.seconds for clip in batch) <= 1.5 for batch in batches)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float32, (12, 6), elements=st.floats(-4, 4, width=32)), st.integers(1, 5))
def test_pca_keeps_distances_as_well_as_so_few_axes_can(vectors: np.ndarray, width: int) -> None:
    reduced = reduce_width(vectors, width=width)
    assert reduced.shape == (12, width)
    heard = vectors.any(axis=1)
    assert not reduced[~heard].any()
    if heard.any():
        centred = vectors[heard] - vectors[heard].mean(axis=0)
        kept = np.linalg.svd(centred, compute_uv=False)[:width]
        assert (reduced[heard] ** 2).sum() == pytest.approx((kept**2).sum(), rel=1e-3, abs=1e-3)


def test_the_script_embeds_a_dataset_once(tmp_path: Path, capsys) -> None:
    config = toy_config(tmp_path, toy_dataset(tmp_path / "data"))
    assert main([str(config), "--into", str(tmp_path / "cache")]) == 0
    assert "24 of 24 clips, 24 of them now" in capsys.readouterr().out
    assert main([str(config), "--into", str(tmp_path / "cache")]) == 0
    assert "24 of 24 clips, 0 of them now" in capsys.readouterr().out
    assert main([str(config), "--into", str(tmp_path / "cache"), "--set", "model.tiny.seed=1"]) == 2
    assert "made by tiny" in capsys.readouterr().err
