"""`aramega check-plugin`: whether a plugin holds to what a build expects of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aramega.cli.command import SetOption, command
from aramega.cli.exit_codes import ALL_DONE, DONE_WITH_FAILURES


@command(
    "check-plugin",
    panel="Help",
    example="aramega check-plugin laughter --set transcribe.model=parrot",
    workspace="no",
)
def check_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plugin, by the name of its entry point.")],
    settings: SetOption = None,
) -> int:
    """Try a plugin over the sample broadcast: build with it, kill the build, resume it, and compare the results."""
    from aramega.config import choose_config
    from aramega.pipeline.check_plugin import check_plugin as check

    drafted = ["transcribe.model=demo", "transcribe.pack=false", *(settings or [])]
    checks = list(check(name, choose_config(None, Path("aramega.toml of no workspace"), drafted)))
    for tried in checks:
        print(f"{'good' if tried.good else 'bad '}  {tried.what}: {tried.why}")
    return ALL_DONE if all(tried.good for tried in checks) else DONE_WITH_FAILURES
