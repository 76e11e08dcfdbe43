"""`aramega review …`: people listen, correct and judge in Label Studio, and their work comes back.

The commands that speak to a server are here; the one that starts it is in `review_start`; `status`, `agreement` and
`resolve`, which read the workspace alone, are in `review_settle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.command import Changes, WorkspaceOption, command
from aramega.cli.config_options import ConfigOption
from aramega.cli.exit_codes import ALL_DONE, DONE_WITH_FAILURES, WRONG_USAGE
from aramega.cli.options import AsJson, DryRun, Out

if TYPE_CHECKING:
    from aramega.api import Workspace
    from aramega.api.review import Review

URL = ConfigOption("review.url", "--url", help="Label Studio's address; default: review.url.")
PROJECT = ConfigOption(
    "review.project", "--project", "NAME|ID", help="Default: aramega and the workspace's name.", short="-p"
)
WHICH = (
    ConfigOption("review.where", "--where", "SQL", help="Which passages, for example: priority > 0.5."),
    ConfigOption(
        "review.template", "--template", "FILE", help="A labelling configuration, or the name of one of ours."
    ),
    ConfigOption(
        "review.audio", "--audio", help="local, local:FOLDER, upload, or https://… or s3://… before the clips."
    ),
)
SEVERAL = (
    ConfigOption("review.overlap", "--overlap", help="The share of tasks several annotators get."),
    ConfigOption("review.annotators", "--annotators", help="How many get those."),
    ConfigOption("review.gold", "--gold", help="The share of tasks whose answer is known."),
)

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most this many, the most useful first.")]
Ids = Annotated[
    Path | None,
    typer.Option("--passages", metavar="FILE", help="Just the passages whose ids are in this file, one a line."),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against", metavar="DIR", help="A workspace with other summaries of the same passages, to choose from."
    ),
]


@command(
    "review push",
    panel="Review",
    example='aramega review push news --project "نشرات" --where "priority > 0.5" --limit 100',
    options=(URL, PROJECT, *WHICH, *SEVERAL),
)
def push(
    workspace: Workspace,
    changes: Changes,
    limit: Limit = None,
    passages: Ids = None,
    against: Against = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Send drafted passages to Label Studio, once each; again, and only what is new or changed is sent."""
    from aramega.cli.output import print_json
    from aramega.cli.review_results import show_pushed

    review = _changed(workspace, changes)
    result = review.push(review.request(limit=limit, passages=_ids(passages), against=against), dry_run=dry_run)
    print_json(result) if as_json else show_pushed(result, dry_run=dry_run)
    return DONE_WITH_FAILURES if result.skipped else ALL_DONE


@command("review pull", panel="Review", example='aramega review pull news --project "نشرات"', options=(URL, PROJECT))
def pull(
    workspace: Workspace,
    changes: Changes,
    everything: Annotated[
        bool, typer.Option("--all", help="Read all tasks again, not only those that changed since the last pull.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Take what annotators did since the last time into the workspace."""
    from aramega.cli.output import print_json
    from aramega.cli.review_results import show_pulled

    review = _changed(workspace, changes)
    result = review.pull(everything=everything, dry_run=dry_run)
    print_json(result) if as_json else show_pulled(result, dry_run=dry_run)
    return DONE_WITH_FAILURES if result.refused else ALL_DONE


@command("review check-config", panel="Review", example="aramega review check-config form.xml", workspace="no")
def check_config(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A labelling configuration, or the name of one of ours.")],
    as_json: AsJson = False,
) -> int:
    """Say whether push and pull can use a labelling configuration, and what is wrong if not."""
    from aramega.api.review import check_form
    from aramega.cli.output import print_json
    from aramega.cli.review_results import show_form

    form = check_form(file)
    if as_json:
        print_json({"fields": list(form.controls), "wrong": list(form.complaints), "mind": list(form.remarks)})
    else:
        show_form(form, file)
    return WRONG_USAGE if form.complaints else ALL_DONE


@command("review preview", panel="Review", example="aramega review preview news", options=(URL, PROJECT))
def preview(
    workspace: Workspace,
    changes: Changes,
    passage: Annotated[str | None, typer.Option("--passage", help="Which; default: the most useful one.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only say where it is.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open one task as an annotator sees it."""
    from aramega.cli.output import print_json

    review = _changed(workspace, changes)
    link = review.task_link(passage)
    print_json({"address": link}) if as_json else print(link)
    if browser and not as_json:
        typer.launch(link)


@command("review serve", panel="Review", example="aramega review serve news", options=(URL, PROJECT))
def serve(
    workspace: Workspace,
    changes: Changes,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it listens for Label Studio.")] = 9090,
    host: Annotated[
        str, typer.Option("--host", help="Beyond this machine it wants ARAMEGA_SERVE_SECRET.")
    ] = "127.0.0.1",
    address: Annotated[
        str, typer.Option("--connect", metavar="ADDRESS", help="Also tell Label Studio: it reaches us here.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Answer Label Studio: drafts on demand (its ML backend protocol), and webhooks instead of polling."""
    review = _changed(workspace, changes)
    show = _print_address if as_json else _show_address
    review.serve(show, host=host, port=port, connect_as=address)


@command("review export-files", panel="Review", example="aramega review export-files news --out tasks", options=WHICH)
def export_files(
    workspace: Workspace,
    changes: Changes,
    out: Out = None,
    limit: Limit = None,
    passages: Ids = None,
    as_json: AsJson = False,
) -> int:
    """Write tasks as files for Label Studio's own import dialog; default: into DIR/review/."""
    from aramega.cli.output import print_json
    from aramega.cli.review_results import show_exported

    review = _changed(workspace, changes)
    result = review.export_files(review.request(limit=limit, passages=_ids(passages)), out)
    print_json(result) if as_json else show_exported(result)
    return DONE_WITH_FAILURES if result.skipped else ALL_DONE


@command("review import-files", panel="Review", example="aramega review import-files news export.json", workspace="no")
def import_files(
    paths: Annotated[
        list[Path], typer.Argument(metavar="[DIR] FILE…", help="The workspace, and what Label Studio exported as JSON.")
    ],
    option: WorkspaceOption = None,
    url: Annotated[str, typer.Option("--url", help="The server they come from, so that a later pull knows them.")] = "",
    annotator: Annotated[
        list[str] | None,
        typer.Option("--annotator", metavar="ID=EMAIL", help="Who a number in the export is; may be repeated."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Take reviews from files that Label Studio's export dialog wrote."""
    from aramega.api import Workspace
    from aramega.cli.output import note, print_json
    from aramega.cli.review_results import people_of, show_imported

    folder, files = _split_folder(paths, option)
    people = people_of(annotator or ())
    result = Workspace(folder, notify=note).review.import_files(files, url=url, people=people, dry_run=dry_run)
    print_json(result) if as_json else show_imported(result, dry_run=dry_run)
    return DONE_WITH_FAILURES if result.refused else ALL_DONE


def _changed(workspace: Workspace, changes: Changes) -> Review:
    """The workspace's reviews, with the options that the command line gives."""
    return workspace.review.with_changes(changes.file, changes.settings, changes.options)


def _split_folder(paths: Sequence[Path], option: Path | None) -> tuple[Path, Sequence[Path]]:
    """The workspace, which may be the first of the paths, and the files."""
    from aramega.api.locate import find_workspace

    if option is None and len(paths) > 1 and not paths[0].is_file():
        return paths[0], paths[1:]
    return option or find_workspace(), paths


def _ids(file: Path | None) -> list[str] | None:
    return file.read_text(encoding="utf-8").split() if file else None


def _show_address(project: str, address: str) -> None:
    print(f"Serving {project} at {address} (webhooks: /webhook). Ctrl-C stops.", flush=True)


def _print_address(project: str, address: str) -> None:
    from aramega.cli.output import print_json

    print_json({"project": project, "address": address, "webhooks": f"{address}/webhook"}, indent=None)
