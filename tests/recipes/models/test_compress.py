"""Token compression: fewer tokens for the same sound, in the real classes, at the right places."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recipes.config import load_config
from recipes.errors import RecipeError
from recipes.hardware import main as estimate
from recipes.models.aligner import aligner_embeddings, aligner_key
from recipes.models.collate import Prompt
from recipes.models.compress import (
    CompressConfig,
    check_settings,
    compress_frames,
    compressed_tokens,
    group_sizes,
    sequence_positions,
    take_lengths,
)
from recipes.models.config import ModelConfig
from recipes.models.export import save_adapter
from recipes.models.generate import generate
from recipes.models.load import LoadedModel, load_model, save_model
from recipes.models.lora import LoraConfig, add_adapters, load_adapter
from recipes.training.losses import target_losses
from tests.recipes.toys import TOY, sound, toy_model

KINDS = ("mean", "skip", "segments", "fixed")
LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=4)


def toy(compress: CompressConfig) -> LoadedModel:
    return load_model(ModelConfig(path="tiny", dtype="float32", tiny=TOY, compress=compress))


def prompts() -> list[Prompt]:
    return [
        Prompt("Write down what is said.", "صفر واحد", sound(1.4, seed=1), "spoken"),
        Prompt("لخص: نص", "ملخص", None, "written"),
        Prompt("Which dialect is spoken?", "Egyptian", sound(2.37, seed=2), "dialect"),
    ]


@given(LENGTHS, st.integers(1, 12), st.sampled_from(KINDS), st.integers(0, 9))
def test_a_clip_gets_exactly_the_tokens_that_were_promised(lengths, factor, kind, seed):
    config = CompressConfig(kind=kind, factor=factor, tokens=7)
    frames = torch.randn(sum(lengths), 5, generator=torch.Generator().manual_seed(seed))
    together = compress_frames(frames, lengths, config)
    alone = [compress_frames(clip, [len(clip)], config) for clip in frames.split(lengths)]
    assert [len(clip) for clip in alone] == [compressed_tokens(length, config) for length in lengths]
    assert torch.equal(together, torch.cat(alone))
    for clip in frames.split(lengths):
        sizes = group_sizes(clip, config)
        assert sizes.sum() == len(clip)
        assert sizes.min() >= 1
        if kind == "segments":
            assert sizes.max() <= config.longest


@given(LENGTHS, st.sampled_from(["mean", "skip", "segments"]), st.sampled_from([torch.float32, torch.bfloat16]))
def test_factor_1_of_every_kind_leaves_every_bit_alone(lengths, kind, dtype):
    frames = torch.randn(sum(lengths), 5).to(dtype)
    assert torch.equal(compress_frames(frames, lengths, CompressConfig(kind=kind, factor=1)), frames)


def test_segments_end_where_the_sound_changes():
    steady = torch.eye(4)[[0] * 5 + [1] * 2 + [2] * 5]
    sizes = group_sizes(steady, CompressConfig(kind="segments", factor=4, longest=12))
    assert sizes.tolist() == [5, 2, 5]


@pytest.mark.parametrize("kind", ["mean", "skip", "segments"])
def test_a_model_at_factor_1_is_bit_for_bit_the_model_without(kind):
    plain, same = toy_model(), toy(CompressConfig(kind=kind, factor=1))
    batch = plain.encoder.examples(prompts())
    with torch.no_grad():
        assert torch.equal(target_losses(same, same.encoder.examples(prompts())), target_losses(plain, batch))
    assert aligner_key(same) == aligner_key(plain)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("positions", ["dense", "time"])
def test_a_compressed_model_trains_and_answers_on_a_third_of_the_tokens(kind, positions):
    model, plain = toy(CompressConfig(kind=kind, factor=3, tokens=20, positions=positions)), toy_model()
    batch, whole = model.encoder.examples(prompts()), plain.encoder.examples(prompts())
    heard = whole.tokens - int((whole.input_ids == model.encoder.audio_id).sum())
    expected = 40 if kind == "fixed" else -(-35 // 3) + -(-59 // 3)
    assert batch.tokens == heard + expected
    target_losses(model, batch).sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.thinker.parameters() if weight.grad is not None)
    assert model.thinker.model.audio_tower.conv1.weight.grad.abs().sum() > 0
    assert len(generate(model, model.encoder.prompts(prompts()), max_new_tokens=3)) == 3
    assert aligner_key(model) != aligner_key(plain)
    assert aligner_embeddings(model, [sound(1.4, seed=1)]).shape == (1, TOY.width)


@pytest.mark.parametrize("positions", ["dense", "time"])
def test_word_after_word_the_answer_is_that_of_the_whole_sequence(positions):
    """Positions of generated words go on from the prompt's, also behind padding on the left."""
    model = toy(CompressConfig(kind="mean", factor=3, positions=positions))
    inputs = model.encoder.prompts(prompts()).model_inputs("cpu")
    with torch.no_grad():
        fast = model.model.generate(**inputs, max_new_tokens=6, min_new_tokens=6, do_sample=False)
        slow = inputs
        for _ in range(6):
            logits = model.model(**slow, use_cache=False).logits[:, -1]
            logits[:, [model.encoder.end_id]] = -torch.inf
            ids = torch.cat([slow["input_ids"], logits.argmax(-1, keepdim=True)], dim=1)
            mask = torch.cat([slow["attention_mask"], torch.ones(3, 1, dtype=torch.long)], dim=1)
            slow = {**slow, "input_ids": ids, "attention_mask": mask}
    assert fast.tolist() == slow["input_ids"].tolist()


def test_time_positions_keep_the_clock_and_words_go_on_behind_the_clip():
    config = CompressConfig(kind="mean", factor=3, positions="time")
    time, height, width = sequence_positions([5, 9, 9, 9, 6, 7], iter([8]), audio_id=9, config=config)
    assert time == [0, 1, 4, 7, 8, 9]
    assert height == width == [0, 1, 2, 3, 8, 9]


def test_time_positions_change_what_the_model_hears_and_equal_dense_ones_without_sound():
    dense, timed = (toy(CompressConfig(kind="mean", factor=4, positions=kind)) for kind in ("dense", "time"))
    with torch.no_grad():
        first, second = (target_losses(model, model.encoder.examples(prompts())) for model in (dense, timed))
    assert first[1] == second[1]
    assert not torch.allclose(first[[0, 2]], second[[0, 2]], atol=1e-5)


def test_an_adapter_on_the_aligner_is_trained_on_the_compressed_rows():
    model = toy(CompressConfig(kind="mean", factor=3))
    add_adapters(
        model,
        LoraConfig(rank=2).model_copy(update={"aligner": LoraConfig().aligner.model_copy(update={"enabled": True})}),
    )
    target_losses(model, model.encoder.examples(prompts())).sum().backward()
    tower = model.thinker.model.audio_tower
    assert tower.proj.lora_B["default"].weight.grad.abs().sum() > 0


def test_a_folder_of_another_factor_is_refused(tmp_path):
    third = CompressConfig(kind="mean", factor=3)
    save_model(toy(third), tmp_path)
    again = load_model(ModelConfig(path=str(tmp_path), dtype="float32", compress=third))
    assert again.encoder.audio_tokens(1000) == toy(third).encoder.audio_tokens(1000) == 84
    for other in (CompressConfig(), CompressConfig(kind="mean", factor=2), CompressConfig(kind="skip", factor=3)):
        with pytest.raises(RecipeError, match="trained on one token in 3"):
            load_model(ModelConfig(path=str(tmp_path), dtype="float32", compress=other))


def test_an_adapter_of_another_factor_is_refused(tmp_path):
    trained = toy(CompressConfig(kind="skip", factor=2))
    add_adapters(trained, LoraConfig(rank=2))
    save_adapter(trained, tmp_path)
    load_adapter(toy(CompressConfig(kind="skip", factor=2)), tmp_path)
    with pytest.raises(RecipeError, match="trained on one token in 2"):
        load_adapter(toy_model(), tmp_path)


def test_an_adapter_without_a_note_was_trained_on_every_token(tmp_path):
    check_settings(tmp_path, CompressConfig(), trained=True)
    with pytest.raises(RecipeError, match="every token of sound"):
        check_settings(tmp_path, CompressConfig(kind="mean"), trained=True)


def test_a_broken_note_is_a_clear_error(tmp_path):
    (tmp_path / "aramega.json").write_text('{"compress": {"kind": "magic"}}', encoding="utf-8")
    with pytest.raises(RecipeError, match="not the settings of a model"):
        check_settings(tmp_path, CompressConfig(), trained=True)


def test_a_tower_that_changes_its_length_is_a_clear_error():
    assert take_lengths([3, 4, 5], 7) == [3, 4]
    with pytest.raises(RecipeError, match="gave 9 frames"):
        take_lengths([3, 4], 9)


def test_segments_too_short_for_the_factor_are_refused_in_the_config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[model.compress]\nkind = "segments"\nfactor = 20\n', encoding="utf-8")
    with pytest.raises(RecipeError, match="longest = 12 is less than factor = 20"):
        load_config(path)


def test_hardware_counts_compressed_tokens(capsys):
    config = str(Path(__file__).parents[3] / "recipes/configs/one-gpu.toml")
    compress = ["--set", "model.compress.kind=mean", "--set", "model.compress.factor=3"]
    assert estimate([config, "--seconds", "120", "--words", "0", *compress]) == 0
    assert f"{1000 + 45 + 1} tokens" in capsys.readouterr().out
