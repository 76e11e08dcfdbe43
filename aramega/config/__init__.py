"""The configuration of a build: one model per stage, one Config that holds them.

Read from TOML and written as TOML with every option's reason beside it. A wrong key is an error that
names the nearest right one; a wrong value is an error that says what would be right. Defaults are what
a newcomer wants: an empty file is a good configuration.
"""

from __future__ import annotations

import difflib
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aramega.config.base import Options
from aramega.config.check import CheckConfig
from aramega.config.edit import edit_toml
from aramega.config.engine import EngineConfig
from aramega.config.ingest import IngestConfig
from aramega.config.label import LabelConfig
from aramega.config.overview import OverviewConfig
from aramega.config.passages import PassagesConfig
from aramega.config.plugins import PluginsConfig
from aramega.config.publish import PublishConfig
from aramega.config.repeats import RepeatsConfig
from aramega.config.review import ReviewConfig
from aramega.config.segment import SegmentConfig
from aramega.config.summarize import SummarizeConfig
from aramega.config.transcribe import TranscribeConfig
from aramega.display import visible
from aramega.errors import AramegaError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "CheckConfig",
    "Config",
    "EngineConfig",
    "IngestConfig",
    "LabelConfig",
    "Options",
    "OverviewConfig",
    "PassagesConfig",
    "PluginsConfig",
    "PublishConfig",
    "RepeatsConfig",
    "ReviewConfig",
    "SegmentConfig",
    "SummarizeConfig",
    "TranscribeConfig",
    "change_config",
    "choose_config",
    "dump_toml",
    "load_config",
    "save_config",
]


class Config(Options):
    """All options of a build, a review and a publication."""

    ingest: IngestConfig = IngestConfig()
    repeats: RepeatsConfig = RepeatsConfig()
    segment: SegmentConfig = SegmentConfig()
    passages: PassagesConfig = PassagesConfig()
    transcribe: TranscribeConfig = TranscribeConfig()
    summarize: SummarizeConfig = SummarizeConfig()
    overview: OverviewConfig = OverviewConfig()
    label: LabelConfig = LabelConfig()
    check: CheckConfig = CheckConfig()
    engine: EngineConfig = EngineConfig()
    review: ReviewConfig = ReviewConfig()
    publish: PublishConfig = PublishConfig()
    plugins: PluginsConfig = PluginsConfig()


def load_config(path: Path) -> Config:
    """Read and check a TOML file; every mistake in it is named, not only the first."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise AramegaError(f"{path}: no such file. `aramega init DIR` writes one with all defaults.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{path}: cannot be read ({error}).") from None
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python reads
        raise AramegaError(f"{path}: not valid TOML: {visible(error)}.") from None
    except RecursionError:
        raise AramegaError(f"{path}: not valid TOML: lists or tables inside each other without end.") from None
    return _validate(values, str(path))


def choose_config(
    named: Path | None, own: Path, changes: Sequence[str] = (), options: Mapping[str, object] = MappingProxyType({})
) -> Config:
    """The named file, else the one the workspace keeps, else the defaults; with `section.key=value` changes, as --set
    takes them, and over these the command's own options, by `section.key`, which stay the values they are."""
    config = load_config(named) if named else load_config(own) if own.exists() else Config()
    if not changes and not options:
        return config
    wanted = {**dict(_parse_change(change) for change in changes), **options}
    return change_config(config, wanted, "--set" if changes else "the options given")


def change_config(config: Config, options: Mapping[str, object], given_by: str = "the options given") -> Config:
    """The configuration with these values, by `section.key`, checked; `given_by` is named where one is wrong."""
    values = config.model_dump()
    for key, value in options.items():
        section, _, option = key.partition(".")
        table = values.setdefault(section, {})
        if section == "plugins" and "." in option:  # plugins.NAME.key
            name, _, option = option.partition(".")
            table = table.setdefault(name, {})
        table[option] = value
    return _validate(values, given_by)


def _parse_change(change: str) -> tuple[str, object]:
    """`section.key=value` of --set: the key and the typed value."""
    key, equals, text = change.partition("=")
    section, dot, option = key.strip().partition(".")
    if not (equals and dot):
        raise AramegaError(
            f"--set {visible(change)}: give it as section.key=value, for example passages.max_seconds=90."
        )
    return f"{section}.{option}", _parse_value(text.strip(), _is_text(section, option))


def save_config(config: Config, path: Path) -> None:
    """Keep the configuration beside what it makes. In a file that a curator wrote only the values that differ are
    changed, its comments stay, and the file as it was stays as `aramega.toml.bak`."""
    text = dump_toml(config)
    if path.exists():
        before = load_config(path)
        if before == config:
            return
        text = _edited(path.read_text(encoding="utf-8-sig"), before, config) or text
        shutil.copyfile(path, path.with_name(f"{path.name}.bak"))
    part = path.with_name(f"{path.name}.part")  # an empty file is a valid configuration: never leave half of one
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _edited(text: str, before: Config, config: Config) -> str:
    """The curator's text with the values that differ; nothing where it is written in a way that hides them."""
    edited = edit_toml(text, before.model_dump(), config.model_dump())
    try:
        return edited if _validate(tomllib.loads(edited), "aramega.toml") == config else ""
    except (ValueError, AramegaError):
        return ""


def dump_toml(config: Config) -> str:
    """The configuration as TOML, with what each option is for in a comment above it."""
    lines = ["# aramega.toml: every option with its default and its reason. Delete what you do not change.", ""]
    for name, info in Config.model_fields.items():
        section = getattr(config, name)
        lines += [f"# {type(section).__doc__ or ''}".rstrip(), f"[{name}]"]
        for key, option in type(section).model_fields.items():
            lines += textwrap.wrap(option.description or "", 98, initial_indent="# ", subsequent_indent="#   ")
            lines += [f"{key} = {_toml_value(getattr(section, key))}", ""]
        assert info.annotation is type(section)
    for name, table in config.plugins.tables().items():
        lines += [f"[plugins.{_toml_value(name)}]", *(f"{key} = {_toml_value(value)}" for key, value in table.items())]
    return "\n".join(lines)


def _validate(values: dict[str, Any], told_by: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise AramegaError("\n".join(f"{told_by}: {_explain(detail)}" for detail in error.errors())) from None


def _parse_value(text: str, is_text: bool) -> Any:
    """A TOML value; what is not one is a string that did without its quotes, and so is a number, a date or a yes where
    the option is a text: a dataset may be called 2024."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
    return text if is_text and not isinstance(value, str) else value


def _is_text(section: str, option: str) -> bool:
    """Whether the option's values are strings and nothing else."""
    options: Any = Config.model_fields[section].annotation if section in Config.model_fields else Options
    return option in options.model_fields and options.model_fields[option].annotation is str


def _toml_value(value: Any) -> str:
    """JSON's strings, numbers and booleans are TOML's."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml_value(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_value(k)} = {_toml_value(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # the one control character JSON lets stand


def _explain(detail: ErrorDetails) -> str:
    """One line for one mistake: where, what, and what would be right."""
    where = visible(".".join(str(part) for part in detail["loc"]))
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), _keys_beside(detail["loc"]), n=1, cutoff=0.5)
        hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(_keys_beside(detail['loc']))}."
        return f"unknown key `{where}`; {hint}"
    if detail["type"] == "value_error":
        return f"[{where}] {visible(detail['ctx']['error'], 600).rstrip('.')}."
    return f"`{where}` is {_as_given(detail['input'])}: {detail['msg'][0].lower()}{detail['msg'][1:]}."


def _as_given(value: object) -> str:
    try:
        return visible(repr(value))
    except ValueError:
        return "a number of thousands of digits"


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in location[:-1]:
        model = model.model_fields[str(part)].annotation
    return list(model.model_fields)
