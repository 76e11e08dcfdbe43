"""What goes wrong on a real server and around it: each a clear line, and nothing lost."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient, Unreachable, checked_url
from aramega.labelstudio.form import load_template
from aramega.labelstudio.local_server import free_port
from aramega.labelstudio.projects import need_project
from aramega.labelstudio.pull import pull, pull_everything
from aramega.labelstudio.push import PushRequest, push
from aramega.store import Finished, Mark, Store
from aramega.store.drafts import find_passages
from aramega.store.recordings import list_passages, load_recording
from aramega.store.results import write_outcomes
from aramega.store.reviews import reviews_of
from aramega.workspace import WorkspaceFolder
from tests.labelstudio.test_push_and_pull import annotate, chosen, tasks_of, written
from tests.support.cli import Run
from tests.support.database import connection_of
from tests.support.label_studio import Server

SECRET = "5ec3e7" * 6 + "abcd"


@contextmanager
def answering(*answers: tuple[int, str, str]) -> Iterator[str]:
    """A web server that gives these answers (status, type, text) in turn, the last one for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, text = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask_it(url: str, token: str) -> None:
    with LabelStudioClient(url, token, patience=0) as client:
        client.check()
        client.get("api/projects")


def complaint_of(url: str, token: str = SECRET) -> str:
    with pytest.raises(AramegaError) as error:
        ask_it(url, token)
    assert token not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def version(number: str) -> tuple[int, str, str]:
    return 200, "application/json", json.dumps({"release": number})


def test_nobody_answers() -> None:
    assert "nobody answers" in complaint_of(f"http://127.0.0.1:{free_port()}")


def test_a_web_page_instead_of_the_api() -> None:
    with answering((200, "text/html", "<html><body>Welcome</body></html>")) as url:
        assert "answers with a web page" in complaint_of(url)
    with answering((404, "text/html", "<html>Not found</html>")) as url:
        assert "answers with a web page" in complaint_of(url)
    with answering((200, "application/json", '{"hello": 1}')) as url:
        assert "Give the address of its home page" in complaint_of(url)


def test_a_server_too_old_to_understand() -> None:
    with answering(version("1.8.0")) as url:
        assert "is Label Studio 1.8.0; aramega speaks to 1.20 and newer. Upgrade it." in complaint_of(url)


def test_a_server_that_answers_in_a_way_of_its_own() -> None:
    with (
        answering(version("9.0"), (200, "application/json", '{"items": []}')) as url,
        LabelStudioClient(url, SECRET) as client,
    ):
        client.check()
        with pytest.raises(AramegaError, match="without `results`: this server and this aramega are too far apart"):
            need_project(client, "news")


def test_a_busy_server_is_waited_for() -> None:
    busy = (503, "text/html", "<html>starting</html>")
    with answering(busy, busy, version("1.23.2")) as url, LabelStudioClient(url, SECRET, patience=20) as client:
        client.check()
    with answering(busy) as url, LabelStudioClient(url, SECRET, patience=0) as client, pytest.raises(Unreachable):
        client.check()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("labels.example.org/projects/3/data?task=5", "http://labels.example.org"),
        ("https://host/labels/api/", "https://host/labels"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ],
)
def test_what_people_paste_along_with_an_address_is_left_off(given: str, used: str) -> None:
    assert checked_url(given) == used


@pytest.mark.parametrize("given", ["https://user:secret@host", "ftp://host", "http://"])
def test_an_address_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(AramegaError) as error:
        checked_url(given)
    assert "secret" not in str(error.value)


@pytest.mark.label_studio
class TestTokens:
    def test_a_wrong_legacy_token(self, label_studio: Server) -> None:
        said = complaint_of(label_studio.url, "f" * 40)
        assert "refuses the token: nobody has it" in said
        assert "LABEL_STUDIO_API_KEY" in said

    def test_a_personal_access_token_works_and_one_that_is_revoked_is_said_to_be(
        self, label_studio: Server, client: LabelStudioClient
    ) -> None:
        token = client.send("POST", "api/token/", json={})["token"]
        with LabelStudioClient(label_studio.url, token) as personal:
            assert personal.get("api/current-user/whoami")["email"] == label_studio.email
        client.send("POST", "api/token/blacklist/", json={"refresh": token})
        assert "this personal access token is expired or revoked" in complaint_of(label_studio.url, token)

    def test_an_expired_personal_access_token_is_said_to_be(self, label_studio: Server) -> None:
        import jwt

        token = jwt.encode({"exp": int(time.time()) - 60, "token_type": "refresh"}, "x" * 32)
        assert "expired" in complaint_of(label_studio.url, token)

    def test_no_error_or_log_of_the_command_line_holds_the_token(
        self, label_studio: Server, workspace: WorkspaceFolder, aramega: Run
    ) -> None:
        import os

        said = aramega(
            "review",
            "push",
            workspace.root,
            "--url",
            label_studio.url,
            env={**os.environ, "LABEL_STUDIO_API_KEY": SECRET},
        )
        assert said.code == 2
        assert "refuses the token" in said.err
        assert SECRET not in said.out + said.err


def test_without_a_token_it_is_said_where_to_get_one(workspace_alone: WorkspaceFolder, aramega: Run) -> None:
    said = aramega("review", "pull", workspace_alone.root, "--url", "http://127.0.0.1:9")
    assert said.code == 2
    assert "no token for http://127.0.0.1:9. Set LABEL_STUDIO_API_KEY" in said.err


@pytest.mark.label_studio
class TestProjects:
    def test_a_project_that_is_not_there_is_named_with_those_that_are(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        with Store.open(workspace) as store, pytest.raises(AramegaError, match="has no project 'nowhere'"):
            pull(store, client, "nowhere")

    def test_a_form_changed_by_hand_is_noticed_and_the_rest_goes_on(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        request = PushRequest(label_studio.title(), limit=2)
        with Store.open(workspace) as store:
            project = push(store, workspace, client, request).project
            changed = load_template("passage_review").replace('name="summary"', 'name="sumary"')
            client.set(f"api/projects/{project}", label_config=changed)
            summary = push(store, workspace, client, replace(request, limit=4))
            assert summary.new == 2
            assert any("has no `summary`" in r for r in summary.remarks)
            assert any("did you mean `summary`?" in r for r in summary.remarks)
            held = tasks_of(client, project)[0]
            annotate(client, held.task, written("sumary", "نص"), chosen("verdict", "accept"))
            found = pull(store, client, request.project)
            assert found.new == 1
            assert any("pull does not read sumary" in c for c in found.complaints)

    def test_a_form_that_asks_for_what_tasks_do_not_hold_is_refused_before_anything_is_sent(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        request = PushRequest(label_studio.title(), limit=2)
        with Store.open(workspace) as store:
            project = push(store, workspace, client, request).project
            client.send("DELETE", f"api/tasks/{tasks_of(client, project)[0].task}/")
            client.send("DELETE", f"api/tasks/{tasks_of(client, project)[0].task}/")
            changed = load_template("passage_review").replace("$uncertain", "$weather")
            client.set(f"api/projects/{project}", label_config=changed)
            with pytest.raises(AramegaError, match=r"it shows \$weather; tasks hold"):
                push(store, workspace, client, request)

    def test_what_is_odd_in_an_annotation_is_said_and_taken_all_the_same(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        request = PushRequest(label_studio.title(), limit=2)
        with Store.open(workspace) as store:
            project = push(store, workspace, client, request).project
            one, other = tasks_of(client, project)
            annotate(client, one.task, chosen("dialect", "KLINGON"), written("transcript", ""))
            annotate(client, other.task, chosen("verdict", "reject"), written("transcript", ""))
            found = pull(store, client, request.project)
            assert found.new == 2
            wheres, whats = zip(*(c.rsplit(": ", 1) for c in found.complaints), strict=True)
            assert sorted(whats) == [
                "dialect is KLINGON, which the form does not offer; taken as it is.",
                "the transcript is empty and the passage is not rejected; taken as it is.",
            ]
            assert all(where.endswith(f"task={one.task}, {label_studio.email}") for where in wheres)
            (review,) = reviews_of(store, one.passage)
            assert (review.dialect, review.transcript) == ("KLINGON", "")


@pytest.mark.label_studio
class TestPaths:
    def test_a_clip_that_is_missing_is_left_out_and_the_rest_goes(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        with Store.open(workspace) as store:
            passage = list_passages(store, "0" * 16)[0]
            (workspace.root / passage.clip).unlink()
            summary = push(store, workspace, client, PushRequest(label_studio.title()))
        assert summary.new == 5
        (why,) = summary.skipped
        assert f"{passage.id}: its clip is missing" in why

    @pytest.mark.parametrize("way", ["id", "path", "link"])
    def test_an_id_or_a_clip_that_leads_out_of_the_workspace_is_not_sent(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, way: str
    ) -> None:
        with Store.open(workspace) as store:
            recording = load_recording(store, "0" * 16)
            first, *others = list_passages(store, recording.id)
            if way == "link":
                clip = workspace.root / first.clip
                shutil.move(clip, workspace.root / "outside.flac")
                clip.symlink_to(workspace.root / "outside.flac")
                wrong = first
            else:
                wrong = (
                    replace(first, id="../../etc/passwd") if way == "id" else replace(first, clip="../../etc/passwd")
                )
                mark = Mark("passages", "c1")
                write_outcomes(store, [Finished(mark, recording.id, (type(first),), [wrong, *others], 0.1)])
                for table in ("transcripts", "summaries", "labels", "checks", "verdicts"):
                    connection_of(store).execute(
                        f"UPDATE {table} SET passage = ? WHERE passage = ?", (wrong.id, first.id)
                    )
            summary = push(store, workspace, client, PushRequest(label_studio.title()))
            assert summary.new == 5
            assert len(summary.skipped) == 1
            assert "left out" in summary.skipped[0]

    def test_label_studio_itself_serves_nothing_but_clips(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        with Store.open(workspace) as store:
            push(store, workspace, client, PushRequest(label_studio.title(), limit=1))
        inside = workspace.root.name
        for path in (
            f"{inside}/aramega.db",
            f"{inside}/clips/../aramega.db",
            "../data/label_studio.sqlite3",
            "/etc/passwd",
        ):
            assert not client.serves("data/local-files/", d=path)

    def test_a_server_that_cannot_see_the_clips_is_told_apart(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, tmp_path: Any
    ) -> None:
        elsewhere = WorkspaceFolder(tmp_path / "elsewhere")
        shutil.copytree(workspace.root, elsewhere.root)
        with Store.open(elsewhere) as store, pytest.raises(AramegaError, match="Label Studio does not serve"):
            push(store, elsewhere, client, PushRequest(label_studio.title()))

    def test_a_task_edited_to_speak_of_something_else_is_refused_and_its_work_waits(
        self, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
    ) -> None:
        request = PushRequest(label_studio.title(), limit=2)
        with Store.open(workspace) as store:
            project = push(store, workspace, client, request).project
            task, other = tasks_of(client, project)
            annotate(client, task.task, written("summary", "نص"))
            right = client.get(f"api/tasks/{task.task}/", resolve_uri=False)["data"]
            for wrong in (
                {"passage": other.passage},
                {"passage": ""},
                {"audio": other.audio},
                {"audio": f"/data/local-files/?d=clips/../../{task.passage}.flac"},
            ):
                client.set(f"api/tasks/{task.task}/", data={**right, **wrong})
                found = pull(store, client, request.project)
                assert (found.new, found.refused) == (0, 1)
                assert f"task={task.task}: it" in found.complaints[0]
            again = push(store, workspace, client, request)
            assert any(f"task {task.task} was made for passage {task.passage}" in r for r in again.remarks)
            client.set(f"api/tasks/{task.task}/", data=right)
            assert pull_everything(store, client, request.project).new == 1
            assert [r.summary for r in reviews_of(store, task.passage)] == ["نص"]
            assert reviews_of(store, other.passage) == []


def test_where_that_is_no_sql_is_explained(workspace_alone: WorkspaceFolder) -> None:
    with Store.open(workspace_alone) as store, pytest.raises(AramegaError, match="It is an SQLite expression over"):
        list(find_passages(store, "priority >"))
