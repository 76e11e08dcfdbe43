"""Command-line options that are made from the configuration's models.

Which option it is stands in the table of a command (`--asr-model` is `transcribe.model`); type, choices, limits and help
come from the model's field, and the value arrives there as the type it is.
"""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_args, get_origin

import typer

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class ConfigOption:
    """An option of a command that sets one field of the configuration."""

    key: str
    """`section.field`."""
    flag: str
    metavar: str | None = None
    panel: str | None = None
    help: str = ""
    """Where the field's own help is too long for a terminal; else that one."""
    also: tuple[str, ...] = ()
    """Other fields that get the same value."""
    short: str = ""
    """Its one letter, if it has one: `-p`."""
    names_file: bool = False
    """Whether a file's name is made absolute: the workspace keeps the option, and a later run may start elsewhere."""

    @property
    def name(self) -> str:
        """The parameter it is given as."""
        return self.key.replace(".", "__")

    def parse(self, value: Any) -> object:
        """The value as the field takes it."""
        if get_origin(field_of(self.key).annotation) is tuple and isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return _absolute_if_file(value) if self.names_file else value


def field_of(key: str) -> FieldInfo:
    """The model field that `section.field` names."""
    from aramega.config import Config

    section, _, name = key.partition(".")
    model: Any = Config.model_fields[section].annotation
    field: FieldInfo = model.model_fields[name]
    return field


def parameter_of(option: ConfigOption) -> inspect.Parameter:
    """The parameter that typer makes the option from."""
    field = field_of(option.key)
    kind, flags = _kind_of(field.annotation), option.flag
    if kind is bool:
        flags = f"{option.flag}/--no-{option.flag.removeprefix('--')}"
    is_number = kind in (int, float)
    option_info = typer.Option(
        *((flags, option.short) if option.short else (flags,)),
        metavar=option.metavar,
        help=option.help or field.description,
        rich_help_panel=option.panel,
        show_default=False,
        min=_limit(field, "ge") if is_number else None,
        max=_limit(field, "le") if is_number else None,
    )
    annotation = Annotated[Optional[kind], option_info]  # type: ignore[valid-type]  # noqa: UP045  the type is a value here
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind_of(annotation: Any) -> Any:
    """What typer parses: lists come as `A,B`, all else as it is."""
    if get_origin(annotation) is tuple:
        return str
    if isinstance(annotation, types.UnionType):
        return next(kind for kind in get_args(annotation) if kind is not type(None))
    return annotation


def _limit(field: FieldInfo, name: str) -> float | None:
    return next((getattr(limit, name) for limit in field.metadata if hasattr(limit, name)), None)


def _absolute_if_file(name: str) -> str:
    """The absolute path of what is a file or folder, also behind a backend's name (`faster-whisper:FOLDER`)."""
    if not name:
        return name
    prefix, colon, rest = name.rpartition(":")
    path = Path(rest).expanduser()
    return f"{prefix}{colon}{path.absolute()}" if path.exists() and ("/" in rest or path.is_file()) else name
