"""`aramega review start`: a Label Studio of one's own, or the recipe for a team's."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import USUAL
from aramega.cli.look import Folder
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.workspace import WorkspaceFolder


def start(
    workspace: Folder = USUAL,
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
) -> None:
    """Run a Label Studio of your own, on this machine only, that can play this workspace's clips.

    It is installed into an environment of its own on first use. Ctrl-C stops it; work and password stay.
    """
    from aramega.labelstudio.compose import compose_file
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(workspace.absolute())
    print(compose_file(place), end="") if with_compose else _run_server(place, port, with_serve)


def _run_server(workspace: WorkspaceFolder, port: int, with_serve: bool) -> None:
    from aramega.labelstudio.credentials import load_credentials, make_credentials, save_credentials
    from aramega.labelstudio.local_server import (
        data_folder,
        install_server,
        let_it_call_us,
        running_server,
        server_variables,
    )

    if not workspace.database.exists():
        raise AramegaError(f"{workspace.root} is not a workspace yet: aramega build-ssum FOLDER -w {workspace.root}.")
    print("Installing Label Studio, if it is not there yet …", file=sys.stderr)
    program = install_server()
    home, url = data_folder(workspace), f"http://127.0.0.1:{port}"
    known = load_credentials(home)
    credentials = replace(known or make_credentials(url), url=url)
    home.mkdir(parents=True, exist_ok=True)
    file = save_credentials(home, credentials)
    print("Starting (the first time takes a minute) …", file=sys.stderr)
    variables = server_variables(credentials, home, workspace.root, os.environ)
    variables = let_it_call_us(variables) if with_serve else variables
    with running_server(program, port, variables, home / "label-studio.log") as process:
        print(f"Label Studio: {url}\nUser: {credentials.email}")
        print(
            f"Password and token: in {file}"
            if known
            else f"Password: {credentials.password}\nToken: {credentials.token}"
        )
        if not known:
            print(f"They are shown this once, and kept in {file}, which only you can read.")
        print(f"Next: aramega review push {workspace.root} --url {url}")
        sys.stdout.flush()
        process.wait()
