"""TaskUploader: imports new tasks in batches, and gives stale tasks that nobody has touched their new draft.

The next batch is made while the server works on the last one, so that preparing costs no time of its own and memory
holds two batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

from aramega.errors import AramegaError
from aramega.labelstudio.client import Unreachable
from aramega.labelstudio.clips import ClipAccess, ClipsNotServed
from aramega.labelstudio.form import Form
from aramega.labelstudio.projects import RemoteTask, drop_predictions, touched_among
from aramega.labelstudio.task_drafts import TaskDraft, load_task_drafts
from aramega.labelstudio.task_index import TaskIndex
from aramega.labelstudio.tasks import Task, make_task, pair_data, pair_fingerprint
from aramega.settle.shown import draft_fingerprint
from aramega.store import Store
from aramega.store.tasks import SentTask, note_tasks

BATCH = 500
"""Tasks to one import: some megabytes, a second or two of the server's time."""
BATCH_LETTERS = 4_000_000
"""And fewer where transcripts are enormous."""
REFRESHED = 100
"""Tasks given a new draft at a time."""
Say = Callable[[str], None]


@dataclass
class PushSummary:
    """What a push did."""

    project: int
    title: str
    link: str
    new: int = 0
    replaced: int = 0
    same: int = 0
    waiting: int = 0
    """Tasks with human work whose passage has a newer draft; they keep the one people saw."""
    doubles: int = 0
    """Second tasks of a passage that were deleted."""
    skipped: list[str] = field(default_factory=list)
    """Passages that could not be pushed, and why."""
    remarks: list[str] = field(default_factory=list)


@dataclass
class TaskUploader:
    """Sends the tasks of one push, and counts in `summary` what became of them."""

    store: Store
    index: TaskIndex
    form: Form
    clips: ClipAccess
    summary: PushSummary
    say: Say
    rivals: Store | None = None
    """Other summaries of the same passages, to choose between."""
    versions: Counter[str] = field(default_factory=Counter)
    _stale: list[str] = field(default_factory=list)
    _sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._predicts = shows_drafts(self.form)

    def import_new(self, passages: Sequence[str]) -> None:
        """Import the passages without a task; remember those whose task shows an older draft."""
        with ThreadPoolExecutor(max_workers=1) as sender:
            under_way: tuple[Future[None], dict[str, Task]] | None = None
            for batch in _batches(self._new_tasks(passages)):
                self._finish(under_way)
                under_way = sender.submit(self.index.import_batch, batch), batch
            self._finish(under_way)

    def refresh(self) -> None:
        """Give untouched tasks their new draft, prediction first and fingerprint last: a task half done is still
        stale to the next push."""
        for i in range(0, len(self._stale), REFRESHED):
            passages = self._stale[i : i + REFRESHED]
            tasks = {p: self.index.by_passage[p] for p in passages if p in self.index.by_passage}
            touched = touched_among(self.index.client, self.index.project, [t.task for t in tasks.values()])
            self.summary.waiting += len([t for t in tasks.values() if t.task in touched])
            free = {p: t for p, t in tasks.items() if t.task not in touched}
            if free:
                self._replace(free)
            self.say(f"{self.summary.replaced:,} drafts replaced")

    def send_drafts_again(self) -> None:
        """Give this push's tasks their drafts once more: the server has lost them."""
        self._stale, new = list(self._sent), self.summary.replaced
        self.refresh()
        self.summary.replaced = new

    def _new_tasks(self, passages: Sequence[str]) -> Iterator[tuple[str, Task]]:
        for passage, loaded in load_task_drafts(self.store, passages, self.rivals):
            try:
                if isinstance(loaded, AramegaError):
                    raise loaded
                check_draft(loaded)
                remote = self.index.by_passage.get(passage)
                if remote is None:
                    yield passage, self._make(loaded)
                else:
                    self._sort(remote, loaded)
            except (Unreachable, ClipsNotServed):
                raise
            except AramegaError as error:
                self.summary.skipped.append(str(error))

    def _sort(self, remote: RemoteTask, loaded: TaskDraft) -> None:
        """Count an existing task as the same or waiting, or put it on the list of those to refresh."""
        passage = loaded.drafted.passage
        plays = lambda: remote.audio == self.clips.address(passage)  # noqa: E731  asked only where it matters
        state = compare_task(remote, loaded, plays=plays, predicts=self._predicts)
        self.summary.same += state == "same"
        self.summary.waiting += state == "waiting"
        if state == "stale":
            self._stale.append(loaded.drafted.id)

    def _make(self, loaded: TaskDraft) -> Task:
        task = make_task(loaded.drafted, self.clips.address(loaded.drafted.passage), self.form, loaded.version)
        self.versions[loaded.version] += "predictions" in task
        if loaded.rival:
            task["data"] |= pair_data(loaded.drafted, loaded.rival)
        return task

    def _finish(self, under_way: tuple[Future[None], dict[str, Task]] | None) -> None:
        """Wait for a batch's import, and record its tasks."""
        if under_way is None:
            return
        done, batch = under_way
        done.result()
        tasks = [self.index.by_passage[p] for p in batch if p in self.index.by_passage]
        note_tasks(self.store, self.index.client.url, self.index.project, map(as_sent, tasks))
        self.summary.new += len(tasks)
        self._sent += [t.passage for t in tasks]
        # A server killed between writing tasks and their predictions leaves tasks without.
        self._stale += [t.passage for t in tasks if not t.predicted and "predictions" in batch[t.passage]]
        self.say(f"{self.summary.new:,} passages pushed")

    def _replace(self, free: dict[str, RemoteTask]) -> None:
        """Give tasks their new draft, and the server the fingerprint of it."""
        client, project = self.index.client, self.index.project
        new_tasks = {}
        for passage, loaded in load_task_drafts(self.store, free, self.rivals):
            if isinstance(loaded, AramegaError):
                raise loaded
            new_tasks[passage] = self._make(loaded)
        predictions = [
            {"task": free[p].task, **prediction}
            for p, task in new_tasks.items()
            for prediction in task.get("predictions", ())
        ]

        def predict() -> None:
            drop_predictions(client, project, [t.task for t in free.values()])
            client.send("POST", f"api/projects/{project}/import/predictions", json=predictions)

        client.retry(predict)  # from the start, so that a broken-off import leaves no prediction twice
        for passage, task in new_tasks.items():
            remote, data = free[passage], task["data"]
            client.set(f"api/tasks/{remote.task}/", data=data)
            self.index.by_passage[passage] = replace(remote, draft=data["draft"], audio=data["audio"], predicted=True)
            self.summary.replaced += 1


TaskState = Literal["same", "waiting", "stale"]
"""As a push would make it now; older than the draft, with people's work in it; older and nobody's yet."""


def shows_drafts(form: Form) -> bool:
    """Whether the form has a field that a draft fills."""
    return any(form.has(name) for name in ("transcript", "summary", "title", "dialect", "emotion"))


def check_draft(loaded: TaskDraft) -> None:
    """Raise for a passage that has nothing to correct yet."""
    if loaded.drafted.draft.transcript is None and loaded.drafted.draft.summary is None:
        raise AramegaError(f"{loaded.drafted.id}: it has no draft yet; `aramega build-ssum` makes one.")


def compare_task(remote: RemoteTask, loaded: TaskDraft, *, plays: Callable[[], bool], predicts: bool) -> TaskState:
    """What a task on the server is beside today's draft. `plays`: its clip is heard where we would say, which may cost
    an upload to ask; `predicts`: the form shows drafts."""
    is_same_draft = remote.draft == _fingerprint(loaded)
    if is_same_draft and plays() and (remote.predicted or not predicts):
        return "same"
    if remote.touched:
        return "same" if is_same_draft else "waiting"
    return "stale"


def _batches(tasks: Iterable[tuple[str, Task]]) -> Iterator[dict[str, Task]]:
    batch: dict[str, Task] = {}
    letters = 0
    for passage, task in tasks:
        batch[passage] = task
        letters += 2 * sum(len(v) for v in task["data"].values() if isinstance(v, str))
        if len(batch) >= BATCH or letters >= BATCH_LETTERS:
            yield batch
            batch, letters = {}, 0
    if batch:
        yield batch


def _fingerprint(loaded: TaskDraft) -> str:
    draft = loaded.drafted.draft
    return pair_fingerprint(draft, loaded.rival) if loaded.rival else draft_fingerprint(draft)


def as_sent(remote: RemoteTask) -> SentTask:
    """What the workspace remembers of a task."""
    return SentTask(remote.task, remote.passage, remote.draft)
