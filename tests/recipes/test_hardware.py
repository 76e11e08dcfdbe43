"""Arithmetic of a run, held against the real classes: made without memory, on torch's meta device."""

from __future__ import annotations

import pytest
import torch

from recipes import hardware
from recipes.config import parse_config
from recipes.models.lora import LANGUAGE_MODULES
from recipes.training.estimates import GIB, SHAPES, example_tokens, hours, memory, operations_per_token

HEAD = 128


def real_thinker(shape):
    from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

    text = {
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.width // HEAD,
        "num_key_value_heads": shape.key_value_width // HEAD,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": shape.tied,
        "layer_types": ["full_attention"] * shape.layers,
    }
    audio = {"d_model": 1280, "encoder_layers": 32, "encoder_attention_heads": 20, "encoder_ffn_dim": 5120}
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16}
    config = Qwen2_5OmniThinkerConfig(
        text_config=text,
        audio_config={**audio, "output_dim": shape.width, "num_mel_bins": 128},
        vision_config={**vision, "out_hidden_size": shape.width},
        vision_start_token_id=1,
        vision_end_token_id=2,
        position_id_per_seconds=25,
        seconds_per_chunk=2,
    )
    with torch.device("meta"):
        return Qwen2_5OmniThinkerForConditionalGeneration(config)


@pytest.mark.parametrize("name", SHAPES)
def test_weights_and_adapters_are_counted_to_the_last_one(name):
    from peft import LoraConfig, get_peft_model

    shape, model = SHAPES[name], real_thinker(SHAPES[name])
    assert sum(weight.numel() for weight in model.parameters()) == shape.weights
    adapted = get_peft_model(model, LoraConfig(r=16, target_modules=LANGUAGE_MODULES))
    found = sum(weight.numel() for key, weight in adapted.named_parameters() if "lora_" in key)
    assert found == shape.adapter_weights(16)


def test_memory_grows_with_tokens_and_checkpointing_shrinks_it():
    config = parse_config({}, source="test")
    few, many = (memory(SHAPES["7B"], config, tokens=n, targets=n // 5).total for n in (1000, 8000))
    assert few < many
    without = parse_config({"train": {"gradient_checkpointing": False}}, source="test")
    assert memory(SHAPES["7B"], without, tokens=8000, targets=1600).total > many + 20 * GIB


def test_hours_follow_steps_examples_and_gpus():
    config = parse_config({"schedule": {"steps": 100, "batch_size": 10}}, source="test")
    one = hours(SHAPES["3B"], config, tokens=300, peak=1e14, share=0.5)
    assert hours(SHAPES["3B"], config, tokens=300, peak=1e14, share=0.5, gpus=4) == pytest.approx(one / 4)
    tokens = 100 * 10 * 300
    assert one == pytest.approx(tokens * operations_per_token(SHAPES["3B"], checkpointing=True) / 5e13 / 3600)
    assert example_tokens(seconds=10, words=20) == (250 + 45 + 51, 51)


def test_a_model_whose_size_is_not_in_its_name_asks_for_it(tmp_path, capsys):
    (tmp_path / "my.toml").write_text('[model]\npath = "folder/of-mine"\n', encoding="utf-8")
    assert hardware.main([str(tmp_path / "my.toml")]) == 2
    assert "add --size 7B or 3B" in capsys.readouterr().err
    assert hardware.main([str(tmp_path / "my.toml"), "--size", "3B"]) == 0
