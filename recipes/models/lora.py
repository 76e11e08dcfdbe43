"""LoRA: adapters on named modules, each part of the model at its own learning rate.

The language model and the audio tower name their layers alike, so a bare `q_proj` would adapt both. Each
part is therefore a regular expression over a module's whole name, and a pattern that matches nothing, or that
reaches into another part, is an error before the first step rather than a quiet difference after the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from recipes.errors import RecipeError
from recipes.models.compress import check_settings
from recipes.models.load import LoadedModel
from recipes.sections import Section

if TYPE_CHECKING:
    import torch


# The language model and the audio tower both have a `q_proj`: so the patterns start at the top and must match a
# module's whole name. What is in brackets came into the names with transformers 5.21.
LANGUAGE_MODULES = r"model(\.language_model)?\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
AUDIO_MODULES = r"(model\.)?audio_tower\.layers\.\d+\.(self_attn\.([qkv]|out)_proj|fc[12])"
ALIGNER_MODULES = r"(model\.)?audio_tower\.proj"


class LoraPart(Section):
    """One part of the model that gets adapters of its own learning rate."""

    enabled: bool = Field(True, description="adapt this part")
    modules: str = Field(description="regular expression that a module's whole name matches")
    learning_rate: float = Field(1e-4, gt=0, description="peak learning rate of this part")


class LoraConfig(Section):
    """[lora]"""

    rank: int = Field(32, ge=1, description="rank of every adapter")
    alpha: int = Field(64, ge=1, description="scale: an adapter's output is multiplied by alpha / rank")
    dropout: float = Field(0.05, ge=0, lt=1, description="dropout before the adapter")
    language: LoraPart = LoraPart(modules=LANGUAGE_MODULES)
    audio: LoraPart = LoraPart(modules=AUDIO_MODULES, enabled=False, learning_rate=2e-5)
    aligner: LoraPart = LoraPart(modules=ALIGNER_MODULES, enabled=False, learning_rate=5e-5)

    def parts(self) -> dict[str, LoraPart]:
        """The parts that are adapted, by name."""
        named = {"language": self.language, "audio": self.audio, "aligner": self.aligner}
        return {name: part for name, part in named.items() if part.enabled}


def add_adapters(loaded: LoadedModel, config: LoraConfig) -> dict[str, list[torch.nn.Parameter]]:
    """Freeze the model, put adapters in (float32), and give the trainable parameters by part."""
    from peft import LoraConfig as PeftConfig
    from peft import get_peft_model

    parts = config.parts()
    modules = match_modules(linear_modules(loaded.thinker), parts)
    pattern = "|".join(f"({part.modules})" for part in parts.values())
    loaded.model = get_peft_model(
        loaded.thinker,
        PeftConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            lora_dropout=config.dropout,
            target_modules=pattern,
            task_type="CAUSAL_LM",
        ),
    )
    owner = {module: part for part, names in modules.items() for module in names}
    trained: dict[str, list[torch.nn.Parameter]] = {part: [] for part in parts}
    for name, parameter in loaded.thinker.named_parameters():
        if parameter.requires_grad:
            trained[owner[name.split(".lora_")[0]]].append(parameter)
    return trained


def linear_modules(thinker: Any) -> list[str]:
    """Names of the linear layers, the only ones we adapt."""
    import torch

    return [name for name, module in thinker.named_modules() if isinstance(module, torch.nn.Linear)]


def match_modules(names: Iterable[str], parts: Mapping[str, LoraPart]) -> dict[str, list[str]]:
    """The modules of each part; patterns match whole names, at least one each, and no name twice."""
    names = list(names)
    matched: dict[str, list[str]] = {}
    if not parts:
        raise RecipeError('lora: no part is enabled. Enable lora.language, or set train.method = "full".')
    for part, options in parts.items():
        try:
            pattern = re.compile(options.modules)
        except re.error as error:
            raise RecipeError(f"lora.{part}.modules: not a regular expression: {error}") from None
        matched[part] = [name for name in names if pattern.fullmatch(name)]
        if not matched[part]:
            example = next((name for name in names if "layers" in name), names[0])
            raise RecipeError(
                f"lora.{part}.modules matches no linear layer. A pattern must match the whole name, such as {example}"
            )
        for other, theirs in matched.items():
            both = set(matched[part]) & set(theirs)
            if other != part and both:
                raise RecipeError(f"lora.{part} and lora.{other} both match {min(both)}: a module belongs to one part.")
    return matched


def train_everything(loaded: LoadedModel, *, freeze_tower: bool = False) -> dict[str, list[torch.nn.Parameter]]:
    """All weights but the vision tower's, which no recipe here feeds, and where asked all of the audio tower's but the
    aligner's."""
    for name, parameter in loaded.thinker.named_parameters():
        frozen = freeze_tower and "audio_tower." in name and "audio_tower.proj." not in name
        parameter.requires_grad_("visual." not in name and not frozen)
    return {"all": [parameter for parameter in loaded.thinker.parameters() if parameter.requires_grad]}


def load_adapter(loaded: LoadedModel, folder: Path) -> None:
    """Put a saved adapter on a bare model, for answering."""
    from peft import PeftModel, load_peft_weights

    check_base(folder, loaded.name)
    check_settings(folder, loaded.encoder.compress, trained=True)
    loaded.model = PeftModel.from_pretrained(loaded.thinker, folder).eval()
    set_adapter_weights(loaded.model, load_peft_weights(str(folder), device="cpu"), source=folder)


def set_adapter_weights(model: Any, weights: Mapping[str, torch.Tensor], *, source: Path) -> None:
    """Saved weights into adapters, all of them or an error: peft would leave out a name it doesn't find and go on."""
    from peft import set_peft_model_state_dict

    loaded: Any = set_peft_model_state_dict(model, dict(weights))
    lost = loaded.unexpected_keys
    if lost:
        raise RecipeError(
            f"{source}: this model has no place for {len(lost)} of the adapter's {len(weights)} weights, the first "
            f"{lost[0]}. It was saved with other module names: transformers changed them in 5.21. Use the version that "
            "trained it, or a merged model."
        )


def check_base(folder: Path, name: str) -> None:
    """Refuse an adapter of another base model: its shapes may fit and its answers would be noise."""
    from peft import PeftConfig

    base = PeftConfig.from_pretrained(str(folder)).base_model_name_or_path
    if base and base != name:
        raise RecipeError(f"{folder}: this adapter was trained on {base}, and the model here is {name}.")
