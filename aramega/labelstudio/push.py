"""Push: sends drafted passages to Label Studio as tasks, the most useful first, one task a passage.

What is to do is decided by comparing the workspace with the server: a passage without a task gets one, a task whose
draft has changed and that nobody has touched is given the new draft, everything else stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aramega.labelstudio.client import LabelStudioClient, Refused
from aramega.labelstudio.clips import choose_clip_access
from aramega.labelstudio.form import Form, load_template, usable_form
from aramega.labelstudio.guidelines import instructions
from aramega.labelstudio.projects import Project, change_project, find_project, make_project
from aramega.labelstudio.selection import PushRequest, choose_passages
from aramega.labelstudio.task_index import TaskIndex
from aramega.labelstudio.uploads import PushSummary, Say, TaskUploader, as_sent
from aramega.store import Store
from aramega.store.reviews import gold_passages
from aramega.store.tasks import forget_tasks, note_tasks, noted_tasks
from aramega.workspace import WorkspaceFolder

__all__ = ["PushRequest", "PushSummary", "push"]

EVERYONE = 99
"""How many annotators a gold task is for."""


def push(
    store: Store, workspace: WorkspaceFolder, client: LabelStudioClient, request: PushRequest, say: Say = lambda _: None
) -> PushSummary:
    """Bring the project up to date with the workspace."""
    client.check()
    passages = choose_passages(store, request)
    project = _ready_project(client, request)
    form = usable_form(project.config, f"project {project.title!r}")
    clips = choose_clip_access(request.audio, client, workspace)
    clips.open_to(project.id)
    summary = PushSummary(
        project.id, project.title, f"{client.url}/projects/{project.id}/data", remarks=missing_fields(form)
    )
    index = TaskIndex(client, project.id)
    index.read()
    index.mark_begun()
    forget_tasks(store, client.url, project.id, report_changes_on_server(store, index, summary))
    with opened(request.against) as rivals:
        uploader = TaskUploader(store, index, form, clips, summary, say, rivals)
        uploader.import_new(passages)
        uploader.refresh()
    index.check_count()
    note_tasks(store, client.url, project.id, (as_sent(index.by_passage[p]) for p in passages if p in index.by_passage))
    _spread_gold(store, index, passages, request)
    _prefer_version(client, project, uploader)
    report_doubles(index, summary)
    return summary


@contextmanager
def opened(workspace: WorkspaceFolder | None) -> Iterator[Store | None]:
    if workspace is None:
        yield None
        return
    with Store.open(workspace) as store:
        yield store


def _ready_project(client: LabelStudioClient, request: PushRequest) -> Project:
    """The project, made or brought to what was asked."""
    project = find_project(client, request.project)
    settings = _overlap_settings(request)
    if project is None:
        config = load_template(request.template or "passage_review")
        usable_form(config, request.template or "passage_review")
        return make_project(
            client,
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
    return change_project(client, project, **settings)


def _overlap_settings(request: PushRequest) -> dict[str, object]:
    if request.overlap is None:
        return {}
    several = request.annotators if request.overlap > 0 else 1
    return {
        "overlap_cohort_percentage": round(100 * request.overlap) if several > 1 else 100,
        "maximum_annotations": several,
    }


def missing_fields(form: Form) -> list[str]:
    """What of a draft this project's form cannot show: someone may have renamed a field by hand."""
    asks_writing = form.has("transcript") or form.has("summary")
    gone = [name for name in ("transcript", "summary", "verdict") if asks_writing and not form.has(name)]
    remarks = [f"the project's form has no `{name}`: nothing is pre-filled or pulled there." for name in gone]
    return [*remarks, *form.remarks] if gone else []


def report_changes_on_server(store: Store, index: TaskIndex, summary: PushSummary) -> list[int]:
    """Add a remark for each task that was edited on the server, and one for those deleted there; give the latter."""
    sent = noted_tasks(store, index.client.url, index.project)
    present = {remote.task for remote in index.by_passage.values()} | {later for _, _, later in index.kept_doubles}
    edited = [remote for remote in index.strangers if remote.task in sent]
    for remote in edited:
        summary.remarks.append(
            f"task {remote.task} was made for passage {sent[remote.task]} and was edited on the server: it now names "
            f"{remote.passage[:80] or 'none'}. It is left alone."
        )
    gone = sorted(set(sent) - present - {remote.task for remote in index.strangers})
    if gone:
        summary.remarks.append(
            f"{len(gone):,} tasks pushed before are no longer on the server; those still wanted are sent again."
        )
    return gone


def report_doubles(index: TaskIndex, summary: PushSummary) -> None:
    """Count the second tasks that were removed, and add a remark for each that is kept."""
    summary.doubles = index.dropped
    for passage, stays, other in index.kept_doubles:
        summary.remarks.append(
            f"passage {passage} has two tasks, {stays} and {other}, and someone has worked in {other}: both are kept, and pull takes both."
        )


def _spread_gold(store: Store, index: TaskIndex, passages: Sequence[str], request: PushRequest) -> None:
    """Assign the gold tasks to every annotator."""
    if request.gold <= 0:
        return
    gold = set(gold_passages(store))
    for passage in passages:
        if passage in gold and passage in index.by_passage:
            index.client.set(f"api/tasks/{index.by_passage[passage].task}/", overlap=EVERYONE)


def _prefer_version(client: LabelStudioClient, project: Project, uploader: TaskUploader) -> None:
    """Have Label Studio pre-fill from the version of drafts that most tasks have."""
    for version, _ in (+uploader.versions).most_common(1):
        try:
            change_project(client, project, model_version=version)
        except Refused:
            # It knows no draft of this version. On SQLite, Label Studio gives the numbers of deleted tasks again, so
            # that someone else's deletion may take the drafts of tasks just made.
            uploader.send_drafts_again()
            change_project(client, project, model_version=version)
