"""`aramega review status`, `agreement`, `calibrate`, `resolve`: how far the review is, how well people agree, what
reviews teach of drafts, and settling them.

None of them needs a server: they read what `aramega review pull` brought into the workspace.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aramega.cli.command import command
from aramega.cli.options import AsJson, DryRun, Where

if TYPE_CHECKING:
    from aramega.api import Workspace


@command("review status", panel="Review", example="aramega review status news")
def status(workspace: Workspace, where: Where = "", as_json: AsJson = False) -> None:
    """Who has done how much, how fast, how far from the drafts, and when the rest will be done."""
    from aramega.cli.output import print_json
    from aramega.cli.review_tables import show_progress

    progress = workspace.review.progress(where)
    print_json(progress.to_dict()) if as_json else show_progress(progress)


@command("review agreement", panel="Review", example="aramega review agreement news --out disagreements.html")
def agreement(
    workspace: Workspace,
    where: Where = "",
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many disagreements to list.")] = 10,
    page: Annotated[
        Path | None,
        typer.Option("--out", "-o", "--html", metavar="FILE", help="Also write all disagreements as a page to read."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How far annotators agree, with one another and with gold, and what they disagree on most."""
    from aramega.cli.output import print_json
    from aramega.cli.review_tables import show_agreement

    agreement = workspace.review.agreement(where, page=page)
    print_json(agreement.to_dict()) if as_json else show_agreement(agreement, worst)
    if page and not as_json:
        print(f"\n{page}: {len(agreement.disagreements)} disagreements, word by word")


@command("review calibrate", panel="Review", example="aramega review calibrate news")
def calibrate(workspace: Workspace, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Learn from the reviews how likely a draft is right, and send the likeliest wrong and richest drafts first."""
    from aramega.cli.calibration_table import show_calibration
    from aramega.cli.output import print_json

    calibration = workspace.review.calibrate(dry_run=dry_run)
    print_json(calibration.to_dict()) if as_json else show_calibration(calibration)


@command("review resolve", panel="Review", example="aramega review resolve news --policy referee --for-referee ids.txt")
def resolve(
    workspace: Workspace,
    policy: Annotated[
        Literal["single", "majority", "gold", "trusted", "referee"],
        typer.Option("--policy", "-p", help="Which answer stands where several people gave one."),
    ] = "majority",
    referee: Annotated[
        list[str] | None,
        typer.Option(
            "--referee", metavar="NAME", help="With --policy referee: whose word settles it; may be repeated."
        ),
    ] = None,
    for_referee: Annotated[
        Path | None,
        typer.Option(
            "--for-referee", metavar="FILE", help="Write the passages a referee has to look at, one id a line."
        ),
    ] = None,
    where: Where = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Settle drafts and reviews into one answer per field, and keep it in the workspace.

    single: the last review. majority: labels by vote, the text closest to all others. gold: gold reviews first.
    trusted: who agrees best with gold. referee: where annotators disagree, a referee has to look.
    """
    from aramega.cli.output import print_json
    from aramega.cli.review_tables import show_settlement, write_for_referee

    settlement = workspace.resolve(policy, referees=referee or (), where=where, dry_run=dry_run)
    if for_referee:
        write_for_referee(settlement, for_referee)
    if as_json:
        print_json(settlement.to_dict())
    else:
        show_settlement(settlement, workspace.path, for_referee)
