"""`--dry-run` of push, pull and import-files: says what would change, on a real server, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.projects import list_remote_tasks, need_project
from aramega.store import Store
from aramega.workspace import WorkspaceFolder
from tests.chaos.readings import exported_tasks
from tests.labelstudio.test_push_and_pull import annotate, chosen, redraft, written
from tests.maintenance.looking import every_byte
from tests.support.cli import Run
from tests.support.label_studio import Server


@pytest.mark.label_studio
def test_push_and_pull_say_what_they_would_do_and_then_do_it(
    aramega: Run,
    monkeypatch: pytest.MonkeyPatch,
    label_studio: Server,
    client: LabelStudioClient,
    workspace: WorkspaceFolder,
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    where = (workspace.root, "--url", label_studio.url, "--project", label_studio.title())

    def counts(command: str, *more: str) -> dict[str, int]:
        done = aramega("review", command, *where, "--json", *more)
        assert done.code == 0, done.err
        return {
            key: value for key, value in json.loads(done.out).items() if isinstance(value, int) and key != "project"
        }

    def plan(command: str, *more: str) -> dict[str, int]:
        before = every_byte(workspace.root)
        planned = counts(command, "--dry-run", *more)
        assert every_byte(workspace.root) == before
        return planned

    assert plan("push", "--limit", "4")["new"] == 4
    assert not list(client.get("api/projects", title=where[4])["results"]), "no project was made"
    assert counts("push", "--limit", "4")["new"] == 4
    project = need_project(client, where[4]).id
    worked, free = list(list_remote_tasks(client, project))[:2]
    annotate(client, worked.task, written("summary", "ملخص"), chosen("verdict", "fix"))
    with Store.open(workspace) as store:
        for task in (worked, free):
            redraft(store, task.passage, "مسودة جديدة.")
    planned = plan("push")
    assert planned == {"new": 2, "replaced": 1, "same": 2, "waiting": 1, "doubles": 0}
    assert {task.task: task.draft for task in list_remote_tasks(client, project)}[free.task] == free.draft
    assert counts("push") == planned
    elsewhere = plan("push", "--audio", "https://clips.example.org")
    assert (elsewhere["replaced"], elsewhere["same"], elsewhere["waiting"]) == (5, 0, 1)
    for more in ((), ("--all",)):
        assert plan("pull", *more)["new"] == 1
    assert counts("pull")["new"] == 1
    assert plan("pull", "--all")["new"] == 0
    words = aramega("review", "push", *where, "--dry-run").out
    assert words == (
        "0 new, 5 there already; 1 have newer drafts but also people's work, and keep what people saw.\n"
        "That is what would change; nothing was changed.\n"
    )


def test_import_files_says_what_it_would_take(aramega: Run, workspace_alone: WorkspaceFolder, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported_tasks(workspace_alone)), encoding="utf-8")
    before = every_byte(workspace_alone.root)
    command = ("review", "import-files", workspace_alone.root, file, file)
    planned = aramega(*command, "--dry-run")
    assert planned.code == 0, planned.err
    assert planned.out.endswith("That is what would change; nothing was changed.\n")
    assert every_byte(workspace_alone.root) == before
    assert planned.out.startswith(aramega(*command).out)
    assert planned.out[0] != "0"
