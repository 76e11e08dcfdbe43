"""`aramega review …`: people listen, correct and judge in Label Studio, and their work comes back.

The commands that speak to a server are here; the one that starts it is in `review_start`; `status`, `agreement` and
`resolve`, which read the workspace alone, are in `review_settle`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aramega.cli.build import ALL_DONE, DONE_WITH_FAILURES, USUAL
from aramega.cli.look import Folder
from aramega.cli.review_settle import agreement, resolve, status
from aramega.cli.review_start import start
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.config import ReviewConfig
    from aramega.labelstudio.client import LabelStudioClient
    from aramega.labelstudio.push import PushRequest
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

NAMED = 20
"""Complaints shown one by one; the rest are counted."""

Url = Annotated[str | None, typer.Option("--url", help="Label Studio's address; default: review.url.")]
ProjectOption = Annotated[
    str | None, typer.Option("--project", "-p", metavar="NAME|ID", help="Default: aramega and the workspace's name.")
]
Where = Annotated[
    str | None, typer.Option("--where", metavar="SQL", help="Which passages, for example: priority > 0.5.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most this many, the most useful first.")]
Template = Annotated[
    str | None,
    typer.Option("--template", metavar="FILE", help="A labelling configuration, or the name of one of ours."),
]
AudioOption = Annotated[
    str | None, typer.Option("--audio", help="local, local:FOLDER, upload, or https://… or s3://… before the clips.")
]
Passages = Annotated[
    Path | None,
    typer.Option("--passages", metavar="FILE", help="Just the passages whose ids are in this file, one a line."),
]

app = typer.Typer(no_args_is_help=True, help="Let people correct the drafts in Label Studio, and settle what they say.")


@app.command()
def push(
    workspace: Folder = USUAL,
    project: ProjectOption = None,
    url: Url = None,
    where: Where = None,
    limit: Limit = None,
    template: Template = None,
    audio: AudioOption = None,
    overlap: Annotated[
        float | None, typer.Option("--overlap", min=0, max=1, help="The share of tasks several annotators get.")
    ] = None,
    annotators: Annotated[int | None, typer.Option("--annotators", min=1, help="How many get those.")] = None,
    gold: Annotated[
        float | None, typer.Option("--gold", min=0, max=0.5, help="The share of tasks whose answer is known.")
    ] = None,
    passages: Passages = None,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against", metavar="DIR", help="A workspace with other summaries of the same passages, to choose from."
        ),
    ] = None,
) -> int:
    """Send drafted passages to Label Studio, once each; again, and only what is new or changed is sent."""
    from aramega.labelstudio.push import push as send

    place, store, config = _open(workspace)
    request = _request(place, config, project, where, limit, template, audio, passages)
    rivals = type(place)(against.absolute()) if against else None
    request = _changed(request, overlap=overlap, annotators=annotators, gold=gold, against=rivals)
    with store, _server(url or config.url) as server:
        done = send(store, place, server, request, say=_tell)
    _list(done.skipped, "left out")
    _list(done.remarks, "mind")
    more = [
        f"{done.replaced:,} drafts replaced" if done.replaced else "",
        f"{done.waiting:,} have newer drafts but also people's work, and keep what people saw" if done.waiting else "",
        f"{done.doubles:,} doubled tasks removed" if done.doubles else "",
        f"{len(done.skipped):,} left out" if done.skipped else "",
    ]
    print("; ".join(filter(None, (f"{done.new:,} new, {done.same:,} there already", *more))) + ".")
    print(f"Annotate: {done.link}")
    return DONE_WITH_FAILURES if done.skipped else ALL_DONE


@app.command()
def pull(
    workspace: Folder = USUAL,
    project: ProjectOption = None,
    url: Url = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Read all tasks again, not only those that changed since the last pull.")
    ] = False,
) -> int:
    """Take what annotators did since the last time into the workspace."""
    from aramega.labelstudio.pull import pull as take
    from aramega.labelstudio.pull import pull_everything

    place, store, config = _open(workspace)
    with store, _server(url or config.url) as server:
        fetch = pull_everything if everything else take
        done = fetch(store, server, _project_name(place, config, project), say=_tell)
    _list(done.complaints, "mind")
    print(f"{done.new:,} new reviews; {done.looked_at:,} tasks with changes looked at.")
    if done.refused:
        print(f"{done.refused:,} tasks refused: their work waits on the server. Mend them there, then pull --all.")
    return DONE_WITH_FAILURES if done.refused else ALL_DONE


@app.command("check-config")
def check_config(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A labelling configuration, or the name of one of ours.")],
) -> int:
    """Say whether push and pull can use a labelling configuration, and what is wrong if not."""
    from aramega.labelstudio.form import load_template, read_form

    form = read_form(load_template(file))
    for line in form.complaints:
        print(f"wrong: {line}")
    for line in form.remarks:
        print(f"mind: {line}")
    if form.complaints:
        return 2
    print(f"{file}: good. Pull reads {', '.join(form.controls)}.")
    return ALL_DONE


@app.command()
def preview(
    workspace: Folder = USUAL,
    passage: Annotated[str | None, typer.Option("--passage", help="Which; default: the most useful one.")] = None,
    project: ProjectOption = None,
    url: Url = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only say where it is.")] = True,
) -> None:
    """Open one task as an annotator sees it."""
    from aramega.labelstudio.projects import find_task, need_project

    place, store, config = _open(workspace)
    with store, _server(url or config.url) as server:
        found = need_project(server, _project_name(place, config, project))
        link = f"{server.url}/projects/{found.id}/data?task={find_task(server, found, passage)}"
    print(link)
    if browser:
        typer.launch(link)


@app.command()
def serve(
    workspace: Folder = USUAL,
    project: ProjectOption = None,
    url: Url = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens for Label Studio.")] = 9090,
    host: Annotated[
        str, typer.Option("--host", help="Beyond this machine it wants ARAMEGA_SERVE_SECRET.")
    ] = "127.0.0.1",
    address: Annotated[
        str | None, typer.Option("--connect", metavar="ADDRESS", help="Also tell Label Studio: it reaches us here.")
    ] = None,
) -> None:
    """Answer Label Studio: drafts on demand (its ML backend protocol), and webhooks instead of polling."""
    from aramega.config import choose_config
    from aramega.labelstudio.ml_backend import Backend, connect, make_server
    from aramega.labelstudio.projects import need_project
    from aramega.labelstudio.redraft import redraft
    from aramega.pipeline import Pipeline

    place, store, config = _open(workspace)
    secret = os.environ.get("ARAMEGA_SERVE_SECRET", "")
    with store, _server(url or config.url) as server:
        found = need_project(server, _project_name(place, config, project))
        models = choose_config(None, place.config)
        draft = lambda passage: redraft(store, Pipeline.from_config(models, place), passage)  # noqa: E731
        endpoint = make_server(Backend(store, server, found, draft, secret), host, port)
        if address:
            connect(server, found, address.rstrip("/"), secret)
        print(f"Serving {found.title} at http://{host}:{endpoint.server_port} (webhooks: /webhook). Ctrl-C stops.")
        sys.stdout.flush()
        endpoint.serve_forever()


@app.command("export-files")
def export_files(
    workspace: Folder = USUAL,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; default: DIR/review/.")] = None,
    where: Where = None,
    limit: Limit = None,
    template: Template = None,
    audio: AudioOption = None,
    passages: Passages = None,
) -> int:
    """Write tasks as files for Label Studio's own import dialog."""
    from aramega.labelstudio.files import export_files as write

    place, store, config = _open(workspace)
    request = _request(place, config, None, where, limit, template, audio, passages)
    with store:
        done = write(store, place, out or place.root / "review", request)
    _list(done.skipped, "left out")
    for file in done.files:
        print(file)
    print(f"{done.tasks:,} tasks.", file=sys.stderr)
    return DONE_WITH_FAILURES if done.skipped else ALL_DONE


@app.command("import-files")
def import_files(
    workspace: Folder,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="What Label Studio exported as JSON.")],
    url: Annotated[str, typer.Option("--url", help="The server they come from, so that a later pull knows them.")] = "",
    annotator: Annotated[
        list[str] | None,
        typer.Option("--annotator", metavar="ID=EMAIL", help="Who a number in the export is; may be repeated."),
    ] = None,
) -> int:
    """Take reviews from files that Label Studio's export dialog wrote."""
    from aramega.labelstudio.files import import_files as read

    _, store, _ = _open(workspace)
    with store:
        done = read(store, files, url=url.rstrip("/"), people=_people(annotator or []))
    _list(done.complaints, "mind")
    print(f"{done.new:,} new reviews; {done.looked_at:,} tasks with work in them.")
    return DONE_WITH_FAILURES if done.refused else ALL_DONE


app.command()(start)
app.command()(status)
app.command()(agreement)
app.command()(resolve)


def _request(
    place: WorkspaceFolder,
    config: ReviewConfig,
    project: str | None,
    where: str | None,
    limit: int | None,
    template: str | None,
    audio: str | None,
    passages: Path | None,
) -> PushRequest:
    from aramega.labelstudio.push import PushRequest

    return PushRequest(
        project=_project_name(place, config, project),
        where=config.where if where is None else where,
        limit=limit,
        template=config.template if template is None else template,
        audio=config.audio if audio is None else audio,
        overlap=config.overlap,
        annotators=config.annotators,
        gold=config.gold,
        passages=passages.read_text(encoding="utf-8").split() if passages else None,
    )


def _changed(record: Any, **values: Any) -> Any:
    """The record with the values that were given."""
    from dataclasses import replace

    return replace(record, **{k: v for k, v in values.items() if v is not None})


def _open(folder: Path) -> tuple[WorkspaceFolder, Store, ReviewConfig]:
    from aramega.cli.home import at_home
    from aramega.config import choose_config
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(folder.absolute())
    store = Store.open(place)
    at_home(place, store)
    return place, store, choose_config(None, place.config).review


def _project_name(place: WorkspaceFolder, config: ReviewConfig, named: str | None) -> str:
    return named or config.project or f"aramega {place.root.name}"[:50]


def _server(url: str) -> LabelStudioClient:
    from aramega.labelstudio.client import LabelStudioClient, checked_url
    from aramega.labelstudio.credentials import find_token

    if not find_spec("httpx"):
        raise AramegaError("httpx is not installed: pip install '.[review]' in aramega's clone.")
    address = checked_url(url)
    return LabelStudioClient(address, find_token(address))


def _people(named: Sequence[str]) -> dict[int, str]:
    pairs = [one.partition("=") for one in named]
    if wrong := [number for number, equals, _ in pairs if not (equals and number.isdigit())]:
        raise AramegaError(f"--annotator {wrong[0]}: give ID=EMAIL, for example 3=amal@example.org.")
    return {int(number): email for number, _, email in pairs}


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _list(lines: Sequence[str], what: str) -> None:
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr)  # noqa: E731
    for line in lines[:NAMED]:
        say(f"{what}: {line}")
    if len(lines) > NAMED:
        say(f"{what}: … and {len(lines) - NAMED:,} more.")
