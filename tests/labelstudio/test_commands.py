"""`aramega review …` as curators run it, against a real Label Studio."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.credentials import find_token, load_credentials, make_credentials, save_credentials
from aramega.labelstudio.files import import_files
from aramega.labelstudio.local_server import data_folder, free_port
from aramega.labelstudio.projects import find_project, list_remote_tasks, need_project
from aramega.labelstudio.push import PushRequest, push
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.recordings import list_passages
from aramega.store.reviews import add_reviews, reviews_of
from aramega.workspace import WorkspaceFolder
from tests.labelstudio.test_push_and_pull import annotate, written
from tests.support.cli import Run, command
from tests.support.drafts import Annotator, drafted_workspace
from tests.support.label_studio import Server, empty_tables


@pytest.fixture
def curator(label_studio: Server) -> dict[str, str]:
    return {**os.environ, "LABEL_STUDIO_API_KEY": label_studio.token}


@pytest.mark.label_studio
def test_push_pull_status_and_preview_one_after_the_other(
    aramega: Run, curator: dict[str, str], label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    where = ("--url", label_studio.url, "--project", label_studio.title())
    pushed = aramega("review", "push", workspace.root, *where, "--overlap", "0.5", "--limit", "4", env=curator)
    assert (pushed.code, pushed.err) == (0, "aramega: 4 passages pushed\n")
    assert pushed.out.startswith("4 new, 0 there already.\nAnnotate: http://127.0.0.1")
    project = need_project(client, where[3])
    settings = client.get(f"api/projects/{project.id}")
    assert (settings["overlap_cohort_percentage"], settings["maximum_annotations"]) == (50, 2)
    held = next(list_remote_tasks(client, project.id))
    annotate(client, held.task, written("summary", "نص"))
    pulled = aramega("review", "pull", workspace.root, *where, env=curator)
    assert pulled.out == "1 new reviews; 1 tasks with changes looked at.\n"
    shown = aramega("review", "preview", workspace.root, *where, "--no-browser", "--passage", held.passage, env=curator)
    assert shown.out == f"{label_studio.url}/projects/{project.id}/data?task={held.task}\n"
    as_json = aramega("review", "preview", workspace.root, *where, "--passage", held.passage, "--json", env=curator)
    assert json.loads(as_json.out) == {"address": shown.out.strip()}
    assert label_studio.email in aramega("review", "status", workspace.root).out


@pytest.mark.label_studio
def test_what_was_left_out_is_listed_and_the_exit_code_says_so(
    aramega: Run, curator: dict[str, str], label_studio: Server, workspace: WorkspaceFolder
) -> None:
    with Store.open(workspace) as store:
        passage = list_passages(store, "0" * 16)[0]
    (workspace.root / passage.clip).unlink()
    said = aramega("review", "push", workspace.root, "--url", label_studio.url, "-p", label_studio.title(), env=curator)
    assert said.code == 3
    assert f"left out: {passage.id}: its clip is missing" in said.err
    assert "5 new, 0 there already; 1 left out." in said.out


@pytest.mark.label_studio
def test_uploaded_clips_can_be_heard_and_are_sent_once(
    label_studio: Server, client: LabelStudioClient, tmp_path: Path
) -> None:
    workspace = drafted_workspace(tmp_path / "ws", recordings=1, passages=2, seconds=15)
    request = PushRequest(label_studio.title(), audio="upload")
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        addresses = [held.audio for held in list_remote_tasks(client, project)]
        assert all(re.fullmatch(r"/data/upload/\d+/[0-9a-f]{8}-[0-9-]+\.flac", address) for address in addresses)
        assert all(client.serves(address.lstrip("/")) for address in addresses)
        assert push(store, workspace, client, request).same == 2
        store_of_clips = find_project(client, f"aramega clips of {project}")
        assert store_of_clips
        assert len(client.get(f"api/projects/{store_of_clips.id}/file-uploads", all="true")) == 2


@pytest.mark.label_studio
def test_gold_tasks_go_to_everyone(label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder) -> None:
    with Store.open(workspace) as store:
        gold = next(find_passages(store))
        add_reviews(store, [replace(Annotator("lead").says(gold), gold=True)])
        request = PushRequest(label_studio.title(), where=f"passage <> '{gold}'", gold=0.2, overlap=0.4)
        project = push(store, workspace, client, request).project
        overlaps = {
            h.passage: client.get(f"api/tasks/{h.task}/")["overlap"] for h in list_remote_tasks(client, project)
        }
    assert len(overlaps) == 6
    assert overlaps.pop(gold) == 99
    assert set(overlaps.values()) == {1, 2}


@pytest.mark.label_studio
def test_files_go_through_label_studios_own_dialogs_and_a_later_pull_knows_them(
    aramega: Run, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, tmp_path: Path
) -> None:
    said = aramega("review", "export-files", workspace.root, "--out", tmp_path / "out", "--limit", "3")
    assert said.code == 0
    tasks = json.loads((tmp_path / "out" / "tasks-001.json").read_text(encoding="utf-8"))
    config = (tmp_path / "out" / "labeling_config.xml").read_text(encoding="utf-8")
    project = client.send("POST", "api/projects", json={"title": label_studio.title(), "label_config": config})["id"]
    client.send("POST", f"api/projects/{project}/import", json=tasks)
    held = next(list_remote_tasks(client, project))
    annotate(client, held.task, written("summary", "من ملف"))
    exported = client.get(f"api/projects/{project}/export", exportType="JSON")
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported), encoding="utf-8")
    read = (
        "review",
        "import-files",
        workspace.root,
        file,
        "--url",
        label_studio.url,
        "--annotator",
        "1=amal@example.org",
    )
    assert aramega(*read).out == "1 new reviews; 1 tasks with work in them.\n"
    assert aramega(*read).out == "0 new reviews; 1 tasks with work in them.\n"
    with Store.open(workspace) as store:
        (review,) = reviews_of(store, held.passage)
        assert (review.summary, review.annotator) == ("من ملف", "amal@example.org")
        assert review.place == f"export.json, task {held.task}"


def test_a_file_of_another_format_is_told_apart(workspace_alone: WorkspaceFolder, tmp_path: Path) -> None:
    with Store.open(workspace_alone) as store:
        for text, complaint in (
            ('[{"audio": "x", "summary": "y"}]', "perhaps JSON-MIN or CSV"),
            ("id,audio", "not a JSON array"),
            ('[{"id": 1, "data": {}, "annotations": [', "breaks off"),
        ):
            file = tmp_path / "export.json"
            file.write_text(text, encoding="utf-8")
            with pytest.raises(AramegaError, match=complaint):
                import_files(store, [file])


def test_reviews_from_files_are_refused_where_the_passage_is_another(
    workspace_alone: WorkspaceFolder, tmp_path: Path
) -> None:
    file = tmp_path / "export.json"
    task: dict[str, Any] = {
        "id": 4,
        "data": {"passage": "nobody's", "audio": ""},
        "annotations": [{"id": 1, "result": []}],
    }
    file.write_text(json.dumps([task]), encoding="utf-8")
    with Store.open(workspace_alone) as store:
        found = import_files(store, [file])
    assert (found.new, found.refused) == (0, 1)
    assert found.complaints[0].startswith("export.json, task 4: it names passage nobody's")


def test_check_config_says_what_is_wrong_and_exits_with_2(aramega: Run, tmp_path: Path) -> None:
    good = aramega("review", "check-config", "passage_review")
    assert (good.code, good.out.split(":")[1].strip().split(".")[0]) == (0, "good")
    bad = tmp_path / "bad.xml"
    bad.write_text('<View><TextArea name="transcript" toName="audio"/></View>', encoding="utf-8")
    said = aramega("review", "check-config", bad)
    assert said.code == 2
    assert 'wrong: <TextArea name="transcript"> is about `audio`, and nothing here is called that' in said.out
    assert "mind: `transcript` cannot be edited in place" in said.out


def test_credentials_are_for_their_owner_only_and_never_in_the_workspace(far_from_any_server: Path) -> None:
    home = far_from_any_server / "data" / "label-studio-1"
    credentials = make_credentials("http://127.0.0.1:8081")
    file = save_credentials(home, credentials)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_credentials(home) == credentials
    assert find_token("http://127.0.0.1:8081") == credentials.token
    with pytest.raises(AramegaError, match="no token for"):
        find_token("http://127.0.0.1:8082")
    assert credentials.password not in repr(os.listdir(far_from_any_server))


@pytest.mark.label_studio
def test_start_runs_a_server_that_can_be_pushed_to_and_ends_with_ctrl_c(
    aramega: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = drafted_workspace(tmp_path / f"ws-{uuid4().hex[:6]}", recordings=1, passages=1)
    port = free_port()
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    environment = {k: v for k, v in os.environ.items() if k != "LABEL_STUDIO_API_KEY"} | home
    monkeypatch.setenv("XDG_DATA_HOME", home["XDG_DATA_HOME"])
    shutil.copytree(empty_tables(), data_folder(workspace))  # to make them takes a minute
    started = subprocess.Popen(
        command("review", "start", workspace.root, "--port", str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509
    )
    assert started.stdout
    lines = [started.stdout.readline() for _ in range(6)]
    try:
        assert lines[0] == f"Label Studio: http://127.0.0.1:{port}\n", lines
        token = lines[3].removeprefix("Token: ").strip()
        with open(f"/proc/{started.pid}/cmdline") as arguments:
            assert token not in arguments.read()
        children = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert token not in children
        said = aramega("review", "push", workspace.root, "--url", f"http://127.0.0.1:{port}", env=environment)
        assert said.code == 0, said.err
        assert said.out.startswith("1 new")
    finally:
        started.send_signal(signal.SIGINT)
        started.wait()
    assert not list(workspace.root.rglob("*label*"))
    (file,) = (tmp_path / "config" / "aramega").glob("label-studio-*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def heed_ctrl_c() -> None:
    """A shell's background jobs are started deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
