"""How a function becomes a command: a table entry says where it stands in the help, an example, and what it is given.

`@command(...)` gives a function what commands have in common, so that its body is only parse, call, show:

- `workspace`: the `Workspace` that DIR or -w names, or that is found (`aramega.api.locate`);
- `changes`: the options that come from configuration models (`config_options.py`), with their typed values;
- `-v` and `--debug`.

Options that come from models are added only when a command is run or explained: the models take longer to import than
`aramega --help` may take.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from aramega.cli.session import apply_flags

if TYPE_CHECKING:
    from aramega.api import Workspace
    from aramega.cli.config_options import ConfigOption

Panel = Literal["Build", "Review", "Publish", "Look", "Keep", "Help"]
"""The headings of the help, in the order of work."""
TakesWorkspace = Literal["DIR or -w", "-w", "no"]

_GIVEN = ("workspace", "changes")

WorkspaceArgument = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="The workspace; default: as for -w.", show_default=False),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        help="The workspace; default: $ARAMEGA_WORKSPACE, else the one the current folder lies in, else "
        "./aramega-workspace.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens.", rich_help_panel="Always")]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Log everything, and show an error's traceback.", rich_help_panel="Always"),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change one option, for example passages.max_seconds=90."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="A TOML file; else the workspace's own aramega.toml; else defaults."),
]


@dataclass(frozen=True)
class Changes:
    """Options of aramega.toml that a command line gives."""

    file: Path | None = None
    """A configuration instead of the workspace's own."""
    settings: Sequence[str] = ()
    """`section.key=value`, as --set takes them."""
    options: Mapping[str, object] = field(default_factory=dict)
    """By `section.key`, with their typed values."""


@dataclass(frozen=True)
class Entry:
    """One command of the table."""

    words: str
    """What is typed after `aramega`."""
    function: Callable[..., int | None]
    panel: Panel
    example: str
    workspace: TakesWorkspace
    options: tuple[ConfigOption, ...]

    @property
    def name(self) -> str:
        return self.words.rpartition(" ")[2]

    @property
    def epilog(self) -> str:
        return f"Example: {self.example}"


def command(
    words: str,
    *,
    panel: Panel,
    example: str,
    workspace: TakesWorkspace = "DIR or -w",
    options: tuple[ConfigOption, ...] = (),
) -> Callable[[Callable[..., int | None]], Entry]:
    """Make a table entry of a function."""
    return lambda function: Entry(words, function, panel, example, workspace, options)


def light_command(entry: Entry) -> Callable[..., Any]:
    """The function as typer registers it, without the options that come from models."""
    return _with_signature(entry, _parameters(entry, ()))


def full_command(entry: Entry) -> Callable[..., Any]:
    """The function with all its options."""
    from aramega.cli.config_options import parameter_of

    models = [parameter_of(option) for option in entry.options]
    return _with_signature(entry, _parameters(entry, models))


def _with_signature(entry: Entry, parameters: list[inspect.Parameter]) -> Callable[..., Any]:
    @functools.wraps(entry.function)
    def run(**values: Any) -> int | None:
        apply_flags(verbose=values.pop("verbose"), debug=values.pop("debug"))
        if entry.workspace != "no":
            values["workspace"] = _open_workspace(values.pop("folder", None), values.pop("workspace_option"))
        if entry.options:
            values["changes"] = _take_changes(entry, values)
        return entry.function(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameters(entry: Entry, models: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    """The function's own parameters between the workspace and the options that all commands take."""
    annotations = {n: a for n, a in entry.function.__annotations__.items() if n not in (*_GIVEN, "return")}
    holder: Any = SimpleNamespace(__annotations__=annotations)
    hints = get_type_hints(holder, entry.function.__globals__, include_extras=True)
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(entry.function).parameters.items()
        if name not in _GIVEN
    ]
    before = [_option("folder", WorkspaceArgument)] if entry.workspace == "DIR or -w" else []
    after = [_option("workspace_option", WorkspaceOption)] if entry.workspace != "no" else []
    if entry.options:
        after += [_option("config_file", ConfigFile), _option("settings", SetOption)]
    flags = [_option("verbose", Verbose, default=False), _option("debug", Debug, default=False)]
    return [*before, *own, *after, *models, *flags]


def _option(name: str, annotation: Any, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _open_workspace(folder: Path | None, option: Path | None) -> Workspace:
    from aramega.api import Workspace
    from aramega.api.locate import find_workspace
    from aramega.cli.output import note

    if folder and option and folder.absolute() != option.absolute():
        raise typer.BadParameter(f"{folder} and --workspace {option} are two workspaces: name one.")
    return Workspace(folder or option or find_workspace(), notify=note)


def _take_changes(entry: Entry, values: dict[str, Any]) -> Changes:
    """The options that come from models, taken out of `values`; those that were not given are none."""
    options: dict[str, object] = {}
    for option in entry.options:
        if (value := values.pop(option.name, None)) is not None:
            options |= dict.fromkeys((option.key, *option.also), option.parse(value))
    return Changes(values.pop("config_file"), values.pop("settings") or (), options)
