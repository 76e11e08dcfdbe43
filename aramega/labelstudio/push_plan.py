"""A push, planned: what it would send, found out by questions alone.

Nothing is written, neither here nor on the server: no project is made or changed, no clip uploaded, no doubled task
removed. Each passage is sorted by the rules of the push itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.clips import ClipAccess, ClipsAtAddress, checked_clip, choose_clip_access, clip_on_disk
from aramega.labelstudio.form import Form, load_template, usable_form
from aramega.labelstudio.projects import Project, find_project
from aramega.labelstudio.push import missing_fields, opened, report_changes_on_server, report_doubles
from aramega.labelstudio.selection import PushRequest, choose_passages
from aramega.labelstudio.task_drafts import TaskDraft, load_task_drafts
from aramega.labelstudio.task_index import TaskIndex
from aramega.labelstudio.uploads import PushSummary, check_draft, compare_task, shows_drafts
from aramega.store import Store
from aramega.workspace import WorkspaceFolder


def plan_push(store: Store, workspace: WorkspaceFolder, client: LabelStudioClient, request: PushRequest) -> PushSummary:
    """What `push` would do with the same request."""
    client.check()
    passages = choose_passages(store, request)
    clips = choose_clip_access(request.audio, client, workspace)
    project = find_project(client, request.project)
    form, remarks = _planned_form(project, request)
    index = TaskIndex(client, project.id if project else 0)
    summary = PushSummary(index.project, project.title if project else request.project, "", remarks=remarks)
    if project:
        summary.link = f"{client.url}/projects/{project.id}/data"
        index.look()
        index.mark_begun()
        report_changes_on_server(store, index, summary)
        report_doubles(index, summary)
    with opened(request.against) as rivals:
        plan = _PushPlan(workspace, index, form, clips, summary)
        plan.sort(store, passages, rivals)
    return summary


class _PushPlan:
    """Counts in `summary` what would become of each passage."""

    def __init__(
        self, workspace: WorkspaceFolder, index: TaskIndex, form: Form, clips: ClipAccess, summary: PushSummary
    ) -> None:
        self._workspace, self._index, self._clips, self._summary = workspace, index, clips, summary
        self._predicts = shows_drafts(form)

    def sort(self, store: Store, passages: Sequence[str], rivals: Store | None) -> None:
        for _, loaded in load_task_drafts(store, passages, rivals):
            try:
                if isinstance(loaded, AramegaError):
                    raise loaded
                self._sort(loaded)
            except AramegaError as error:
                self._summary.skipped.append(str(error))

    def _sort(self, loaded: TaskDraft) -> None:
        check_draft(loaded)
        passage, remote = loaded.drafted.passage, self._index.by_passage.get(loaded.drafted.id)
        if self._workspace.files or isinstance(
            self._clips, ClipsAtAddress
        ):  # a push brings the first, asks for neither
            checked_clip(passage)
        else:
            clip_on_disk(self._workspace, passage)
        if remote is None:
            self._summary.new += 1
            return
        state = compare_task(
            remote, loaded, plays=lambda: self._clips.would_give(remote.audio, passage), predicts=self._predicts
        )
        self._summary.same += state == "same"
        self._summary.waiting += state == "waiting"
        self._summary.replaced += state == "stale"


def _planned_form(project: Project | None, request: PushRequest) -> tuple[Form, list[str]]:
    """The form that the project has after a push, and what that push changes in it."""
    named = request.template or ("" if project else "passage_review")
    if not named:
        assert project is not None  # one that is not there gets a template's form
        form = usable_form(project.config, f"project {project.title!r}")
        return form, missing_fields(form)
    config = load_template(named)
    form = usable_form(config, named)
    if project is None:
        return form, [f"project {request.project!r} is not there: a push makes it, with the form {named}."]
    changed = [f"the project's form becomes {named}."] if config != project.config else []
    return form, [*changed, *missing_fields(form)]
