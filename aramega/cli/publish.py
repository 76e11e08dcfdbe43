"""`aramega publish` and `aramega diff`: make a dataset of a workspace, and see what changed between two versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aramega.cli.build import USUAL
from aramega.cli.look import Folder
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.config import Config
    from aramega.publish import Published, Target
    from aramega.workspace import Workspace

To = Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Publish into this folder.")]
Repo = Annotated[str | None, typer.Option("--repo", metavar="ORG/NAME", help="Publish on the Hugging Face Hub.")]
Private = Annotated[bool, typer.Option("--private", help="A new repository is private.")]
Gated = Annotated[
    bool, typer.Option("--gated", help="Who wants the data must agree to share their name with you first.")
]
CreatePr = Annotated[bool, typer.Option("--create-pr", help="Propose the version as a pull request.")]
Tag = Annotated[str, typer.Option("--tag", help="Name this version, for example v1.0; on the Hub it becomes a tag.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
Where = Annotated[str | None, typer.Option("--where", help="Only passages for which this SQL expression is true.")]
MinVerification = Annotated[
    str | None, typer.Option("--min-verification", help="What a person must have confirmed: none, any, text or all.")
]
TestVerified = Annotated[
    bool | None,
    typer.Option(
        "--test-verified-only/--no-test-verified-only",
        help="Whether test and validation hold only rows whose transcript and summary a person confirmed.",
    ),
]
Licences = Annotated[
    str | None, typer.Option("--licences", metavar="A,B", help="Only recordings under one of these licences.")
]
Withdrawn = Annotated[
    Path | None,
    typer.Option(
        "--withdrawn",
        metavar="FILE",
        help="Recordings (id, name or URL, one a line) that leave the set and stay out; remembered.",
    ),
]
Configurations = Annotated[
    str | None,
    typer.Option("--configurations", metavar="A,B", help="Some of ssum, asr, dialect, emotion, text_summ, raw."),
]
Seconds = Annotated[float | None, typer.Option(min=0, help="Length limit of a passage, in seconds.")]
Leaks = Annotated[str | None, typer.Option("--leaks", help="fail, or drop rows of train that another split says too.")]
ShardMb = Annotated[int | None, typer.Option("--shard-mb", min=1, help="Megabytes in a file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="SECTION.KEY=VALUE", help="Change one option of aramega.toml, for example publish.title=…"
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what aramega did not publish.")]


def publish(
    workspace: Folder = USUAL,
    *,
    to: To = None,
    repo: Repo = None,
    private: Private = False,
    gated: Gated = False,
    create_pr: CreatePr = False,
    tag: Tag = "",
    dry_run: DryRun = False,
    where: Where = None,
    min_verification: MinVerification = None,
    test_verified_only: TestVerified = None,
    licences: Licences = None,
    withdrawn: Withdrawn = None,
    configurations: Configurations = None,
    min_seconds: Seconds = None,
    max_seconds: Seconds = None,
    leaks: Leaks = None,
    shard_mb: ShardMb = None,
    settings: Settings = None,
    force: Force = False,
) -> None:
    """Make a Hugging Face dataset: parquet with embedded audio, splits that don't leak, a card that tells the truth.

    Killed? The same command goes on. A new version appears whole or not at all.
    """
    from aramega.publish import publish as make
    from aramega.publish.folder import FolderTarget
    from aramega.publish.hub import HubTarget
    from aramega.store import Store
    from aramega.workspace import Workspace

    place = Workspace(workspace.absolute())
    with Store.open(place) as store:
        config = _options(
            place,
            settings or [],
            where=where,
            min_verification=min_verification,
            test_verified_only=test_verified_only,
            licences=_listed(licences),
            configurations=_listed(configurations),
            min_seconds=min_seconds,
            max_seconds=max_seconds,
            leaks=leaks,
            shard_mb=shard_mb,
        )
        if (to is None) == (repo is None):
            raise AramegaError("say where to: --to DIR or --repo ORG/NAME, one of the two.")
        target: Target
        if repo is not None:
            gate: Literal["auto", ""] = "auto" if gated else ""
            target = HubTarget(repo, place, tag, private, gate, create_pr, force, _say)
        else:
            assert to is not None
            target = FolderTarget(to.absolute(), force=force)
        made = make(
            store, place, config.publish, config.label, target, tag=tag, withdrawn=withdrawn, dry_run=dry_run, say=_say
        )
    _show(made, target, dry_run=dry_run)


def _options(place: Workspace, settings: list[str], **given: Any) -> Config:
    """The workspace's own, changed by --set, changed by the command's options."""
    from aramega.config import choose_config

    changes = [*settings, *(f"publish.{name}={_toml(value)}" for name, value in given.items() if value is not None)]
    return choose_config(None, place.config, changes)


def _toml(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _show(made: Published, target: Target, *, dry_run: bool) -> None:
    from aramega.publish.versions import describe

    for note in made.plan.notes:
        _say(f"note: {note}")
    left_out = {reason: times for reason, times in made.plan.funnel.items() if reason and times}
    for reason, times in sorted(left_out.items(), key=lambda one: -one[1]):
        _say(f"left out: {times:,} {reason}")
    for line in describe(made.changes):
        print(line.replace("`", ""))
    if dry_run:
        print(f"nothing was written to {target.name}")
    elif made.changed:
        print(f"published: {target.link or target.name}")
    else:
        print(f"{target.name} has all of it already")
