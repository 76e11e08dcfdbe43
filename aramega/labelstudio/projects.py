"""Projects: finds or makes a project on the server, and lists, counts and deletes its tasks.

Label Studio has no unique names and no transactions over its API, so that "one project of this name" and "one task
a passage" are kept by one rule that everyone follows: whoever has just added something looks again, and of two that
are alike the one with the lowest number stays. Whoever looks last sees both, so one of two always notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient, part
from aramega.labelstudio.tasks import passage_key

PAGE = 1000
"""Tasks listed at a time: some megabytes of transcripts."""
_ASKED = 25
"""Tasks asked for by number in one address, which servers limit to some 4,000 bytes."""
_LISTED = "id,data,total_annotations,cancelled_annotations,total_predictions"


@dataclass(frozen=True)
class Project:
    """A project of the server, as it was when we read it."""

    id: int
    title: str
    config: str
    """Its labelling configuration, as XML."""
    model_version: str = ""
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class RemoteTask:
    """A task on the server: its passage, its draft, and whether somebody has worked in it."""

    task: int
    passage: str
    draft: str
    audio: str
    touched: bool
    """Someone has submitted or skipped it. Open drafts are asked for apart."""
    predicted: bool
    ours: bool = True
    """Its key fits its passage and audio. Tasks made by hand, or edited to name another passage, are never changed."""


def find_project(client: LabelStudioClient, named: str) -> Project | None:
    """Find a project by its number or exact title; of several with that title, the lowest number."""
    if named.isdigit():
        return _project(client.get(f"api/projects/{named}"))
    numbers = [int(p["id"]) for p in _titled(client, named) if p["title"] == named]
    return _project(client.get(f"api/projects/{min(numbers)}")) if numbers else None


def need_project(client: LabelStudioClient, named: str) -> Project:
    """Find a project, or raise with the titles there are."""
    project = find_project(client, named)
    if project is None:
        titles = ", ".join(sorted({p["title"] for p in _titled(client, "")})[:10])
        raise AramegaError(
            f"{client.url} has no project {named!r} (there: {titles or 'none'}). `aramega review push` makes it."
        )
    return project


def make_project(client: LabelStudioClient, title: str, config: str, **settings: Any) -> Project:
    """Make a project. If someone made one of the same title meanwhile, ours is deleted and the older returned."""
    if len(title) < 3 or len(title) > 50:
        raise AramegaError(f"--project {title}: Label Studio wants a title of 3 to 50 characters.")
    wanted = {"title": title, "label_config": config, **settings}
    ours = client.retry(lambda: _find_or_create(client, title, wanted))
    project = find_project(client, title)
    if project is None or project.id == ours:
        return need_project(client, str(ours))
    if not count_tasks(client, ours):
        client.send("DELETE", f"api/projects/{ours}")
    return project


def _find_or_create(client: LabelStudioClient, title: str, wanted: dict[str, Any]) -> int:
    """Look for it first: a server in trouble may have made it and not said so."""
    project = find_project(client, title)
    return project.id if project else int(part(client.send("POST", "api/projects", json=wanted), "id", "a new project"))


def change_project(client: LabelStudioClient, project: Project, **settings: Any) -> Project:
    """Set the settings that differ, if any: each change makes Label Studio count all tasks anew."""
    current = client.get(f"api/projects/{project.id}")
    new = {k: v for k, v in settings.items() if v is not None and current.get(k) != v}
    if not new:
        return project
    client.set(f"api/projects/{project.id}", **new)
    return need_project(client, str(project.id))


def count_tasks(client: LabelStudioClient, project: int, after: int = 0) -> int:
    """Count the tasks whose number is greater than `after`."""
    query = {"filters": {"conjunction": "and", "items": [condition("id", "greater", "Number", after)]}}
    answer = client.get("api/tasks", project=project, page_size=1, include="id", query=query)
    return int(part(answer, "total", "a list of tasks"))


def list_remote_tasks(client: LabelStudioClient, project: int, after: int = 0) -> Iterator[RemoteTask]:
    """List the project's tasks by number, page by page from the last number seen, so that a task that comes or goes
    meanwhile shifts nothing."""
    while True:
        query = {
            "filters": {"conjunction": "and", "items": [condition("id", "greater", "Number", after)]},
            "ordering": ["tasks:id"],
        }
        tasks = _page(client, project, include=_LISTED, query=query)
        yield from map(_remote_task, tasks)
        if len(tasks) < PAGE:
            return
        after = int(tasks[-1]["id"])


def drafted_by_people(client: LabelStudioClient, project: int) -> set[int]:
    """List the tasks that someone has begun and not submitted."""
    query = {
        "filters": {"conjunction": "and", "items": [condition("draft_exists", "equal", "Boolean", True)]},
        "ordering": ["tasks:id"],
    }
    begun: set[int] = set()
    page = 1
    while tasks := _page(client, project, include="id", query=query, page=page):
        begun |= {int(t["id"]) for t in tasks}
        if len(tasks) < PAGE:
            break
        page += 1
    return begun


def find_task(client: LabelStudioClient, project: Project, passage: str | None) -> int:
    """Find the task of a passage; without a passage, the first task."""
    lines = [condition("data.passage", "equal", "String", passage)] if passage else []
    query = {"filters": {"conjunction": "and", "items": lines}, "ordering": ["tasks:id"]}
    answer = client.get("api/tasks", project=project.id, page_size=1, include="id", query=query)
    tasks = part(answer, "tasks", "a list of tasks")
    if not tasks:
        raise AramegaError(
            f"{project.title} has no task{f' for {passage}' if passage else ''}; `aramega review push` makes them."
        )
    return int(tasks[0]["id"])


def touched_among(client: LabelStudioClient, project: int, tasks: Sequence[int]) -> set[int]:
    """List those of the tasks that hold an annotation or a draft, asked now and not of any counter."""
    touched: set[int] = set()
    for i in range(0, len(tasks), _ASKED):
        lines = [condition("id", "equal", "Number", task) for task in tasks[i : i + _ASKED]]
        query = {"filters": {"conjunction": "or", "items": lines}}
        listed = _page(client, project, fields="all", include="id,annotations,drafts", query=query)
        touched |= {int(t["id"]) for t in listed if t.get("annotations") or t.get("drafts")}
    return touched


def drop_tasks(client: LabelStudioClient, project: int, tasks: Sequence[int]) -> None:
    """Delete tasks; one that is gone already is no error."""
    chosen = {"all": False, "included": list(tasks)}
    client.retry(lambda: _act(client, project, "delete_tasks", chosen))


def drop_predictions(client: LabelStudioClient, project: int, tasks: Sequence[int]) -> None:
    """Delete all predictions of tasks."""
    chosen = {"all": False, "included": list(tasks)}
    _act(client, project, "delete_tasks_predictions", chosen)


def condition(name: str, operator: str, kind: str, value: object, also: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make one line of a Label Studio filter; `also` must hold for the same task."""
    line = {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}
    return {**line, "child_filter": also} if also else line


def people_of(client: LabelStudioClient) -> dict[int, str]:
    """List the server's users: number → e-mail address."""
    return {int(user["id"]): str(user["email"]) for user in client.get("api/users")}


def _act(client: LabelStudioClient, project: int, action: str, chosen: dict[str, Any]) -> Any:
    return client.send(
        "POST", "api/dm/actions", params={"id": action, "project": project}, json={"selectedItems": chosen}
    )


def _page(client: LabelStudioClient, project: int, **params: object) -> list[dict[str, Any]]:
    answer = client.get("api/tasks", project=project, page_size=PAGE, resolve_uri=False, **params)
    return list(part(answer, "tasks", "a list of tasks"))


def _remote_task(task: dict[str, Any]) -> RemoteTask:
    data = task.get("data") or {}
    passage, audio = str(data.get("passage", "")), str(data.get("audio", ""))
    return RemoteTask(
        task=int(task["id"]),
        passage=passage,
        draft=str(data.get("draft", "")),
        audio=audio,
        ours=bool(passage) and data.get("aramega") == passage_key(passage, audio),
        touched=bool(task.get("total_annotations") or task.get("cancelled_annotations")),
        predicted=bool(task.get("total_predictions")),
    )


def _titled(client: LabelStudioClient, title: str) -> Iterator[dict[str, Any]]:
    page, more = 1, True
    while more:
        answer = client.get("api/projects", title=title, page=page, page_size=100, include="id,title")
        yield from part(answer, "results", "a list of projects")
        more, page = bool(answer.get("next")), page + 1


def _project(answer: dict[str, Any]) -> Project:
    return Project(
        id=int(part(answer, "id", "a project")),
        title=str(part(answer, "title", "a project")),
        config=str(part(answer, "label_config", "a project")),
        model_version=str(answer.get("model_version") or ""),
        tasks=int(answer.get("task_number") or 0),
    )
