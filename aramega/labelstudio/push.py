"""Push: drafted passages become tasks, the most useful first, one task a passage however often it is done.

What is to do is decided by comparing the workspace with the server: a passage without a task gets one, a task whose
draft has changed and that nobody has touched is given the new draft, everything else stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aramega.labelstudio.audio import choose_audio
from aramega.labelstudio.client import Place, Refused
from aramega.labelstudio.form import Form, load_template, usable_form
from aramega.labelstudio.guidelines import instructions
from aramega.labelstudio.projects import Project, change_project, find_project, make_project
from aramega.labelstudio.selection import PushRequest, choose_passages
from aramega.labelstudio.sent_tasks import forget_tasks, note_tasks, noted_tasks
from aramega.labelstudio.task_index import Ledger
from aramega.labelstudio.uploads import PushSummary, Sending, Tell
from aramega.store import Store
from aramega.workspace import WorkspaceFolder

__all__ = ["PushRequest", "PushSummary", "push"]

EVERYONE = 99
"""How many annotators a gold task is for."""


def push(
    store: Store, workspace: WorkspaceFolder, place: Place, request: PushRequest, tell: Tell = lambda _: None
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
    with _opened(request.against) as rivals:
        pushing = Sending(store, ledger, form, audio, summary, tell, rivals)
        pushing.import_new(wanted)
        pushing.refresh()
    ledger.settle()
    note_tasks(store, place.url, project.id, (ledger.held[p] for p in wanted if p in ledger.held))
    _spread_gold(store, ledger, wanted, request)
    _prefer_version(place, project, pushing)
    summary.doubles = ledger.dropped
    for passage, stays, other in ledger.kept_doubles:
        summary.remarks.append(
            f"passage {passage} has two tasks, {stays} and {other}, and someone has worked in {other}: both are kept, and pull takes both."
        )
    return summary


@contextmanager
def _opened(workspace: WorkspaceFolder | None) -> Iterator[Store | None]:
    if workspace is None:
        yield None
        return
    with Store.open(workspace) as store:
        yield store


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


def _prefer_version(place: Place, project: Project, pushing: Sending) -> None:
    """Pre-fill from the drafts most tasks have now."""
    for version, _ in (+pushing.versions).most_common(1):
        try:
            change_project(place, project, model_version=version)
        except Refused:
            # It knows no draft of this version. On SQLite, Label Studio gives the numbers of deleted tasks again, so
            # that someone else's deletion may take the drafts of tasks just made.
            pushing.send_drafts_again()
            change_project(place, project, model_version=version)
