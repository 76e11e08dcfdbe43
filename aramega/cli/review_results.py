"""How push, pull and files of reviews say what they did."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aramega.cli.output import list_some
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.labelstudio.files import Exported, Imported
    from aramega.labelstudio.form import Form
    from aramega.labelstudio.pull import PullSummary
    from aramega.labelstudio.uploads import PushSummary


NOTHING_KEPT = "That is what would change; nothing was changed."


def show_pushed(result: PushSummary, *, dry_run: bool) -> None:
    list_some(result.skipped, "left out: ")
    list_some(result.remarks, "mind: ")
    more = [
        f"{result.replaced:,} drafts replaced" if result.replaced else "",
        f"{result.waiting:,} have newer drafts but also people's work, and keep what people saw"
        if result.waiting
        else "",
        f"{result.doubles:,} doubled tasks removed" if result.doubles else "",
        f"{len(result.skipped):,} left out" if result.skipped else "",
    ]
    print("; ".join(filter(None, (f"{result.new:,} new, {result.same:,} there already", *more))) + ".")
    print(NOTHING_KEPT if dry_run else f"Annotate: {result.link}")


def show_pulled(result: PullSummary, *, dry_run: bool) -> None:
    list_some(result.complaints, "mind: ")
    print(f"{result.new:,} new reviews; {result.looked_at:,} tasks with changes looked at.")
    if result.refused:
        print(f"{result.refused:,} tasks refused: their work waits on the server. Mend them there, then pull --all.")
    if dry_run:
        print(NOTHING_KEPT)


def show_form(form: Form, name: str) -> None:
    for line in form.complaints:
        print(f"wrong: {line}")
    for line in form.remarks:
        print(f"mind: {line}")
    if not form.complaints:
        print(f"{name}: good. Pull reads {', '.join(form.controls)}.")


def show_exported(result: Exported) -> None:
    list_some(result.skipped, "left out: ")
    for file in result.files:
        print(file)
    print(f"{result.tasks:,} tasks.", file=sys.stderr)


def show_imported(result: Imported, *, dry_run: bool) -> None:
    list_some(result.complaints, "mind: ")
    print(f"{result.new:,} new reviews; {result.looked_at:,} tasks with work in them.")
    if dry_run:
        print(NOTHING_KEPT)


def people_of(named: Sequence[str]) -> dict[int, str]:
    """`ID=EMAIL` pairs: who a number in an export is."""
    pairs = [text.partition("=") for text in named]
    if wrong := [number for number, equals, _ in pairs if not (equals and number.isdigit())]:
        raise AramegaError(f"--annotator {wrong[0]}: give ID=EMAIL, for example 3=amal@example.org.")
    return {int(number): email for number, _, email in pairs}
