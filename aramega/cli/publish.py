"""`aramega publish` and `aramega diff`: make a dataset of a workspace, and see what changed between two versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aramega.cli.command import Changes, command
from aramega.cli.config_options import ConfigOption
from aramega.cli.exit_codes import ALL_DONE
from aramega.cli.options import AsJson, DryRun

if TYPE_CHECKING:
    from aramega.api import Workspace

GOES_IN = "What goes in"

OPTIONS = (
    ConfigOption("publish.where", "--where", "SQL", GOES_IN),
    ConfigOption("publish.min_verification", "--min-verification", panel=GOES_IN),
    ConfigOption("publish.test_verified_only", "--test-verified-only", panel=GOES_IN),
    ConfigOption(
        "publish.licences",
        "--licences",
        "A,B",
        GOES_IN,
        "Only recordings under one of these licences, for example cc-by-4.0.",
    ),
    ConfigOption("publish.min_seconds", "--min-seconds", panel=GOES_IN),
    ConfigOption("publish.max_seconds", "--max-seconds", panel=GOES_IN),
    ConfigOption("publish.leaks", "--leaks", panel=GOES_IN),
    ConfigOption(
        "publish.configurations",
        "--configurations",
        "A,B",
        GOES_IN,
        "Some of ssum, asr, dialect, emotion, text_summ, raw; raw is published only where it is named.",
    ),
    ConfigOption("publish.shard_mb", "--shard-mb", panel="Where to"),
)


def _where_to(*names: str, metavar: str | None = None, help: str, panel: str = "Where to") -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(*names, metavar=metavar, help=help, rich_help_panel=panel)
    return option


To = Annotated[Path | None, _where_to("--out", "-o", "--to", metavar="DIR", help="Publish into this folder.")]
Repo = Annotated[str | None, _where_to("--repo", metavar="ORG/NAME", help="Publish on the Hugging Face Hub.")]
Format = Annotated[
    Literal["parquet", "webdataset", "lhotse", "nemo"],
    _where_to("--format", "-f", help="parquet, or what those stacks read (with --out only)."),
]
Tag = Annotated[str, _where_to("--tag", help="Name this version, for example v1.0; on the Hub it becomes a tag.")]
Force = Annotated[bool, _where_to("--force", help="Replace what aramega did not publish.")]
Private = Annotated[bool, _where_to("--private", help="A new repository is private.", panel="Hub")]
Gated = Annotated[
    bool,
    _where_to("--gated", help="Who wants the data must agree to share their name with you first.", panel="Hub"),
]
CreatePr = Annotated[bool, _where_to("--create-pr", help="Propose the version as a pull request.", panel="Hub")]
Withdrawn = Annotated[
    Path | None,
    _where_to(
        "--withdrawn",
        metavar="FILE",
        help="Recordings (id, name or URL, one a line) that leave the set and stay out; remembered.",
        panel=GOES_IN,
    ),
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Load it back through `datasets` and compare every row and clip.")
]


@command("publish", panel="Publish", example="aramega publish news --out dataset --licences cc-by-4.0", options=OPTIONS)
def publish(
    workspace: Workspace,
    changes: Changes,
    *,
    to: To = None,
    repo: Repo = None,
    private: Private = False,
    gated: Gated = False,
    create_pr: CreatePr = False,
    tag: Tag = "",
    dry_run: DryRun = False,
    withdrawn: Withdrawn = None,
    format: Format = "parquet",
    verify: Verify = False,
    force: Force = False,
    as_json: AsJson = False,
) -> int:
    """Make a Hugging Face dataset: parquet with embedded audio, splits that don't leak, a card made from the data.

    Killed? The same command goes on. A new version appears whole or not at all.
    """
    from aramega.api.publishing import HubOptions, PublishRequest, publish
    from aramega.cli.publish_results import show_publication, show_verified

    config = workspace.changed_config(changes.file, changes.settings, changes.options)
    request = PublishRequest(config, to, repo, tag, HubOptions(private, gated, create_pr), withdrawn, format, force)
    publication = publish(workspace, request, dry_run=dry_run)
    show_publication(publication, dry_run=dry_run, as_json=as_json)
    if verify and not dry_run:
        show_verified(publication, request, as_json=as_json)
    return ALL_DONE


@command("diff", panel="Publish", example="aramega diff dataset-v1 dataset-v2 --ids", workspace="no")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, or org/name@revision on the Hub.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another, newer one.")],
    ids: Annotated[bool, typer.Option("--ids", help="Name every row, and what of it changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two published versions, without their audio."""
    from aramega.api.publishing import comparing
    from aramega.cli.output import print_json
    from aramega.cli.publish_results import difference_to_dict, show_difference

    with comparing(old, new) as difference:
        if as_json:
            print_json({name: difference_to_dict(change) for name, change in difference.changes.items()})
        else:
            show_difference(difference, ids=ids)
