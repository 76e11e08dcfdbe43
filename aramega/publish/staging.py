"""Staging: a version is made whole in a folder of its own before anyone can see it.

The folder's name holds the plan's fingerprint, so a run that was killed finds its shards again, and a run
that would make something else starts afresh. Shards first, which are big and resumable; then the small
files (card, changelog, manifest, index, splits), which are made anew each time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aramega.publish.card import CardFacts, write_card
from aramega.publish.formats import FORMATS
from aramega.publish.index import Difference, compare, write_index
from aramega.publish.plan import Plan
from aramega.publish.shards import expected_bytes, plan_shards, write_shards
from aramega.publish.splits import SPLITS
from aramega.publish.statistics import count
from aramega.publish.versions import (
    CHANGELOG,
    INDEX,
    MADE_BY,
    MANIFEST,
    SPLIT_ASSIGNMENTS,
    Release,
    Version,
    make_changelog,
)
from aramega.records import AramegaError
from aramega.version import __version__
from aramega.workspace import WorkspaceFolder, whole_file

STARTED = ".started"
"""When a version was begun and what it is called: a run that goes on the next day must not make other bytes."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What is to be made, as the curator and the target say."""

    name: str
    """What people will load it by: a folder or a repository."""
    tag: str
    today: str
    before: Version | None


def stage(plan: Plan, workspace: WorkspaceFolder, folder: Path, order: Order, say: Say) -> Mapping[str, Difference]:
    """Make the version in `folder`, or go on making it; the difference to the version before."""
    folder.mkdir(parents=True, exist_ok=True)
    if order.before is not None and order.before.fingerprint == plan.fingerprint:
        return _stage_small_files_alone(plan, folder, order)
    _check_room(plan, folder)
    version, number, date = _begin(folder, order)
    with ThreadPoolExecutor(1) as beside:  # the index is all Python, shards are all disk and hashing
        coming = beside.submit(_stage_index, plan, folder, order)
        for shard in write_shards(plan, workspace, folder):
            say(shard.name)
        changes = coming.result()
    withdrawn = _withdrawn_since(plan, changes)
    changelog = make_changelog(order.before, version, date, changes, withdrawn)
    sizes = {shard.name: (folder / shard.name).stat().st_size for shard in plan_shards(plan)}
    _write_small_files(plan, folder, order, Release(version, number, date, changelog), sizes)
    (folder / STARTED).unlink()
    return changes


def stage_format(
    plan: Plan, workspace: WorkspaceFolder, folder: Path, order: Order, format: str, say: Say
) -> Mapping[str, Difference]:
    """As `stage`, in a format of another stack. Such a folder has no card: `datasets` is not its reader."""
    folder.mkdir(parents=True, exist_ok=True)
    if order.before is not None and order.before.fingerprint == plan.fingerprint:
        return compare(order.before.indexes, order.before.indexes)
    _check_room(plan, folder)
    changes = _stage_index(plan, folder, order)
    version, number, date = _begin(folder, order)
    sizes = {}
    for name in FORMATS[format](plan, workspace, folder):
        sizes[name] = (folder / name).stat().st_size
        say(name)
    withdrawn = _withdrawn_since(plan, changes)
    changelog = make_changelog(order.before, version, date, changes, withdrawn)
    _write_notes(plan, folder, Release(version, number, date, changelog), _counts(plan), sizes)
    (folder / STARTED).unlink()
    return changes


def difference(plan: Plan, folder: Path, before: Version | None) -> dict[str, Difference]:
    """What publishing would change; writes an index into `folder` and nothing else."""
    written = write_index(plan, folder)
    return compare(before.indexes if before else {}, {path.stem: path for path in written})


def _stage_small_files_alone(plan: Plan, folder: Path, order: Order) -> Mapping[str, Difference]:
    """The same rows as before: only what is told of them may have changed."""
    before = order.before
    assert before is not None
    changes = _stage_index(plan, folder, order)
    release = Release(before.name, before.number, before.date, before.changelog)
    _write_small_files(plan, folder, order, release, before.files)
    return changes


def _stage_index(plan: Plan, folder: Path, order: Order) -> dict[str, Difference]:
    shutil.rmtree(folder / INDEX, ignore_errors=True)
    return difference(plan, folder, order.before)


def _begin(folder: Path, order: Order) -> tuple[str, int, str]:
    path = folder / STARTED
    if not path.exists():
        number = order.before.number + 1 if order.before else 1
        with whole_file(path) as part:
            part.write_text(json.dumps([order.tag or str(number), number, order.today]), encoding="utf-8")
    version, number, date = json.loads(path.read_text(encoding="utf-8"))
    return (order.tag or version), number, date


def _write_small_files(plan: Plan, folder: Path, order: Order, release: Release, sizes: Mapping[str, int]) -> None:
    counts = _counts(plan)
    write_card(folder, CardFacts(order.name, plan, release, counts, sizes, count(plan)))
    _write_notes(plan, folder, release, counts, sizes)


def _write_notes(
    plan: Plan, folder: Path, release: Release, counts: Mapping[str, Mapping[str, int]], sizes: Mapping[str, int]
) -> None:
    """What the next version, and `aramega diff`, will want to know of this one. The manifest last: it makes a folder
    a version."""
    manifest = {
        "made_by": MADE_BY,
        "aramega": __version__,
        "version": release.version,
        "number": release.number,
        "date": release.date,
        "fingerprint": plan.fingerprint,
        "licence": plan.licence,
        "rows": counts,
        "classes": {kind: list(labels) for kind, labels in plan.inventories.items()},
        "files": dict(sizes),
    }
    for name, text in (
        (CHANGELOG, release.changelog),
        (SPLIT_ASSIGNMENTS, plan.assignment.assignments.to_json()),
        (MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"),
    ):
        with whole_file(folder / name) as part:
            part.write_text(text, encoding="utf-8")


def _counts(plan: Plan) -> dict[str, dict[str, int]]:
    """Rows by configuration and split."""
    return {
        configuration.name: {
            split: plan.count(configuration, split) for split in SPLITS if plan.count(configuration, split)
        }
        for configuration in plan.configurations()
    }


def _withdrawn_since(plan: Plan, changes: Mapping[str, Difference]) -> int:
    """Recordings that had rows in the version before and were withdrawn."""
    removed = {number.partition("-")[0] for difference in changes.values() for number in difference.removed}
    return len(removed & set(plan.selection.withdrawn))


def _check_room(plan: Plan, folder: Path) -> None:
    """A disk that would fill is better known before than after an hour."""
    shards = [shard for shard in plan_shards(plan) if not (folder / shard.name).exists()]
    needed = sum(expected_bytes(shard.configuration, passage) for shard in shards for passage in shard.passages)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise AramegaError(
            f"{folder.parent}: about {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free. Make room, "
            "publish to another disk (--to), or fewer configurations (asr and ssum hold audio)."
        )


def files_in(folder: Path) -> Iterator[Path]:
    """The version's files, without what runs leave for themselves."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != STARTED and not path.name.endswith(".part"):
            yield path.relative_to(folder)
