"""`aramega check-plugin`: whether a plugin holds to what a build expects of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from aramega.cli.command import SetOption, command
from aramega.cli.exit_codes import ALL_DONE, DONE_WITH_FAILURES
from aramega.cli.options import AsJson


@command(
    "check-plugin",
    panel="Help",
    example="aramega check-plugin laughter --set transcribe.model=parrot",
    workspace="no",
)
def check_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The plugin, by the name of its entry point.")],
    settings: SetOption = None,
    as_json: AsJson = False,
) -> int:
    """Try a plugin over the sample broadcast: build with it, kill the build, resume it, and compare the results."""
    from aramega.api.plugins import check_plugin
    from aramega.cli.output import print_json

    checks = check_plugin(name, settings or ())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print(*(f"{'good' if check.good else 'bad '}  {check.what}: {check.why}" for check in checks), sep="\n")
    return ALL_DONE if all(check.good for check in checks) else DONE_WITH_FAILURES
