"""Push and pull against a real Label Studio: every passage once, everyone's work, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.projects import RemoteTask, drop_predictions, list_remote_tasks
from aramega.labelstudio.pull import pull, pull_everything
from aramega.labelstudio.push import PushRequest, push
from aramega.labelstudio.task_index import Batch, TaskIndex
from aramega.records import Draft
from aramega.store import Store
from aramega.store.passages import load_draft
from aramega.store.recordings import list_passages
from aramega.store.reviews import reviews_of
from aramega.workspace import WorkspaceFolder
from tests.support.drafts import put_draft
from tests.support.label_studio import Server

pytestmark = pytest.mark.label_studio


def tasks_of(client: LabelStudioClient, project: int) -> list[RemoteTask]:
    return list(list_remote_tasks(client, project))


def written(name: str, text: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "audio", "type": "textarea", "value": {"text": [text]}}


def chosen(name: str, *choices: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "audio", "type": "choices", "value": {"choices": list(choices)}}


def annotate(client: LabelStudioClient, task: int, *result: dict[str, Any], **more: Any) -> int:
    made = client.send(
        "POST", f"api/tasks/{task}/annotations/", json={"result": list(result), "lead_time": 12.5, **more}
    )
    return int(made["id"])


def test_every_passage_becomes_one_task_with_its_draft_as_a_prediction(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    with Store.open(workspace) as store:
        summary = push(store, workspace, client, PushRequest(label_studio.title()))
        assert (summary.new, summary.same, summary.remarks) == (6, 0, [])
        assert {h.passage for h in tasks_of(client, summary.project)} == {
            p.id for p in list_passages(store, "0" * 16)
        } | {p.id for p in list_passages(store, f"{1:016x}")}
        first = tasks_of(client, summary.project)[0]
        task = client.get(f"api/tasks/{first.task}/")
        (prediction,) = task["predictions"]
        draft = load_draft(store, first.passage)
        assert draft.transcript
        assert draft.verdict
        shown = {e["from_name"]: e["value"] for e in prediction["result"]}
        assert shown["transcript"] == {"text": [draft.transcript.text]}
        assert prediction["score"] == draft.verdict.score
        assert prediction["model_version"].startswith("aramega-")
        assert client.get(f"api/projects/{summary.project}")["model_version"] == prediction["model_version"]


def test_the_most_useful_come_first(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    with Store.open(workspace) as store:
        summary = push(store, workspace, client, PushRequest(label_studio.title(), limit=3))
        listed = client.get("api/tasks", project=summary.project, page_size=10, include="id,data")["tasks"]
        assert [t["data"]["priority"] for t in listed] == [0.5, 0.4, 0.3]


def test_pushing_again_sends_only_what_is_new_or_changed(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        first = push(store, workspace, client, replace(request, limit=4))
        again = push(store, workspace, client, replace(request, limit=4))
        rest = push(store, workspace, client, request)
        assert (first.new, again.new, again.same, rest.new, rest.same) == (4, 0, 4, 2, 4)
        assert len(tasks_of(client, first.project)) == 6


def redraft(store: Store, passage: str, text: str) -> Draft:
    draft = load_draft(store, passage)
    assert draft.summary
    new = replace(draft, summary=replace(draft.summary, text=text))
    put_draft(store, new)
    return new


def test_a_new_draft_replaces_the_old_one_where_nobody_has_worked_and_nowhere_else(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        submitted, skipped, begun, free = tasks_of(client, project)[:4]
        annotate(client, submitted.task, written("summary", "ملخص"), chosen("verdict", "fix"))
        annotate(client, skipped.task, was_cancelled=True)
        client.send(
            "POST",
            f"api/tasks/{begun.task}/drafts",
            params={"project": project},
            json={"result": [written("summary", "نص")]},
        )
        for held in (submitted, skipped, begun, free):
            redraft(store, held.passage, "مسودة جديدة.")
        summary = push(store, workspace, client, request)
        assert (summary.replaced, summary.waiting, summary.new, summary.same) == (1, 3, 0, 2)
        now = {h.passage: h for h in tasks_of(client, project)}
        assert [now[h.passage].draft == h.draft for h in (submitted, skipped, begun, free)] == [True, True, True, False]
        task = client.get(f"api/tasks/{free.task}/")
        (prediction,) = task["predictions"]
        assert written("summary", "مسودة جديدة.")["value"] in [e["value"] for e in prediction["result"]]
        assert task["data"]["summary"] == "مسودة جديدة."
        assert push(store, workspace, client, request).replaced == 0


def test_pull_takes_submitted_skipped_and_begun_work_with_who_and_how_long(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        submitted, skipped, begun = tasks_of(client, project)[:3]
        annotate(
            client,
            submitted.task,
            written("transcript", "نص مصحح\u202e "),
            chosen("verdict", "fix"),
            chosen("flags", "music", "overlap"),
            {"from_name": "confidence", "to_name": "audio", "type": "rating", "value": {"rating": 4}},
        )
        annotate(client, skipped.task, was_cancelled=True)
        client.send(
            "POST",
            f"api/tasks/{begun.task}/drafts",
            params={"project": project},
            json={"result": [written("summary", "نص")]},
        )
        summary = pull(store, client, request.project)
        assert (summary.new, summary.looked_at, summary.complaints) == (3, 3, [])
        (review,) = reviews_of(store, submitted.passage)
        assert (review.state, review.verdict, review.transcript) == ("submitted", "fix", "نص مصحح")
        assert (review.flags, review.confidence, review.seconds_spent) == (("music", "overlap"), 4, 12.5)
        assert (review.annotator, review.draft) == (label_studio.email, submitted.draft)
        assert review.place == f"{label_studio.url}/projects/{project}/data?task={submitted.task}"
        assert [r.state for h in (skipped, begun) for r in reviews_of(store, h.passage)] == ["skipped", "draft"]


def test_pulling_again_adds_nothing_and_a_correction_stands_beside_the_earlier_word(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        held = tasks_of(client, project)[0]
        annotation = annotate(client, held.task, written("summary", "أول"))
        assert pull(store, client, request.project).new == 1
        assert pull(store, client, request.project).new == 0
        assert pull_everything(store, client, request.project).new == 0
        client.set(f"api/annotations/{annotation}/", result=[written("summary", "ثان")])
        annotate(client, held.task, written("summary", "غيره"))
        assert pull(store, client, request.project).new == 2
        assert sorted(str(r.summary) for r in reviews_of(store, held.passage)) == ["أول", "ثان", "غيره"]


def test_drafts_that_the_server_lost_at_once_are_sent_again(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when, on SQLite, someone else's deletion takes what is attached to task numbers that are given again."""
    bring = TaskIndex.import_batch

    def bring_and_lose(index: TaskIndex, batch: Batch) -> None:
        bring(index, batch)
        drop_predictions(client, index.project, [held.task for held in index.by_passage.values()])
        client.set(f"api/projects/{index.project}", model_version="")

    monkeypatch.setattr(TaskIndex, "import_batch", bring_and_lose)
    with Store.open(workspace) as store:
        summary = push(store, workspace, client, PushRequest(label_studio.title()))
        assert (summary.new, summary.replaced) == (6, 0)
        for held in tasks_of(client, summary.project):
            assert len(client.get(f"api/tasks/{held.task}/")["predictions"]) == 1


def test_tasks_deleted_on_the_server_are_said_and_sent_again(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        gone = tasks_of(client, project)[0]
        client.send("DELETE", f"api/tasks/{gone.task}/")
        summary = push(store, workspace, client, request)
        assert summary.new == 1
        assert any("1 tasks pushed before are no longer on the server" in r for r in summary.remarks)
        assert len(tasks_of(client, project)) == 6
