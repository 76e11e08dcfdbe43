"""Readings: what is asked when aramega reads a broken manifest, configuration or export.

As with sounds: one readable line of ours, or values that hold together, can be kept in a store, and come out of it.
A file that is read to its end may still have rows that are wrong; each is a line, too.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aramega.config import Config, choose_config, dump_toml, load_config
from aramega.errors import AramegaError
from aramega.labelstudio.files import import_files
from aramega.labelstudio.form import load_template, usable_form
from aramega.labelstudio.task_drafts import SHOWN
from aramega.labelstudio.tasks import make_task
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources
from aramega.records import Source
from aramega.settle.agreement import measure_agreement
from aramega.settle.policies import Policy
from aramega.settle.progress import measure_workspace as measure_progress
from aramega.settle.resolve import resolve_workspace
from aramega.sources import Problem, find_sources
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import iterate_passages
from aramega.store.reviews import all_resolved, reviewed_passages, reviews_of
from aramega.store.sources import list_sources
from aramega.workspace import WorkspaceFolder
from tests.chaos.judges import Violated, check_line
from tests.chaos.writings import make_writing
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace

MANIFESTS = ("txt", "csv", "tsv", "jsonl")


def make_reader(kind: str, folder: Path) -> Callable[[int], str]:
    """Makes and judges mutant N of a kind: why it was refused, or nothing."""
    workspace = drafted_workspace(folder / "workspace", clips=False)
    export = exported_tasks(workspace)
    judge = _manifest if kind in MANIFESTS else {"toml": _config, "set": _change, "export": _reviews}[kind]
    _furnish(folder / "in")

    def read(number: int) -> str:
        content = make_writing(kind, number, export)
        name = f"{number}.{'json' if kind == 'export' else kind}"
        (folder / "in" / name).write_bytes(content)
        try:
            return judge(folder / "in" / name, workspace)
        except AramegaError as error:
            lines = str(error).split("\n") if kind in ("toml", "set") else [str(error)]
            naming = "--set" if kind == "set" else name
            for line in lines:
                check_line(line, naming=naming)
            return lines[0].replace(str(folder / "in" / name), "FILE")
        finally:
            (folder / "in" / name).unlink()

    return read


def exported_tasks(workspace: WorkspaceFolder) -> list[dict[str, Any]]:
    """What Label Studio's export of these passages would hold, all but the first annotated by two people."""
    form = usable_form(load_template("passage_review"), "passage_review")
    with Store.open(workspace) as store:
        drafted = list(iterate_passages(store, find_passages(store), SHOWN))
        tasks = [make_task(one, f"/data/local-files/?d={one.id}.flac", form, "test") for one in drafted]
    said = [[_annotation(n, task), *([_annotation(50 + n, task)] if n > 1 else [])] for n, task in enumerate(tasks, 1)]
    return [
        {"id": n, **task, "drafts": [], "annotations": own}
        for n, (task, own) in enumerate(zip(tasks, said, strict=True), 1)
    ]


def _annotation(number: int, task: dict[str, Any]) -> dict[str, Any]:
    stretch = {"start": 0.5, "end": 4.25, "channel": 0}
    marked = [
        {
            "id": "r1",
            "from_name": "speech",
            "to_name": "audio",
            "type": "labels",
            "value": {**stretch, "labels": ["speech"]},
        },
        {"id": "r1", "from_name": "transcript", "type": "textarea", "value": {**stretch, "text": ["كلام"]}},
    ]
    filled = [
        {"from_name": "verdict", "to_name": "audio", "type": "choices", "value": {"choices": ["fix"]}},
        {"from_name": "confidence", "to_name": "audio", "type": "rating", "value": {"rating": 4}},
        {"from_name": "flags", "to_name": "audio", "type": "choices", "value": {"choices": ["noise", "music"]}},
        {"from_name": "comment", "to_name": "audio", "type": "textarea", "value": {"text": ["ضجيج"]}},
    ]
    return {
        "id": 100 + number,
        "completed_by": {"id": 1, "email": "amal@example.org"} if number < 50 else 2,
        "result": [*task["predictions"][0]["result"], *filled, *(marked if number % 3 == 0 else [])],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-02-01T10:00:00.000000Z",
        "updated_at": "2026-02-01T10:05:00.000000Z",
        "lead_time": 61.5,
    }


def _furnish(folder: Path) -> None:
    """What paths in manifests lead to: a file, a folder, a pipe, a circle."""
    (folder / "sub").mkdir(parents=True)
    (folder / "good.wav").write_bytes(b"RIFF")
    os.mkfifo(folder / "pipe.mp3")
    (folder / "loop").symlink_to("loop")


def _manifest(path: Path, workspace: WorkspaceFolder) -> str:
    config = Config()
    found = list(find_sources([str(path)], config.ingest.extensions))
    sources = [one for one in found if isinstance(one, Source)]
    for problem in (one for one in found if isinstance(one, Problem)):
        check_line(f"{problem.where}: {problem.why}", naming=path.name)
    paths = [source.path for source in sources]
    if len(set(paths)) < len(paths) or not all(os.path.isabs(p) or "://" in p for p in paths):
        raise Violated(f"sources twice or without a place: {paths}")
    own = WorkspaceFolder(path.parent / "own")
    own.root.mkdir()
    try:
        with Store.create_or_open(own) as store:
            add_sources(store, Pipeline.from_config(config, own), [str(path)], found)
            if list(list_sources(store)) != sorted(sources, key=lambda source: source.path):
                raise Violated("the store gives other sources back")
    finally:
        shutil.rmtree(own.root)
    return "" if sources or not found else f"every row: {next(p.why for p in found if isinstance(p, Problem))}"


def _config(path: Path, workspace: WorkspaceFolder) -> str:
    _usable(load_config(path), path, workspace)
    return ""


def _change(path: Path, workspace: WorkspaceFolder) -> str:
    change = path.read_bytes().decode("utf-8", "surrogateescape")  # as Python gives a program its arguments
    _usable(choose_config(None, path.with_name("none.toml"), [change]), path, workspace)
    return ""


def _usable(config: Config, path: Path, workspace: WorkspaceFolder) -> None:
    """It says the same when written and read again, and stages can be made of it."""
    path.write_text(dump_toml(config), encoding="utf-8")
    if load_config(path) != config:
        raise Violated("written and read again, the configuration is another")
    assert Pipeline.from_config(config, workspace).marks


def _reviews(path: Path, workspace: WorkspaceFolder) -> str:
    with Store.open(workspace) as store:
        try:
            found = import_files(store, [path])
            for line in found.complaints:
                check_line(line, naming=path.name)
            if import_files(store, [path]).new:
                raise Violated("read twice, it adds reviews twice")
            _check_reviews(store, found.new)
        finally:
            connection_of(store).execute("DELETE FROM reviews")
            connection_of(store).execute("DELETE FROM resolved")
    why = found.complaints[0].partition(": ")[2] if found.complaints else "nobody answered anything"
    return "" if found.new else f"no review in it: {why}"


def _check_reviews(store: Store, new: int) -> None:
    """They are of passages that are here, can be read again, and the passages can be settled by them."""
    reviews = [review for passage in reviewed_passages(store) for review in reviews_of(store, passage)]
    if len(reviews) != new:
        raise Violated(f"{new} new reviews, {len(reviews)} in the store")
    if strangers := {r.passage for r in reviews} - set(find_passages(store)):
        raise Violated(f"reviews of passages that are not here: {strangers}")
    for review in reviews:
        for region in review.regions:
            if not 0 <= region.start <= region.end:
                raise Violated(f"a region that ends before it starts: {region}")
        json.dumps(review.transcript, allow_nan=False)
    measure_agreement(reviews)
    measure_progress(store)
    resolve_workspace(store, Policy())
    list(all_resolved(store))
