"""Sending tasks: what is new is imported in batches, what is stale and untouched is given its new draft.

The next batch is made while the server works on the last one, so that preparing costs no time of its own and memory
holds two batches.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from aramega.errors import AramegaError
from aramega.labelstudio.audio import Audio, NotServed
from aramega.labelstudio.client import Unreachable
from aramega.labelstudio.form import Form
from aramega.labelstudio.projects import Held, drop_predictions, touched_among
from aramega.labelstudio.sent_tasks import note_tasks
from aramega.labelstudio.showing import Showing
from aramega.labelstudio.task_index import Ledger
from aramega.labelstudio.tasks import Task, draft_fingerprint, make_task, pair_data, pair_fingerprint
from aramega.records import DraftedPassage
from aramega.stages.names import LABEL, SUMMARIZE, TRANSCRIBE
from aramega.store import Store
from aramega.store.drafts import load_draft

BATCH = 500
"""Tasks to one import: some megabytes, a second or two of the server's time."""
BATCH_LETTERS = 4_000_000
"""And fewer where transcripts are enormous."""
REFRESHED = 100
"""Tasks given a new draft at a time."""
Tell = Callable[[str], None]


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
class Sending:
    """One push under way: what is known, what was made, what is to be said of it."""

    store: Store
    ledger: Ledger
    form: Form
    audio: Audio
    summary: PushSummary
    tell: Tell
    rivals: Store | None = None
    """Other summaries of the same passages, to choose between."""
    versions: Counter[str] = field(default_factory=Counter)
    _stale: list[str] = field(default_factory=list)
    _sent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._showing = Showing(self.store)
        self._predicts = any(self.form.has(name) for name in ("transcript", "summary", "title", "dialect", "emotion"))

    def import_new(self, wanted: Sequence[str]) -> None:
        """Send what the server does not hold; look at what it does while passing."""
        with ThreadPoolExecutor(max_workers=1) as sender:
            under_way: tuple[Future[None], dict[str, Task]] | None = None
            for batch in _batches(self._new_tasks(wanted)):
                self._finish(under_way)
                under_way = sender.submit(self.ledger.bring, batch), batch
            self._finish(under_way)

    def refresh(self) -> None:
        """Give untouched tasks their new draft, prediction first and fingerprint last: a task half done is still
        stale to the next push."""
        for i in range(0, len(self._stale), REFRESHED):
            passages = self._stale[i : i + REFRESHED]
            held = {p: self.ledger.held[p] for p in passages if p in self.ledger.held}
            touched = touched_among(self.ledger.place, self.ledger.project, [h.task for h in held.values()])
            self.summary.waiting += len([h for h in held.values() if h.task in touched])
            free = {p: h for p, h in held.items() if h.task not in touched}
            if free:
                self._replace(free)
            self.tell(f"{self.summary.replaced:,} drafts replaced")

    def send_drafts_again(self) -> None:
        """For when the server has lost those of the tasks it was just given."""
        self._stale, new = list(self._sent), self.summary.replaced
        self.refresh()
        self.summary.replaced = new

    def _new_tasks(self, wanted: Sequence[str]) -> Iterator[tuple[str, Task]]:
        for passage in wanted:
            try:
                drafted = self._showing.load(passage)
                held = self.ledger.held.get(passage)
                if drafted.draft.transcript is None and drafted.draft.summary is None:
                    self.summary.skipped.append(f"{passage}: it has no draft yet; `aramega build-ssum` makes one.")
                elif held is None:
                    yield passage, self._make(drafted, self.audio.address(drafted.passage))
                else:
                    self._look_at(held, drafted)
            except (Unreachable, NotServed):
                raise
            except AramegaError as error:
                self.summary.skipped.append(str(error))

    def _look_at(self, held: Held, drafted: DraftedPassage) -> None:
        """Decide what becomes of a task that is there."""
        is_same_draft = held.draft == self._fingerprint(drafted)
        is_same = is_same_draft and held.audio == self.audio.address(drafted.passage)
        if is_same and (held.predicted or not self._predicts):
            self.summary.same += 1
        elif held.touched:
            self.summary.waiting += not is_same_draft
            self.summary.same += is_same_draft
        else:
            self._stale.append(drafted.id)

    def _make(self, drafted: DraftedPassage, audio: str) -> Task:
        version = model_version(self.store, drafted.id)
        task = make_task(drafted, audio, self.form, version)
        self.versions[version] += "predictions" in task
        if self.rivals:
            task["data"] |= pair_data(drafted, load_draft(self.rivals, drafted.id))
        return task

    def _fingerprint(self, drafted: DraftedPassage) -> str:
        if self.rivals:
            return pair_fingerprint(drafted.draft, load_draft(self.rivals, drafted.id))
        return draft_fingerprint(drafted.draft)

    def _finish(self, under_way: tuple[Future[None], dict[str, Task]] | None) -> None:
        """Wait for a batch, and write down what became of it."""
        if under_way is None:
            return
        done, batch = under_way
        done.result()
        held = [self.ledger.held[p] for p in batch if p in self.ledger.held]
        note_tasks(self.store, self.ledger.place.url, self.ledger.project, held)
        self.summary.new += len(held)
        self._sent += [h.passage for h in held]
        # A server killed between writing tasks and their predictions leaves tasks without.
        self._stale += [h.passage for h in held if not h.predicted and "predictions" in batch[h.passage]]
        self.tell(f"{self.summary.new:,} passages pushed")

    def _replace(self, free: dict[str, Held]) -> None:
        place, project = self.ledger.place, self.ledger.project
        made = {}
        for passage in free:
            drafted = self._showing.load(passage)
            made[passage] = self._make(drafted, self.audio.address(drafted.passage))
        predictions = [{"task": free[p].task, **one} for p, task in made.items() for one in task.get("predictions", ())]

        def predict() -> None:
            drop_predictions(place, project, [h.task for h in free.values()])
            place.send("POST", f"api/projects/{project}/import/predictions", json=predictions)

        place.retry(predict)  # from the start, so that a broken-off import leaves no prediction twice
        for passage, task in made.items():
            held, data = free[passage], task["data"]
            place.set(f"api/tasks/{held.task}/", data=data)
            self.ledger.held[passage] = replace(held, draft=data["draft"], audio=data["audio"], predicted=True)
            self.summary.replaced += 1


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


def model_version(store: Store, passage: str) -> str:
    """Fingerprint of what made the draft: the same for every passage drafted by the same models and options, since
    Label Studio pre-fills only predictions of the one version a project prefers."""
    query = f"SELECT stage, fingerprint FROM results WHERE item = ? AND stage IN ('{TRANSCRIBE}', '{SUMMARIZE}', '{LABEL}') ORDER BY stage"  # noqa: S608
    made_by = "\n".join(f"{row['stage']} {row['fingerprint']}" for row in store.connection.execute(query, (passage,)))
    return f"aramega-{hashlib.sha256(made_by.encode()).hexdigest()[:12]}"
