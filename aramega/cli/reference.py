"""The reference pages of the documentation, made from the command table and the configuration's models.

python -m aramega.cli.reference commands > docs/reference/commands.md
python -m aramega.cli.reference options > docs/reference/options.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from typer.models import ArgumentInfo

from aramega.cli import COMMANDS, SHORT_FORMS
from aramega.cli.command import Entry, Panel, full_command
from aramega.cli.exit_codes import MEANINGS
from aramega.config import Config
from aramega.config.base import CHANGES_NOTHING, Options

_MADE = "Made by `python -m aramega.cli.reference {page}`; do not edit it by hand."


def commands_page() -> str:
    """Every command with its arguments, its options and an example."""
    lines = ["# Commands", "", _MADE.format(page="commands"), "", "Every command takes `-h`, `-v` and `--debug`."]
    lines += [f"`aramega {short}` is short for `aramega {long}`." for short, long in SHORT_FORMS.items()]
    lines += ["", "| exit code | meaning |", "|---|---|", *(f"| {code} | {text} |" for code, text in MEANINGS.items())]
    for panel in get_args(Panel):
        lines += ["", f"## {panel}"]
        for entry in COMMANDS:
            lines += _command(entry) if entry.panel == panel else ()
    return "\n".join(lines) + "\n"


def options_page() -> str:
    """Every option of aramega.toml, section by section."""
    lines = ["# Options", "", _MADE.format(page="options"), ""]
    lines += [
        "Each table of `aramega.toml` is a section. `aramega init DIR` writes the file with all defaults; `--set",
        "SECTION.KEY=VALUE` changes one option; `am.create(path, config={…})` does so from Python. Options marked with *",
        "change nothing of the results: nothing is done again when they change.",
    ]
    flags = _flags()
    for section, field in Config.model_fields.items():
        model: Any = field.annotation
        if isinstance(model, type) and issubclass(model, Options):
            lines += ["", f"## `[{section}]`", "", inspect.getdoc(model) or "", ""]
            lines += ["| option | default | what it does | on the command line |", "|---|---|---|---|"]
            lines += list(_options(section, model, flags))
    return "\n".join(lines) + "\n"


def _command(entry: Entry) -> Iterator[str]:
    yield from ("", f"### `aramega {entry.words}`", "", inspect.getdoc(entry.function) or "", "")
    yield from ("```sh", entry.example, "```", "", "| | | |", "|---|---|---|")
    for name, parameter in inspect.signature(full_command(entry)).parameters.items():
        if name not in ("verbose", "debug"):
            kind, info = get_args(parameter.annotation)
            yield f"| {_names(info)} | {_choices(kind, info)} | {_cell(info.help or '')} |"


def _names(info: Any) -> str:
    """The option's names, or the argument's word."""
    if isinstance(info, ArgumentInfo):
        return f"`{info.metavar}`"
    names = [info.default, *(info.param_decls or ())] if isinstance(info.default, str) else list(info.param_decls or ())
    return ", ".join(f"`{name}`" for name in names)


def _choices(kind: Any, info: Any) -> str:
    """What is given with it: the choices, or the word of the help."""
    kinds = [kind, *get_args(kind)]
    choices = [choice for one_kind in kinds if get_origin(one_kind) is Literal for choice in get_args(one_kind)]
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    if isinstance(info, ArgumentInfo) or bool in kinds:
        return ""
    word = info.metavar or next(k.__name__.upper() for k in kinds if isinstance(k, type) and k is not type(None))
    return f"`{_cell(word)}`"


def _options(section: str, model: type[Options], flags: dict[str, str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        mark = " *" if field.json_schema_extra == CHANGES_NOTHING else ""
        choices = [value for value in get_args(field.annotation) if isinstance(value, str)]
        listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
        flag = flags.get(f"{section}.{name}", "")
        yield f"| `{name}`{mark} | {_default(field.default)} | {_cell(field.description or '')}{listed} | {flag} |"


def _flags() -> dict[str, str]:
    """The command-line option of each field that has one."""
    return {option.key: f"`{option.flag}`" for entry in COMMANDS for option in entry.options}


def _default(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 4:
        return f"{len(value)} values: `aramega init` lists them"
    shown = list(value) if isinstance(value, tuple) else value
    return f"`{_cell(str(shown))}`" if shown != "" else "empty"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    pages = {"commands": commands_page, "options": options_page}
    if len(sys.argv) != 2 or sys.argv[1] not in pages:
        sys.exit("which page? python -m aramega.cli.reference commands, or options")
    print(pages[sys.argv[1]](), end="")
