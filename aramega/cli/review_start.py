"""`aramega review start`: a Label Studio of one's own, or the recipe for a team's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.command import command
from aramega.cli.options import AsJson
from aramega.cli.output import print_json

if TYPE_CHECKING:
    from aramega.api import Workspace
    from aramega.api.review import RunningServer


@command("review start", panel="Review", example="aramega review start news")
def start(
    workspace: Workspace,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Where the server listens, on this machine alone.")
    ] = 8080,
    with_compose: Annotated[
        bool, typer.Option("--with-compose", help="Only print a docker-compose file for a team's server.")
    ] = False,
    with_serve: Annotated[
        bool,
        typer.Option("--with-serve", help="Let it call `review serve` on this machine; else it calls nobody here."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a Label Studio of your own, on this machine only, that can play this workspace's clips.

    It is installed into an environment of its own on first use. Ctrl-C stops it; work and password stay.
    """
    if with_compose:
        text = workspace.review.compose_file()
        print_json({"compose": text}) if as_json else print(text, end="")
        return
    with workspace.review.running_server(port, with_serve=with_serve) as server:
        _print(server) if as_json else _show(server, workspace)
        server.wait()


def _print(server: RunningServer) -> None:
    """Without password and token: what machines print is often kept in logs."""
    print_json(
        {"address": server.url, "user": server.credentials.email, "credentials": server.credentials_file}, indent=None
    )


def _show(server: RunningServer, workspace: Workspace) -> None:
    credentials, file = server.credentials, server.credentials_file
    print(f"Label Studio: {server.url}\nUser: {credentials.email}")
    if server.is_new:
        print(f"Password: {credentials.password}\nToken: {credentials.token}")
        print(f"They are shown this once, and kept in {file}, which only you can read.")
    else:
        print(f"Password and token: in {file}")
    print(f"Next: aramega review push {workspace.path} --url {server.url}")
    sys.stdout.flush()
