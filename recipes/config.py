"""One TOML file says everything about a run: model, lora, data, schedule, train, eval, log.

Every section is a small typed model with defaults; `--set section.key=value` overrides one key. A wrong
key is an error that names the nearest right one. A run folder keeps the effective config as `config.toml`,
and that is what a checkpoint is compared with before it is resumed.
"""

from __future__ import annotations

import difflib
import json
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from recipes.data.config import DataConfig
from recipes.errors import RecipeError
from recipes.evaluation.config import EvalConfig
from recipes.models.config import ModelConfig
from recipes.models.lora import LoraConfig
from recipes.schedule.config import ScheduleConfig
from recipes.sections import Section

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class TrainConfig(Section):
    """[train]"""

    method: Literal["lora", "full"] = Field("lora", description='adapters, or every weight ("full": toy models)')
    freeze_tower: bool = Field(
        False, description='with method "full": leave the audio tower as it is, but for its last layer, the aligner'
    )
    learning_rate: float = Field(3e-4, gt=0, description='peak learning rate with method "full"')
    weight_decay: float = Field(0.0, ge=0, description="AdamW's weight decay")
    betas: tuple[float, float] = Field((0.9, 0.95), description="AdamW's betas")
    warmup_share: float = Field(0.03, ge=0, lt=1, description="share of the steps in which the rate rises")
    final_rate_share: float = Field(0.1, ge=0, le=1, description="learning rate at the end, as a share of the peak")
    loss: Literal["token", "example", "task"] = Field(
        "token",
        description="the loss is a mean over target tokens, over examples, or over tasks by their weight in the schedule",
    )
    rate: Literal["cosine", "constant", "wsd"] = Field(
        "cosine", description="course of the rate after its rise: half a cosine, flat, or flat with a fall at the end"
    )
    rate_span: Literal["run", "phase"] = Field(
        "run", description="what one course covers: with run, a curriculum's last stage has the lowest rate"
    )
    decay_share: float = Field(0.2, gt=0, le=1, description="wsd: share of the steps in which the rate falls, straight")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    accumulation: int = Field(
        1, ge=1, description="forward passes per step and process, at least: schedule's limits may ask for more"
    )
    precision: Literal["bf16", "fp32"] = Field("bf16", description="arithmetic of the forward pass")
    gradient_checkpointing: bool = Field(True, description="a third more time for far less memory")
    save_every: int = Field(200, ge=1, description="steps between checkpoints")
    keep: int = Field(2, ge=1, description="checkpoints kept, the best one besides")
    embeddings: str = Field("", description="folder of cached aligner embeddings; none: inside the run folder")
    embedding_width: int = Field(64, ge=0, description="embeddings are reduced to this width by PCA; 0: full width")
    embedding_batch_seconds: float = Field(240.0, gt=0, description="seconds of audio embedded at a time")
    refresh_every: int = Field(0, ge=0, description="steps between refreshed embeddings; 0: never")
    loader_threads: int = Field(2, ge=1, description="threads that read and prepare batches ahead")
    seed: int = Field(0, description="seed of everything random in the run")


class LogConfig(Section):
    """[log]"""

    every: int = Field(1, ge=1, description="steps between lines of the log")
    trackers: tuple[Literal["tensorboard", "trackio", "wandb"], ...] = Field(
        (), description="besides the terminal and log.jsonl; one that is not installed is left out, with a message"
    )
    project: str = Field("aramega", description="project name for the trackers")


class RecipeConfig(Section):
    """A whole run."""

    model: ModelConfig = ModelConfig()
    lora: LoraConfig = LoraConfig()
    data: DataConfig = DataConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    train: TrainConfig = TrainConfig()
    eval: EvalConfig = EvalConfig()
    log: LogConfig = LogConfig()

    @model_validator(mode="after")
    def _full_training_needs_full_precision(self) -> RecipeConfig:
        if self.train.method == "full" and self.model.dtype != "float32":
            raise ValueError('train.method = "full" needs model.dtype = "float32": bfloat16 weights lose small updates')
        return self


def load_config(path: Path | str, overrides: Sequence[str] = ()) -> RecipeConfig:
    """The config at `path` with `section.key=value` overrides; `RecipeError` says what is wrong in it."""
    path = Path(path)
    if not path.is_file():
        raise RecipeError(f"{path}: no such config. The ones that come with us are in recipes/configs/.")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None
    for override in overrides:
        set_key(values, override)
    return parse_config(values, source=str(path))


def set_key(values: dict[str, Any], override: str) -> None:
    """Apply one `section.key=value`; the value is read as TOML, and as a plain string where it is none."""
    name, equals, text = override.partition("=")
    keys = name.strip().split(".")
    if not equals or len(keys) < 2:
        raise RecipeError(f"--set {override}: write section.key=value, for example train.seed=3")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise RecipeError(f"--set {override}: {key} is a value, not a section")
    values[keys[-1]] = value


def parse_config(values: Mapping[str, Any], *, source: str) -> RecipeConfig:
    """Values to a config; every problem in one message, a wrong key with its nearest right one."""
    try:
        return RecipeConfig.model_validate(fill_lora_modules(values))
    except ValidationError as error:
        lines = [describe_problem(problem) for problem in error.errors()]
        raise RecipeError("\n".join(f"{source}: {line}" for line in lines)) from None


def fill_lora_modules(values: Mapping[str, Any]) -> dict[str, Any]:
    """Let a file say `[lora.audio] enabled = true` alone: a part keeps its own defaults for the rest."""
    filled = dict(values)
    lora = filled.get("lora")
    if isinstance(lora, Mapping):
        defaults = LoraConfig().model_dump()
        filled["lora"] = {
            key: {**defaults[key], **value}
            if key in ("language", "audio", "aligner") and isinstance(value, Mapping)
            else value
            for key, value in lora.items()
        }
    return filled


def describe_problem(problem: Any) -> str:
    """One problem of a config as a line: where it is, and what to write instead."""
    where = ".".join(str(key) for key in problem["loc"])
    if not where:  # a rule over several sections, which names its keys itself
        return str(problem["ctx"]["error"])
    if problem["type"] != "extra_forbidden":
        return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]} (got {problem['input']!r})"
    wrong = ".".join(str(key) for key in problem["loc"] if not isinstance(key, int))
    near = difflib.get_close_matches(wrong, known_keys(RecipeConfig), n=1, cutoff=0.5)
    return f"{where}: no such key{f'. Did you mean {near[0]}?' if near else ''}"


def known_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """All dotted keys of a config model; those of a list's tables without the number."""
    keys = []
    for name, field in model.model_fields.items():
        keys.append(f"{prefix}{name}")
        for inner in (field.annotation, *typing.get_args(field.annotation)):
            if is_table(inner):
                keys += known_keys(inner, prefix=f"{prefix}{name}.")
    return keys


def to_toml(config: BaseModel) -> str:
    """The config as TOML that reads back to an equal config. A value of None is left out."""
    return "\n".join(toml_table(config.model_dump(mode="json"), ())).lstrip("\n") + "\n"


def toml_table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a table and of those inside it."""
    plain = {key: value for key, value in table.items() if value is not None and not isinstance(value, Mapping)}
    if path and (plain or not table):
        yield f"\n[{'.'.join(map(toml_key, path))}]"
    for key, value in plain.items():
        yield f"{toml_key(key)} = {toml_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from toml_table(value, (*path, key))


def toml_value(value: Any) -> str:
    """A value as TOML writes it; a table inside a list goes on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def toml_key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key, ensure_ascii=False)


def annotated_toml(config: BaseModel) -> str:
    """Every option of a config as TOML, explained where it first comes; a list of tables is shown as a comment."""
    return "\n".join(annotated_table(config, (), explained=set())).lstrip("\n") + "\n"


def annotated_table(config: BaseModel, path: tuple[str, ...], *, explained: set[type]) -> Iterator[str]:
    """The table at `path` and those inside it; `explained` are the kinds of tables that came before."""
    kind, values = type(config), config.model_dump(mode="json")
    tables = {name: value for name in kind.model_fields if isinstance(value := getattr(config, name), BaseModel)}
    lists = {name: item for name, field in kind.model_fields.items() if (item := item_of_list(field))}
    options = {name: field for name, field in kind.model_fields.items() if name not in {*tables, *lists}}
    if path and options:
        yield f"\n[{'.'.join(path)}]"
    for name, field in options.items():
        if kind not in explained:
            yield f"# {explanation(field)}"
        yield f"{name} = {toml_value(values[name])}"
    explained.add(kind)
    for name, item in lists.items():
        yield f"\n# [[{'.'.join((*path, name))}]]"
        for key, field in item.model_fields.items():
            yield f"# {key} = {'…' if field.is_required() else toml_value(field.get_default())}  # {explanation(field)}"
    for name, value in tables.items():
        yield from annotated_table(value, (*path, name), explained=explained)


def explanation(field: FieldInfo) -> str:
    """What an option does, and what it may be where that is one of a few."""
    choices = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is Literal else ()
    return f"{field.description}{f' ({toml_value(list(choices))[1:-1]})' if choices else ''}"


def item_of_list(field: FieldInfo) -> type[BaseModel] | None:
    """The kind of table of which the option is a list."""
    return next((kind for kind in typing.get_args(field.annotation) if is_table(kind)), None)


def is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def differing_keys(first: BaseModel, second: BaseModel) -> dict[str, tuple[Any, Any]]:
    """Every dotted key that differs, with its value in the first and in the second (None where there is no such key)."""
    left, right = flatten(first.model_dump(mode="json")), flatten(second.model_dump(mode="json"))
    keys = sorted({*left, *right})
    return {key: (left.get(key), right.get(key)) for key in keys if left.get(key) != right.get(key)}


def flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key; the tables of a list are numbered."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            flat |= flatten({str(number): item for number, item in enumerate(value)}, f"{prefix}{key}.")
        elif isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def main() -> None:
    print(
        "# Every option of a run, at its default. A config of yours names only what it changes: see the other files here."
    )
    print("# Made by `python -m recipes.config`.\n")
    print(annotated_toml(RecipeConfig()), end="")


if __name__ == "__main__":
    main()
