"""The endpoint Label Studio calls: drafts on demand, webhooks, and nobody without the secret."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from aramega.config import Config
from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.ml_backend import Backend, connect, make_server
from aramega.labelstudio.projects import Project, list_remote_tasks, need_project
from aramega.labelstudio.push import PushRequest, push
from aramega.labelstudio.redraft import Redrafter
from aramega.pipeline import Pipeline
from aramega.pipeline.build import building
from aramega.records import Draft
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_draft
from aramega.store.reviews import reviews_of
from aramega.workspace import WorkspaceFolder
from tests.labelstudio.test_push_and_pull import annotate, written
from tests.support.chat_server import SUMMARY, chat_server
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace
from tests.support.label_studio import Server


@contextmanager
def endpoint(workspace: WorkspaceFolder, server: Server, project: Project, secret: str = "") -> Iterator[str]:
    """The endpoint at work in a thread, with a model that drafts the same summary for everything."""
    ready = threading.Event()
    served: list[Any] = []

    def serve() -> None:
        with Store.open(workspace) as store, server.client() as client:

            def redraft(passage: str) -> Draft:
                draft = load_draft(store, passage)
                assert draft.summary
                return replace(draft, summary=replace(draft.summary, text="ملخص من نموذج جديد."))

            served.append(make_server(Backend(store, client, project, redraft, secret), "127.0.0.1", 0))
            ready.set()
            served[0].serve_forever()
            served[0].server_close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while not ready.wait(0.1):
        assert thread.is_alive()
    yield f"http://127.0.0.1:{served[0].server_port}"
    served[0].shutdown()
    thread.join()


@pytest.fixture
def pushed(label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder) -> Project:
    with Store.open(workspace) as store:
        return need_project(
            client, str(push(store, workspace, client, PushRequest(label_studio.title(), limit=2)).project)
        )


@pytest.mark.label_studio
def test_label_studio_connects_to_it_and_gets_a_new_draft_for_a_task_without_one(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, pushed: Project
) -> None:
    with endpoint(workspace, label_studio, pushed, secret="between us") as address:
        connect(client, pushed, address, secret="between us")
        connect(client, pushed, address, secret="between us")
        (backend,) = client.get("api/ml", project=pushed.id)
        assert backend["state"] == "CO"
        assert len(client.get("api/webhooks/", project=pushed.id)) == 1
        task = next(list_remote_tasks(client, pushed.id)).task
        chosen = {"all": False, "included": [task]}
        act = {"project": pushed.id, "id": "delete_tasks_predictions"}
        client.send("POST", "api/dm/actions", params=act, json={"selectedItems": chosen})
        client.send(
            "POST", "api/dm/actions", params={**act, "id": "retrieve_tasks_predictions"}, json={"selectedItems": chosen}
        )
        (prediction,) = client.get(f"api/tasks/{task}/")["predictions"]
        said = {e["from_name"]: e["value"] for e in prediction["result"]}
        assert said["summary"] == {"text": ["ملخص من نموذج جديد."]}


@pytest.mark.label_studio
def test_a_webhook_brings_work_at_once(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, pushed: Project
) -> None:
    with endpoint(workspace, label_studio, pushed) as address:
        connect(client, pushed, address)
        held = next(list_remote_tasks(client, pushed.id))
        annotate(client, held.task, written("summary", "وصل بنفسه"))
        with Store.open(workspace) as store:
            while not reviews_of(store, held.passage):
                threading.Event().wait(0.05)
            (review,) = reviews_of(store, held.passage)
    assert review.summary == "وصل بنفسه"


@pytest.mark.label_studio
def test_what_is_not_of_this_workspace_or_project_is_turned_away(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, pushed: Project
) -> None:
    task = client.get(f"api/tasks/{next(list_remote_tasks(client, pushed.id)).task}/", resolve_uri=False)
    with endpoint(workspace, label_studio, pushed) as address, httpx.Client(base_url=address) as client:
        edited = {**task, "data": {**task["data"], "passage": "../../etc/passwd"}}
        assert client.post("/predict", json={"tasks": [edited]}).status_code == 422
        news = {"action": "ANNOTATION_CREATED", "project": {"id": pushed.id + 1}, "task": {"id": task["id"]}}
        assert client.post("/webhook", json=news).status_code == 422
        assert client.post("/webhook", json={"action": "PROJECT_DELETED"}).json() == {"new": 0}
        assert client.post("/predict", content=b"{").status_code == 400
        assert client.post("/predict", json={"tasks": [1]}).status_code == 400
        assert client.get("/aramega.db").status_code == 404
        assert client.get("/health").json()["status"] == "UP"


@pytest.mark.label_studio
def test_with_a_secret_nobody_gets_in_without_it(
    label_studio: Server, workspace: WorkspaceFolder, pushed: Project
) -> None:
    with endpoint(workspace, label_studio, pushed, secret="s3") as address, httpx.Client(base_url=address) as client:
        basic = base64.b64encode(b"aramega:s3").decode()
        answers = [
            client.get("/health", headers={"Authorization": a}).status_code
            for a in ("", "Bearer s4", "Basic !", "Bearer s3", f"Basic {basic}")
        ]
    assert answers == [401, 401, 401, 200, 200]


@pytest.mark.label_studio
def test_an_address_others_can_reach_needs_a_secret(
    client: LabelStudioClient, workspace: WorkspaceFolder, pushed: Project
) -> None:
    with Store.open(workspace) as store, pytest.raises(AramegaError, match="ARAMEGA_SERVE_SECRET"):
        make_server(Backend(store, client, pushed, lambda _: Draft()), "0.0.0.0", 0)


def test_a_passage_is_drafted_anew_where_its_models_have_changed_and_nowhere_else(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=2, clips=False)
    config = Config.model_validate({"transcribe": {"model": "whisper:tiny.pt"}})
    pipeline = Pipeline.from_config(config, workspace)
    with Store.open(workspace) as store:
        for stage, mark in pipeline.marks.items():
            connection_of(store).execute(
                "UPDATE results SET fingerprint = ? WHERE stage = ?", (mark.fingerprint, stage)
            )
        first, second = find_passages(store)
        before = load_draft(store, first)
        assert Redrafter(store, pipeline).redraft(first) == before
        shorter = Config.model_validate({**config.model_dump(), "summarize": {"max_sentences": 1}})
        after = Redrafter(store, Pipeline.from_config(shorter, workspace)).redraft(first)
        assert before.summary
        assert after.summary
        assert (before.summary.model, after.summary.abstractive) == ("openai:test", False)
        assert after.transcript == before.transcript
        assert load_draft(store, second).summary
        assert load_draft(store, first) == after
        with building(workspace):
            assert Redrafter(store, pipeline).redraft(second) == load_draft(store, second)


def test_a_passage_is_drafted_anew_by_a_model_that_must_be_loaded_first(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=2, clips=False)
    with chat_server(lambda messages: SUMMARY) as server, Store.open(workspace) as store:
        options = {"transcribe": {"model": "whisper:tiny.pt"}, "summarize": {"backend": f"openai:m@{server.url}"}}
        pipeline = Pipeline.from_config(Config.model_validate(options), workspace)
        mark = pipeline.marks["transcribe"]
        connection_of(store).execute(
            "UPDATE results SET fingerprint = ? WHERE stage = ?", (mark.fingerprint, mark.stage)
        )
        for stage in ("ingest", "segment", "passages"):
            connection_of(store).execute(
                "UPDATE results SET fingerprint = ? WHERE stage = ?", (pipeline.marks[stage].fingerprint, stage)
            )
        redrafter = Redrafter(store, pipeline)
        drafts = [redrafter.redraft(passage) for passage in find_passages(store)]
        assert [draft.summary.model for draft in drafts if draft.summary] == ["openai:m"] * 2
