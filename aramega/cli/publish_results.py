"""How publish and diff say what changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aramega.cli.output import print_json

if TYPE_CHECKING:
    from aramega.api.publishing import Publication, PublishRequest, VersionDifference
    from aramega.publish.index import Difference


def show_publication(publication: Publication, *, dry_run: bool, as_json: bool) -> None:
    for line in publication.notes:
        print(f"note: {line}", file=sys.stderr)
    for reason, times in publication.left_out.items():
        print(f"left out: {times:,} {reason}", file=sys.stderr)
    target = publication.target
    if as_json:
        print_json(_publication_to_dict(publication, dry_run=dry_run))
        return
    for line in publication.describe():
        print(line)
    if dry_run:
        print(f"nothing was written to {target.name}")
    elif publication.changed:
        print(f"published: {target.link or target.name}")
    else:
        print(f"{target.name} has all of it already")


def show_verified(publication: Publication, request: PublishRequest, *, as_json: bool) -> None:
    from aramega.api.publishing import verify

    verified = verify(publication, request)
    line = f"verified: {verified.rows:,} rows as they were meant, {verified.decoded} clips decoded"
    print(line, file=sys.stderr if as_json else sys.stdout)


def show_difference(difference: VersionDifference, *, ids: bool) -> None:
    old, new = difference.old, difference.new
    print(f"version {old.name} ({old.date}) to version {new.name} ({new.date})")
    for line in difference.describe():
        print(line)
    for name, change in difference.changes.items() if ids else ():
        for line in _rows(change):
            print(f"  {name}  {line}")


def difference_to_dict(difference: Difference) -> dict[str, Any]:
    return {
        "before": dict(difference.before),
        "after": dict(difference.after),
        "added": difference.added,
        "removed": difference.removed,
        "changed": {number: list(names) for number, names in difference.changed.items()},
        "moved": {number: list(splits) for number, splits in difference.moved.items()},
    }


def _publication_to_dict(publication: Publication, *, dry_run: bool) -> dict[str, Any]:
    changes = publication.published.changes
    return {
        "target": publication.target.name,
        "link": publication.target.link,
        "dry_run": dry_run,
        "changed": publication.changed,
        "left_out": publication.left_out,
        "rows": {name: dict(change.after) for name, change in changes.items()},
        "added": {name: len(change.added) for name, change in changes.items()},
        "removed": {name: len(change.removed) for name, change in changes.items()},
    }


def _rows(difference: Difference) -> Iterator[str]:
    yield from (f"{number}  added" for number in difference.added)
    yield from (f"{number}  removed" for number in difference.removed)
    yield from (f"{number}  changed: {', '.join(names)}" for number, names in difference.changed.items())
    yield from (f"{number}  moved from {a} to {b}" for number, (a, b) in difference.moved.items())
