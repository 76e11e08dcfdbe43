"""Adapters: on the modules named and no others, each part at its own rate, and mistakes said before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from recipes.config import TrainConfig
from recipes.errors import RecipeError
from recipes.models.collate import Prompt
from recipes.models.load import audio_tower, enable_gradient_checkpointing
from recipes.models.lora import (
    ALIGNER_MODULES,
    AUDIO_MODULES,
    LoraConfig,
    LoraPart,
    add_adapters,
    linear_modules,
    load_adapter,
    match_modules,
    train_everything,
)
from recipes.training.losses import target_losses
from recipes.training.rates import learning_rates, make_optimizer, set_rates
from tests.recipes.toys import sound, toy_model

ALL = LoraConfig(
    audio={"enabled": True, "modules": AUDIO_MODULES, "learning_rate": 2e-5},
    aligner={"enabled": True, "modules": ALIGNER_MODULES, "learning_rate": 5e-5},
)


def test_by_default_only_the_language_model_is_adapted() -> None:
    model = toy_model()
    trained = add_adapters(model, LoraConfig())
    assert set(trained) == {"language"}
    adapted = {name.split(".lora_")[0] for name, weight in model.thinker.named_parameters() if weight.requires_grad}
    assert len(adapted) == 2 * 7  # layers × (q, k, v, o, gate, up, down)
    assert not any("audio_tower" in name or "visual" in name for name in adapted)


def test_each_part_has_its_own_modules_and_learning_rate() -> None:
    model = toy_model()
    trained = add_adapters(model, ALL)
    assert {part: len(weights) for part, weights in trained.items()} == {"language": 28, "audio": 24, "aligner": 2}
    optimizer = make_optimizer(trained, learning_rates(TrainConfig(), ALL), TrainConfig())
    assert set_rates(optimizer, 0.5) == {"language": 5e-5, "audio": 1e-5, "aligner": 2.5e-5}


def test_a_bare_name_does_not_reach_into_the_audio_tower() -> None:
    names = linear_modules(toy_model().thinker)
    assert any(name.endswith("audio_tower.layers.0.self_attn.q_proj") for name in names)
    with pytest.raises(RecipeError, match=r"lora\.language\.modules matches no linear layer.*whole name"):
        match_modules(names, {"language": LoraPart(modules="q_proj")})


def test_a_module_belongs_to_one_part() -> None:
    names = linear_modules(toy_model().thinker)
    parts = {"language": LoraPart(modules=r".*q_proj"), "audio": LoraPart(modules=AUDIO_MODULES)}
    with pytest.raises(RecipeError, match=r"both match .*audio_tower\.layers\.0\.self_attn\.q_proj"):
        match_modules(names, parts)


def test_a_pattern_that_is_none_is_said() -> None:
    with pytest.raises(RecipeError, match=r"lora\.language\.modules: not a regular expression"):
        match_modules(["a"], {"language": LoraPart(modules="(")})


def test_training_adapters_leaves_every_weight_of_the_base_alone() -> None:
    model = toy_model()
    before = {name: weight.clone() for name, weight in model.thinker.state_dict().items()}
    trained = add_adapters(model, ALL)
    batch = model.encoder.examples([Prompt("Write down.", "صفر", sound(1.0, seed=1), "a")])
    optimizer = make_optimizer(trained, learning_rates(TrainConfig(), ALL), TrainConfig())
    target_losses(model, batch).sum().backward()
    optimizer.step()
    after = {name.replace(".base_layer", ""): weight for name, weight in model.thinker.state_dict().items()}
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert any(weight.abs().max() > 0 for name, weight in model.thinker.named_parameters() if "lora_B" in name)


def test_full_training_touches_all_but_the_vision_tower() -> None:
    model = toy_model()
    (weights,) = train_everything(model).values()
    assert len(weights) == sum(1 for name, _ in model.thinker.named_parameters() if "visual" not in name)


def test_checkpointing_changes_no_gradient_and_sends_none_through_a_frozen_tower() -> None:
    gradients = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        model = toy_model()
        (weights,) = add_adapters(model, LoraConfig(dropout=0.0)).values()
        if checkpointing:
            enable_gradient_checkpointing(model.thinker)
        heard: list[torch.Tensor] = []
        audio_tower(model.thinker).register_forward_hook(
            lambda *arguments, heard=heard: heard.append(arguments[-1].last_hidden_state)
        )
        model.model.train()
        target_losses(
            model, model.encoder.examples([Prompt("Write.", "صفر", sound(1.0, seed=1), "a")])
        ).sum().backward()
        assert not heard[0].requires_grad
        gradients.append(torch.cat([weight.grad.flatten() for weight in weights]))
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)
    assert gradients[0].abs().max() > 0


def test_an_adapter_saved_under_other_module_names_is_refused_not_ignored(tmp_path: Path) -> None:
    model = toy_model()
    add_adapters(model, LoraConfig(rank=2))
    model.model.save_pretrained(tmp_path, save_embedding_layers=False)
    weights = load_file(tmp_path / "adapter_model.safetensors")
    moved = {name.replace("layers.0", "blocks.0"): weight for name, weight in weights.items()}
    save_file(moved, tmp_path / "adapter_model.safetensors")
    with pytest.raises(RecipeError, match=r"has no place for 14 of the adapter's 28 weights"):
        load_adapter(toy_model(), tmp_path)
