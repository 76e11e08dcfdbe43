"""A server that is killed, and two curators at once: still one task a passage, and no work lost.

`benchmarks/review.py` does the same with 10,000 passages and twenty kills.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from aramega.errors import AramegaError
from aramega.labelstudio import task_index
from aramega.labelstudio.client import LabelStudioClient, Unreachable
from aramega.labelstudio.local_server import free_port
from aramega.labelstudio.projects import list_remote_tasks, need_project
from aramega.labelstudio.pull import pull
from aramega.labelstudio.push import PushRequest, push
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.workspace import WorkspaceFolder
from tests.labelstudio.test_push_and_pull import annotate, written
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace
from tests.support.label_studio import Server, own_server

pytestmark = pytest.mark.label_studio


def tasks_by_passage(client: LabelStudioClient, title: str) -> Counter[str]:
    return Counter(held.passage for held in list_remote_tasks(client, need_project(client, title).id))


def passages_of(workspace: WorkspaceFolder) -> Counter[str]:
    with Store.open(workspace) as store:
        return Counter(find_passages(store))


def test_a_server_killed_while_it_imports_ends_with_one_task_for_each_passage(tmp_path: Path) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=6, passages=100, clips=False)
    port, title = free_port(), "killed"
    request = PushRequest(title, audio="https://clips.example.org", where="")
    with own_server(tmp_path / "server", port) as (server, process), Store.open(workspace) as store:
        killer = threading.Thread(target=kill_once_it_holds_tasks, args=(process, tmp_path / "server"))
        killer.start()
        with server.client(patience=0) as client, pytest.raises(Unreachable):
            push(store, workspace, client, request)
        killer.join()
    with (
        own_server(tmp_path / "server", port) as (server, _),
        Store.open(workspace) as store,
        server.client() as client,
    ):
        assert 0 < push(store, workspace, client, request).new < 600, "it was killed in the middle"
        assert tasks_by_passage(client, title) == passages_of(workspace)
        assert all(held.predicted for held in list_remote_tasks(client, need_project(client, title).id))
        assert push(store, workspace, client, request).same == 600


def kill_once_it_holds_tasks(server: subprocess.Popen[bytes], folder: Path) -> None:
    with closing(sqlite3.connect(f"file:{folder}/data/label_studio.sqlite3?mode=ro", uri=True)) as tables:
        while not tables.execute("SELECT count(*) FROM task").fetchone()[0]:
            time.sleep(0.01)
    server.kill()


def test_an_answer_that_is_lost_after_the_import_was_done_doubles_nothing(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = task_index.TaskIndex._import

    def lose_the_first_answer(self: task_index.TaskIndex, batch: task_index.Batch) -> list[int]:
        monkeypatch.setattr(task_index.TaskIndex, "_import", imported)
        imported(self, batch)
        raise Unreachable("the line broke")

    monkeypatch.setattr(task_index.TaskIndex, "_import", lose_the_first_answer)
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        assert push(store, workspace, client, request).new == 6
        assert tasks_by_passage(client, request.project) == passages_of(workspace)


def test_a_server_that_is_up_but_cannot_import_is_given_up_on(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> list[int]:
        raise Unreachable("in trouble (500)")

    monkeypatch.setattr(task_index.TaskIndex, "_import", full_disk)
    with Store.open(workspace) as store, pytest.raises(Unreachable, match="in trouble"):
        push(store, workspace, client, PushRequest(label_studio.title()))


def test_two_curators_at_once_make_one_project_and_one_task_for_each_passage(
    label_studio: Server, workspace: WorkspaceFolder
) -> None:
    mine = drafted_workspace(label_studio.files / f"ws-{uuid4().hex[:12]}", recordings=3, passages=100, clips=False)
    other = WorkspaceFolder(label_studio.files / f"ws-{uuid4().hex[:12]}")
    shutil.copytree(mine.root, other.root)
    request = PushRequest(label_studio.title(), audio="https://clips.example.org", where="")

    def curate(workspace: WorkspaceFolder) -> int:
        with Store.open(workspace) as store, label_studio.client() as client:
            return push(store, workspace, client, request).project

    with ThreadPoolExecutor(2) as curators:
        projects = set(curators.map(curate, (mine, other)))
    with label_studio.client() as client:
        assert len(projects) == 1
        assert tasks_by_passage(client, request.project) == passages_of(mine)


def test_a_doubled_task_that_someone_has_worked_in_is_kept_and_said(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title(), limit=2)
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        one, two = list_remote_tasks(client, project)
        again = [client.get(f"api/tasks/{held.task}/", resolve_uri=False)["data"] for held in (one, two)]
        sent = client.send(
            "POST",
            f"api/projects/{project}/import",
            params={"return_task_ids": True},
            json=[{"data": d} for d in again],
        )
        doubled = sent["task_ids"][0]
        annotate(client, doubled, written("summary", "عمل لا يضيع"))
        summary = push(store, workspace, client, request)
        assert summary.doubles == 1
        assert any(f"has two tasks, {one.task} and {doubled}" in remark for remark in summary.remarks)
        assert tasks_by_passage(client, request.project) == {one.passage: 2, two.passage: 1}
        assert pull(store, client, request.project).new == 1


def test_a_task_made_by_hand_is_never_touched(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title(), limit=1)
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        data = client.get(f"api/tasks/{next(list_remote_tasks(client, project)).task}/", resolve_uri=False)["data"]
        stray = [{"data": {**data, "aramega": "", "passage": passage}} for passage in ("", "", data["passage"])]
        client.send("POST", f"api/projects/{project}/import", json=stray)
        assert push(store, workspace, client, request).same == 1
        assert len(list(list_remote_tasks(client, project))) == 4


def test_a_pull_broken_off_is_simply_done_again(
    label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = PushRequest(label_studio.title())
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        for held in list_remote_tasks(client, project):
            annotate(client, held.task, written("summary", "نص"))
        with monkeypatch.context() as broken:
            broken.setattr("aramega.labelstudio.pull.PAGE", 2)
            broken.setattr("aramega.labelstudio.pull.note_pulled", _break_off)
            with pytest.raises(AramegaError, match="killed"):
                pull(store, client, request.project)
        assert connection_of(store).execute("SELECT count(*) FROM reviews").fetchone()[0] == 6
        assert pull(store, client, request.project).new == 0


def _break_off(*_: object) -> None:
    raise AramegaError("killed")
