"""`aramega review status`, `agreement`, `resolve`: how far the review is, how well people agree, and settling it.

None of them needs a server: they read what `aramega review pull` brought into the workspace.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aramega.cli.build import USUAL

if TYPE_CHECKING:
    from aramega.backends.labelers import Names
    from aramega.store import Store

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")]
WhereOption = Annotated[
    str, typer.Option("--where", metavar="SQL", help="Only these passages, for example: dialect = 'EGY'.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


def status(workspace: Folder = USUAL, where: WhereOption = "", as_json: JsonOption = False) -> None:
    """Who has done how much, how fast, how far from the drafts, and when the rest will be done."""
    from aramega.cli.review_tables import show_progress
    from aramega.settle.progress import measure_workspace

    with _open(workspace) as store:
        found = measure_workspace(store, where=where)
    _print_json(found.to_dict()) if as_json else show_progress(found)


def agreement(
    workspace: Folder = USUAL,
    where: WhereOption = "",
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many disagreements to list.")] = 10,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write all disagreements as a page to read.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """How far annotators agree, with one another and with gold, and what they disagree on most."""
    from aramega.cli.review_tables import show_agreement
    from aramega.settle.agreement import measure_agreement
    from aramega.store.drafts import find_passages
    from aramega.store.reviews import reviewed_passages, reviews_of

    with _open(workspace) as store:
        chosen = set(find_passages(store, where))
        reviews = [r for passage in reviewed_passages(store) if passage in chosen for r in reviews_of(store, passage)]
    found = measure_agreement(reviews)
    if html:
        from aramega.report.agreement_page import write_page

        write_page(found, html)
    _print_json(found.to_dict()) if as_json else show_agreement(found, worst)
    if html and not as_json:
        print(f"\n{html}: {len(found.disagreements)} disagreements, word by word")


def resolve(
    workspace: Folder = USUAL,
    policy: Annotated[
        str, typer.Option("--policy", "-p", help="single, majority, gold, trusted or referee.")
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
    where: WhereOption = "",
    as_json: JsonOption = False,
) -> None:
    """Settle drafts and reviews into one answer per field, and keep it in the workspace.

    single: the last review. majority: labels by vote, the text closest to all others. gold: gold reviews first.
    trusted: who agrees best with gold. referee: where annotators disagree, a referee has to look.
    """
    from aramega.backends.labelers import EMOTIONS, REGIONS, Names
    from aramega.cli.review_tables import show_settlement
    from aramega.config import choose_config
    from aramega.settle.policies import Policy, policy_name
    from aramega.settle.resolve import resolve_workspace
    from aramega.workspace import WorkspaceFolder

    with _open(workspace) as store:
        inventory = choose_config(None, WorkspaceFolder(workspace).config).label
        labels = {
            "dialect": _home(Names(inventory.dialects, REGIONS, inventory.names)),
            "emotion": _home(Names(inventory.emotions, EMOTIONS, inventory.names)),
        }
        wanted = Policy(policy_name(policy), referees=frozenset(referee or ()), labels=labels)
        found = resolve_workspace(store, wanted, where=where)
    if for_referee:
        for_referee.write_text("".join(f"{passage}\n" for passage in found.for_referee), encoding="utf-8")
    _print_json(found.to_dict()) if as_json else show_settlement(found)
    if for_referee and found.for_referee and not as_json:
        send = f"aramega review push {shlex.quote(str(workspace))} --project Referee --passages {shlex.quote(str(for_referee))}"
        print(f"\nTo send them to a referee: {send}")


def _home(names: Names) -> Callable[[str], str]:
    """Annotators' labels are brought to the inventory as models' are."""
    return lambda said: next((score.label for score in names.scores({said: 1.0})), "")


def _open(folder: Path) -> Store:
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    return Store.open(WorkspaceFolder(folder.absolute()))


def _print_json(values: Mapping[str, Any]) -> None:
    print(json.dumps(values, ensure_ascii=False, indent=1))
