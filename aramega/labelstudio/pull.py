"""Pull: adds what annotators did since the last pull to the workspace as reviews, each once.

The first pull takes an export snapshot, which Label Studio writes to a file by itself; its synchronous export runs
into time-outs where there are many tasks. Later pulls ask for the tasks with work that changed since the last one
began, by the server's own clock, and for those with open drafts, whose tasks Label Studio does not mark as changed.
A review's id holds the annotation and its last change, so that reading one again adds nothing and a correction adds
a review beside the earlier one. The mark "pulled until" moves last: a pull that is killed is simply done again.
"""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import IO, Any

from aramega.errors import AramegaError
from aramega.labelstudio.annotations import TaskReader, parse_task
from aramega.labelstudio.client import LabelStudioClient, Unreachable, part
from aramega.labelstudio.form import read_form
from aramega.labelstudio.projects import Project, condition, need_project, people_of
from aramega.records import Review
from aramega.store import Store
from aramega.store.passages import find_passage
from aramega.store.reviews import ReviewTrial, add_reviews
from aramega.store.tasks import note_pulled, noted_tasks, pulled_until

OVERLAP = timedelta(seconds=30)
"""How far a pull reaches back before the last one began: a change is stamped before it is committed, and a busy
server may take seconds in between."""
PAGE = 200
"""Changed tasks read at a time, with all their annotations."""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=timezone.utc)
SNAPSHOT_PATIENCE = 1800.0
_WORK = "id,data,annotations,drafts,result,completed_by,was_cancelled,ground_truth,lead_time,created_at,updated_at,user"
Say = Callable[[str], None]


@dataclass
class PullSummary:
    """What a pull found."""

    project: int
    title: str
    looked_at: int = 0
    """Tasks with work in them."""
    new: int = 0
    """Reviews that were not here yet."""
    refused: int = 0
    """Tasks that no longer speak of the passage they were made for."""
    complaints: list[str] = field(default_factory=list)


def pull(store: Store, client: LabelStudioClient, project: str, say: Say = lambda _: None) -> PullSummary:
    """Add reviews of what changed since the last pull; of everything, the first time."""
    begun = client.check()
    source = need_project(client, project)
    since = pulled_until(store, client.url, source.id)
    if not since:
        return _pull_everything(store, client, source, begun, say)
    tasks = changed_tasks(client, source.id, datetime.fromisoformat(since))
    summary = _add_reviews_of(store, client, source, tasks, say)
    note_pulled(store, client.url, source.id, source.title, (begun - OVERLAP).isoformat())
    return summary


def pull_everything(store: Store, client: LabelStudioClient, project: str, say: Say = lambda _: None) -> PullSummary:
    """Add reviews of everything, as the first time: after a task was put right, or passages came back."""
    begun = client.check()
    return _pull_everything(store, client, need_project(client, project), begun, say)


def plan_pull(store: Store, client: LabelStudioClient, project: str, *, since: datetime | None = None) -> PullSummary:
    """What a pull would add, found out by questions alone: nothing is kept here, and no snapshot is made there.

    `since`: as if the last pull had been then.
    """
    client.check()
    source = need_project(client, project)
    last = since or _last_pull(store, client, source)
    return _read_reviews_of(store, client, source, changed_tasks(client, source.id, last), ReviewTrial(store).add)


def _last_pull(store: Store, client: LabelStudioClient, project: Project) -> datetime:
    until = pulled_until(store, client.url, project.id)
    return datetime.fromisoformat(until) if until else BEFORE_ALL


def pull_task(store: Store, client: LabelStudioClient, project: Project, task: int) -> PullSummary:
    """Add the reviews of one task: for a webhook that names it."""
    changed = client.get(f"api/tasks/{task}/", resolve_uri=False)
    return _add_reviews_of(store, client, project, [changed], lambda _: None)


def changed_tasks(client: LabelStudioClient, project: int, since: datetime) -> Iterator[dict[str, Any]]:
    """Tasks with work that changed since then, and tasks with open drafts."""
    moment = since.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    worked = [condition(counter, "greater", "Number", 0) for counter in ("total_annotations", "cancelled_annotations")]
    lines = [condition("updated_at", "greater", "Datetime", moment, also=has_work) for has_work in worked]
    lines.append(condition("draft_exists", "equal", "Boolean", True))
    query = {"filters": {"conjunction": "or", "items": lines}, "ordering": ["tasks:id"]}
    asked = {"fields": "all", "include": _WORK, "resolve_uri": False, "query": query, "page_size": PAGE}
    page, before = 1, 0
    while True:
        answer = client.get("api/tasks", project=project, page=page, **asked)
        total = int(part(answer, "total", "a list of tasks"))
        if total < before:  # one left the list and the rest moved up: what slid over the page's edge was not read
            page, before = 1, 0
            continue
        yield from part(answer, "tasks", "a list of tasks")
        if page * PAGE >= total:
            return
        page, before = page + 1, total


def _pull_everything(
    store: Store, client: LabelStudioClient, project: Project, begun: datetime, say: Say
) -> PullSummary:
    with client.retry(lambda: _download_snapshot(client, project.id)) as file:
        summary = _add_reviews_of(store, client, project, read_array(file), say)
    note_pulled(store, client.url, project.id, project.title, (begun - OVERLAP).isoformat())
    return summary


def _add_reviews_of(
    store: Store, client: LabelStudioClient, project: Project, tasks: Iterable[dict[str, Any]], say: Say
) -> PullSummary:
    """Read tasks as they come, and write their reviews some hundred at a time."""
    return _read_reviews_of(store, client, project, tasks, lambda reviews: add_reviews(store, reviews), say)


def _read_reviews_of(
    store: Store,
    client: LabelStudioClient,
    project: Project,
    tasks: Iterable[dict[str, Any]],
    keep: Callable[[Sequence[Review]], int],
    say: Say = lambda _: None,
) -> PullSummary:
    """Read tasks as they come; `keep` is given their reviews some hundred at a time, and says how many are new."""
    summary = PullSummary(project.id, project.title)
    reader = make_task_reader(store, client, project)
    batch: list[Review] = []
    for task in tasks:
        parsed = parse_task(task, reader)
        batch += parsed.reviews
        summary.looked_at += bool(parsed.reviews or parsed.refused)
        summary.refused += parsed.refused
        summary.complaints += parsed.complaints
        if len(batch) >= PAGE:
            summary.new += keep(batch)
            batch.clear()
            say(f"{summary.new:,} new reviews from {summary.looked_at:,} tasks")
    summary.new += keep(batch)
    return summary


def make_task_reader(store: Store, client: LabelStudioClient, project: Project) -> TaskReader:
    """A reader for this project's tasks. Its form is read as it is: fields renamed there come back unread."""
    sent = noted_tasks(store, client.url, project.id)
    return TaskReader(
        url=client.url,
        project=project.id,
        form=read_form(project.config),
        people=people_of(client),
        find=lambda passage: find_passage(store, passage),
        pushed=lambda task: sent.get(task, ""),
    )


@contextmanager
def _snapshot(client: LabelStudioClient, project: int) -> Iterator[int]:
    """An export snapshot, finished; gone again afterwards."""
    title = f"aramega pull {secrets.token_hex(8)}"
    asked = {"title": title, "serialization_options": {"drafts": {"only_id": False}, "predictions": {"only_id": True}}}
    with suppress(Unreachable):  # a proxy may give up while the server writes on: it is looked for by its title
        client.send("POST", f"api/projects/{project}/exports/", json=asked)
    number = _await_snapshot(client, project, title)
    try:
        yield number
    finally:
        with suppress(AramegaError):  # a file too many on the server is no reason to lose what is in it
            client.send("DELETE", f"api/projects/{project}/exports/{number}")


def _await_snapshot(client: LabelStudioClient, project: int, title: str) -> int:
    until = time.monotonic() + SNAPSHOT_PATIENCE
    while time.monotonic() < until:
        ours = [e for e in client.get(f"api/projects/{project}/exports/") if e["title"] == title]
        if not ours or ours[0]["status"] == "failed":
            raise Unreachable(f"{client.url} did not finish its export snapshot. Nothing is lost: run again.")
        if ours[0]["status"] == "completed":
            return int(ours[0]["id"])
        time.sleep(0.5)
    raise AramegaError(
        f"{client.url} has been writing an export snapshot for {SNAPSHOT_PATIENCE / 60:.0f} minutes; run again later."
    )


def _download_snapshot(client: LabelStudioClient, project: int) -> IO[str]:
    """The snapshot's JSON in a temporary file, at its beginning."""
    file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  closed by whoever reads it
    with _snapshot(client, project) as number:
        path = f"api/projects/{project}/exports/{number}/download"
        with client.stream(path, exportType="JSON") as response:
            for piece in response.iter_text():
                file.write(piece)
    file.seek(0)
    return file


def read_array(file: IO[str], piece: int = 1 << 20) -> Iterator[dict[str, Any]]:
    """The elements of a large JSON array, one after the other, with little of it in memory."""
    decoder = json.JSONDecoder()
    text, at = file.read(piece).lstrip(), 1
    if not text.startswith("["):
        raise AramegaError("the export is not a JSON array of tasks.")
    while True:
        while text[at : at + 1] in (",", " ", "\n", "\r", "\t"):
            at += 1
        if text[at : at + 1] == "]":
            return
        try:
            element, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            more = file.read(max(piece, len(text)))
            if not more:
                raise AramegaError("the export breaks off in the middle, or is not JSON there; get it again.") from None
            text, at = text[at:] + more, 0
            continue
        except (ValueError, RecursionError):
            raise AramegaError(
                "the export holds a number of thousands of digits, or lists inside each other without end; "
                "no Label Studio wrote that. Get it again."
            ) from None
        yield element
        at = end
