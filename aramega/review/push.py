"""Push: drafted passages become tasks, the most useful first, one task a passage however often it is done.

What is to do is decided by comparing the workspace with the server: a passage without a task gets one, a task whose
draft has changed and that nobody has touched is given the new draft, everything else stays. The next batch is made
while the server works on the last one, so that preparing costs no time of its own and memory holds two batches.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from aramega.errors import AramegaError
from aramega.records import DraftedPassage
from aramega.review.audio import Audio, checked_id, choose_audio
from aramega.review.form import Form, load_template, usable_form
from aramega.review.guidelines import instructions
from aramega.review.ledger import Ledger
from aramega.review.notes import forget_tasks, note_tasks, noted_tasks
from aramega.review.outgoing import Task, draft_fingerprint, make_task
from aramega.review.place import Place
from aramega.review.projects import (
    Held,
    Project,
    change_project,
    drop_predictions,
    find_project,
    make_project,
    touched_among,
)
from aramega.store import Store
from aramega.store.drafts import find_passages, load_drafted
from aramega.workspace import Workspace

BATCH = 500
"""Tasks to one import: some megabytes, a second or two of the server's time."""
BATCH_LETTERS = 4_000_000
"""And fewer where transcripts are enormous."""
REFRESHED = 100
"""Tasks given a new draft at a time."""
EVERYONE = 99
"""How many annotators a gold task is for."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class PushRequest:
    """What to push, where to, and how."""

    project: str
    where: str = "coalesce(decision, '') <> 'reject'"
    limit: int | None = None
    template: str = ""
    """A file, or one of ours by name; empty to keep the project's own, or to make it a passage_review."""
    audio: str = "local"
    overlap: float | None = None
    """The share of tasks that several annotators get."""
    annotators: int = 2
    gold: float = 0.0
    """How many of the tasks, as a share, are to be passages whose answer is known."""
    passages: Sequence[str] | None = None
    """Just these, instead of `where`."""


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


def push(
    store: Store, workspace: Workspace, place: Place, request: PushRequest, tell: Tell = lambda _: None
) -> PushSummary:
    """Bring the project up to date with the workspace."""
    place.check()
    wanted = choose_passages(store, request)
    project = _ready_project(place, request)
    form = usable_form(project.config, f"project {project.title!r}")
    audio = choose_audio(request.audio, place, workspace)
    audio.open_to(project.id)
    summary = PushSummary(project.id, project.title, f"{place.url}/projects/{project.id}/data", remarks=_missing(form))
    ledger = Ledger(place, project.id)
    ledger.read()
    ledger.mark_begun()
    _compare_notes(store, ledger, summary)
    pushing = _Pushing(store, ledger, form, audio, summary, tell)
    pushing.import_new(wanted)
    pushing.refresh()
    ledger.settle()
    note_tasks(store, place.url, project.id, (ledger.held[p] for p in wanted if p in ledger.held))
    _spread_gold(store, ledger, wanted, request)
    _prefer_version(place, project, pushing.versions)
    summary.doubles = ledger.dropped
    for passage, stays, other in ledger.kept_doubles:
        summary.remarks.append(
            f"passage {passage} has two tasks, {stays} and {other}, and someone has worked in {other}: both are kept, and pull takes both."
        )
    return summary


def choose_passages(store: Store, request: PushRequest) -> list[str]:
    """The passages asked for, the most useful first, with gold ones in between."""
    if request.passages is not None:
        return list(request.passages)
    chosen = list(find_passages(store, request.where, order="priority DESC, passage", limit=request.limit))
    if request.gold <= 0:
        return chosen
    query = (
        "SELECT DISTINCT passage FROM reviews WHERE gold = 1 AND passage IN (SELECT id FROM passages) ORDER BY passage"
    )
    return mix_in_gold(chosen, [row[0] for row in store.connection.execute(query)], request.gold)


def mix_in_gold(passages: Sequence[str], gold: Sequence[str], rate: float) -> list[str]:
    """`gold` passages spread evenly among the others, so that about `rate` of the whole are gold while they last."""
    known = set(gold)
    others = [p for p in passages if p not in known]
    gap = max(1, round(1 / min(rate, 1.0)) - 1)
    mixed: list[str] = []
    left = iter(gold)
    for number, passage in enumerate(others):
        if number % gap == 0:
            mixed += [p for p in (next(left, None),) if p]
        mixed.append(passage)
    return mixed


def model_version(store: Store, passage: str) -> str:
    """Fingerprint of what made the draft: the same for every passage drafted by the same models and options, since
    Label Studio pre-fills only predictions of the one version a project prefers."""
    query = "SELECT stage, fingerprint FROM results WHERE item = ? AND stage IN ('transcribe', 'summarize', 'label') ORDER BY stage"
    made_by = "\n".join(f"{row['stage']} {row['fingerprint']}" for row in store.connection.execute(query, (passage,)))
    return f"aramega-{hashlib.sha256(made_by.encode()).hexdigest()[:12]}"


class _Pushing:
    """One push under way: what is known, what was made, what is to be said of it."""

    def __init__(
        self, store: Store, ledger: Ledger, form: Form, audio: Audio, summary: PushSummary, tell: Tell
    ) -> None:
        self.store, self.ledger, self.form, self.audio, self.summary, self.tell = (
            store,
            ledger,
            form,
            audio,
            summary,
            tell,
        )
        self.versions: Counter[str] = Counter()
        self._stale: list[str] = []

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

    def _new_tasks(self, wanted: Sequence[str]) -> Iterator[tuple[str, Task]]:
        for passage in wanted:
            try:
                held = self.ledger.held.get(checked_id(passage))
                drafted = load_drafted(self.store, passage)
                if drafted.draft.transcript is None and drafted.draft.summary is None:
                    self._skip(f"{passage}: it has no draft yet; `aramega build-ssum` makes one.")
                elif held is None:
                    yield passage, self._make(drafted, self.audio.address(drafted.passage))
                else:
                    self._look_at(held, drafted)
            except AramegaError as error:
                self._skip(str(error))

    def _look_at(self, held: Held, drafted: DraftedPassage) -> None:
        """Decide what becomes of a task that is there."""
        is_same = held.draft == draft_fingerprint(drafted.draft) and held.audio == self.audio.address(drafted.passage)
        if is_same and held.predicted:
            self.summary.same += 1
        elif held.touched:
            self.summary.waiting += held.draft != draft_fingerprint(drafted.draft)
            self.summary.same += held.draft == draft_fingerprint(drafted.draft)
        else:
            self._stale.append(drafted.id)

    def _make(self, drafted: DraftedPassage, audio: str) -> Task:
        version = model_version(self.store, drafted.id)
        self.versions[version] += 1
        return make_task(drafted, audio, self.form, version)

    def _finish(self, under_way: tuple[Future[None], dict[str, Task]] | None) -> None:
        """Wait for a batch, and write down what became of it."""
        if under_way is None:
            return
        done, batch = under_way
        done.result()
        held = [self.ledger.held[p] for p in batch if p in self.ledger.held]
        note_tasks(self.store, self.ledger.place.url, self.ledger.project, held)
        self.summary.new += len(held)
        # A server killed between writing tasks and their predictions leaves tasks without.
        self._stale += [h.passage for h in held if not h.predicted and "predictions" in batch[h.passage]]
        self.tell(f"{self.summary.new:,} passages pushed")

    def _replace(self, free: dict[str, Held]) -> None:
        place, project = self.ledger.place, self.ledger.project
        made = {}
        for passage in free:
            drafted = load_drafted(self.store, passage)
            made[passage] = self._make(drafted, self.audio.address(drafted.passage))
        predictions = [{"task": free[p].task, **one} for p, task in made.items() for one in task.get("predictions", ())]

        def predict() -> None:
            drop_predictions(place, project, [h.task for h in free.values()])
            place.send("POST", f"api/projects/{project}/import/predictions", json=predictions)

        place.patiently(predict)  # from the start, so that a broken-off import leaves no prediction twice
        for passage, task in made.items():
            held, data = free[passage], task["data"]
            place.set(f"api/tasks/{held.task}/", data=data)
            self.ledger.held[passage] = replace(held, draft=data["draft"], audio=data["audio"], predicted=True)
            self.summary.replaced += 1

    def _skip(self, why: str) -> None:
        self.summary.skipped.append(why)


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


def _ready_project(place: Place, request: PushRequest) -> Project:
    """The project, made or brought to what was asked."""
    project = find_project(place, request.project)
    settings = _overlap_settings(request)
    if project is None:
        config = load_template(request.template or "passage_review")
        usable_form(config, request.template or "passage_review")
        return make_project(
            place,
            request.project,
            config,
            description="Made by aramega. Tasks are pushed and pulled by `aramega review`.",
            expert_instruction=instructions(),
            show_instruction=True,
            show_skip_button=True,
            show_collab_predictions=True,
            **settings,
        )
    if request.template:
        config = load_template(request.template)
        usable_form(config, request.template)
        settings["label_config"] = config
    return change_project(place, project, **settings)


def _overlap_settings(request: PushRequest) -> dict[str, object]:
    if request.overlap is None:
        return {}
    several = request.annotators if request.overlap > 0 else 1
    return {
        "overlap_cohort_percentage": round(100 * request.overlap) if several > 1 else 100,
        "maximum_annotations": several,
    }


def _missing(form: Form) -> list[str]:
    """What of a draft this project's form cannot show: someone may have renamed a field by hand."""
    asks_writing = form.has("transcript") or form.has("summary")
    gone = [name for name in ("transcript", "summary", "verdict") if asks_writing and not form.has(name)]
    said = [f"the project's form has no `{name}`: nothing is pre-filled or pulled there." for name in gone]
    return [*said, *form.remarks] if gone else []


def _compare_notes(store: Store, ledger: Ledger, summary: PushSummary) -> None:
    """Say what happened on the server behind our back: tasks deleted, or edited to name another passage."""
    noted = noted_tasks(store, ledger.place.url, ledger.project)
    there = {held.task for held in ledger.held.values()} | {later for _, _, later in ledger.kept_doubles}
    edited = [h for h in ledger.strangers if h.task in noted]
    for held in edited:
        summary.remarks.append(
            f"task {held.task} was made for passage {noted[held.task]} and was edited on the server: it now names "
            f"{held.passage[:80] or 'none'}. It is left alone."
        )
    gone = sorted(set(noted) - there - {h.task for h in ledger.strangers})
    if gone:
        summary.remarks.append(
            f"{len(gone):,} tasks pushed before are no longer on the server; those still wanted are sent again."
        )
        forget_tasks(store, ledger.place.url, ledger.project, gone)


def _spread_gold(store: Store, ledger: Ledger, wanted: Sequence[str], request: PushRequest) -> None:
    """Let every annotator get the gold tasks."""
    if request.gold <= 0:
        return
    known = {row[0] for row in store.connection.execute("SELECT DISTINCT passage FROM reviews WHERE gold = 1")}
    for passage in wanted:
        if passage in known and passage in ledger.held:
            ledger.place.set(f"api/tasks/{ledger.held[passage].task}/", overlap=EVERYONE)


def _prefer_version(place: Place, project: Project, versions: Counter[str]) -> None:
    """Pre-fill from the drafts most tasks have now."""
    if versions:
        change_project(place, project, model_version=versions.most_common(1)[0][0])
