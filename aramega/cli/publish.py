"""`aramega publish` and `aramega diff`: make a dataset of a workspace, and see what changed between two versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aramega.cli.build import USUAL
from aramega.cli.look import Folder
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.config import Config
    from aramega.publish import Published, Target
    from aramega.publish.index import Difference
    from aramega.publish.versions import Version
    from aramega.workspace import WorkspaceFolder

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
Format = Annotated[
    str, typer.Option("--format", help="parquet, or webdataset, lhotse or nemo for those stacks (with --to only).")
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Load it back through `datasets` and compare every row and clip.")
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
    format: Format = "parquet",
    verify: Verify = False,
    force: Force = False,
) -> None:
    """Make a Hugging Face dataset: parquet with embedded audio, splits that don't leak, a card that tells the truth.

    Killed? The same command goes on. A new version appears whole or not at all.
    """
    from aramega.cli.home import at_home
    from aramega.publish import PublishJob
    from aramega.publish import publish as make
    from aramega.publish.folder import FolderTarget
    from aramega.publish.hub import HubTarget
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(workspace.absolute())
    with Store.open(place) as store:
        at_home(place, store)
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
        job = PublishJob(config.publish, config.label, target, tag, withdrawn, format, dry_run, _say)
        made = make(store, place, job)
    _show(made, target, dry_run=dry_run)
    if verify and not dry_run:
        _verify(target, create_pr=create_pr)


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, or org/name@revision on the Hub.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another, newer one.")],
    ids: Annotated[bool, typer.Option("--ids", help="Name every row, and what of it changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Say what changed between two published versions, without their audio."""
    import json
    from tempfile import TemporaryDirectory

    from aramega.publish.index import compare
    from aramega.publish.versions import describe

    with TemporaryDirectory() as folder:
        before, after = (_version(place, Path(folder) / side) for place, side in ((old, "old"), (new, "new")))
        changes = compare(before.indexes, after.indexes)
        if as_json:
            print(json.dumps({name: _told(one) for name, one in changes.items()}, ensure_ascii=False, indent=1))
            return
        print(f"version {before.name} ({before.date}) to version {after.name} ({after.date})")
        for line in describe(changes):
            print(line.replace("`", ""))
        for name, one in changes.items() if ids else ():
            for line in _rows(one):
                print(f"  {name}  {line}")


def _verify(target: Target, *, create_pr: bool) -> None:
    from aramega.publish.verify import verify

    if create_pr:
        raise AramegaError("--verify reads what is on main, and --create-pr leaves main as it was: merge it first.")
    version = target.published()
    if "ssum" not in {name.partition("/")[0] for name in version.files}:
        raise AramegaError("--verify reads parquet: other formats have readers of their own.")
    looked = verify(version, target.name)
    print(f"verified: {looked.rows:,} rows as they were meant, {looked.decoded} clips decoded")


def _version(place: str, folder: Path) -> Version:
    """A version in a folder, or fetched from the Hub."""
    from aramega.publish.hub import fetch_version
    from aramega.publish.versions import read_version

    if Path(place).is_dir():
        version = read_version(Path(place), place)
    elif place.partition("@")[0].count("/") == 1 and not place.startswith((".", "/")):
        repo, _, revision = place.partition("@")
        version = fetch_version(repo, revision or None, folder)
    else:
        raise AramegaError(f"{place}: no such folder, and not org/name[@revision] on the Hub.")
    if version is None:
        raise AramegaError(f"{place}: no version that `aramega publish` made (it has no manifest.json of ours).")
    return version


def _told(one: Difference) -> dict[str, Any]:
    return {
        "before": dict(one.before),
        "after": dict(one.after),
        "added": one.added,
        "removed": one.removed,
        "changed": {number: list(names) for number, names in one.changed.items()},
        "moved": {number: list(splits) for number, splits in one.moved.items()},
    }


def _rows(one: Difference) -> Iterator[str]:
    yield from (f"{number}  added" for number in one.added)
    yield from (f"{number}  removed" for number in one.removed)
    yield from (f"{number}  changed: {', '.join(names)}" for number, names in one.changed.items())
    yield from (f"{number}  moved from {a} to {b}" for number, (a, b) in one.moved.items())


def _options(place: WorkspaceFolder, settings: list[str], **given: Any) -> Config:
    """The workspace's own, changed by --set, changed by the command's options."""
    from aramega.config import choose_config

    options = {f"publish.{name}": value for name, value in given.items() if value is not None}
    return choose_config(None, place.config, settings, options)


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
