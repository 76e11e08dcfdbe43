"""From annotations to a card: what the card says of agreement is what `aramega review agreement` says.

Once by the files that Label Studio's dialogs read and write, and once through a real Label Studio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aramega.labelstudio.projects import list_remote_tasks
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_draft
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import a_set
from tests.support.cli import Run
from tests.support.database import connection_of
from tests.support.label_studio import Server, shared_server

AMAL, BASIM, DINA = "amal@example.org", "basim@example.org", "dina@example.org"
CARD = re.compile(
    r"(?P<annotators>\d+) annotators gave (?P<reviews>\d+) reviews .*? (?P<passages>\d+) passages have two or more\..*?"
    r"the same verdict (?P<verdict>[^,]+), the same dialect (?P<dialect>[^,]+), the same emotion (?P<emotion>[^;]+); "
    r"their transcripts differ by a character error rate of (?P<transcript>.+?)\. In brackets"
)
Answers = Mapping[str, Sequence[dict[str, Any]]]


def chosen(name: str, choice: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "audio", "type": "choices", "value": {"choices": [choice]}}


def written(name: str, text: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "audio", "type": "textarea", "value": {"text": [text]}}


def answers_to(number: int, draft: str) -> Answers:
    """Amal takes every draft as it is, Basim adds two words to every other one and rejects the third passage, whose
    draft he left as it was; Dina made gold of the first two, which is nobody's second opinion."""
    heard = f"{draft} شكرا لكم" if number % 2 else draft
    dialect = "EGY" if number % 3 else "MSA"
    amal = [chosen("verdict", "accept"), written("transcript", draft), chosen("dialect", "MSA")]
    basim = [chosen("verdict", "fix"), written("transcript", heard), chosen("dialect", dialect)]
    turned_down = [chosen("verdict", "reject"), written("transcript", draft), chosen("dialect", "MSA")]
    gold = [chosen("verdict", "fix"), written("transcript", "نص آخر تماما"), chosen("dialect", "LEV")]
    return {AMAL: amal, BASIM: turned_down if number == 2 else basim, **({DINA: gold} if number < 2 else {})}


def agreement_in(card: Path) -> dict[str, str]:
    found = CARD.search(card.read_text(encoding="utf-8"))
    assert found
    return found.groupdict()


def as_on_the_card(agreement: dict[str, Any]) -> dict[str, str]:
    """What `review agreement --json` says, in the card's words."""
    fields = {field["field"]: field["figures"] for field in agreement["between"]}
    figures = {
        **{name: fields.get(name, {}).get("same") for name in ("verdict", "dialect", "emotion")},
        "transcript": fields["transcript"]["cer"],
    }
    counts = {"annotators": str(len(agreement["annotators"])), "passages": str(agreement["passages"])}
    return counts | {name: shown(figure) for name, figure in figures.items()}


def shown(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "unknown"
    limits = "" if figure["low"] is None else f" [{100 * figure['low']:.1f}–{100 * figure['high']:.1f}]"
    return f"{100 * figure['value']:.1f} %{limits}"


def settle_and_publish(aramega: Run, workspace: WorkspaceFolder, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """What the card says, and what the command says."""
    told = aramega("review", "agreement", workspace.root, "--json")
    assert told.code == 0, told.err
    assert aramega("review", "resolve", workspace.root, "--policy", "gold").code == 0
    done = aramega("publish", workspace.root, "--to", folder, "--no-test-verified-only")
    assert done.code == 0, done.err
    return agreement_in(folder / "README.md"), as_on_the_card(json.loads(told.out))


def check(card: dict[str, str], command: dict[str, str]) -> None:
    assert {name: text for name, text in card.items() if name != "reviews"} == command
    assert (card["annotators"], card["reviews"], card["passages"]) == ("2", "16", "8"), "gold is not counted"
    assert card["transcript"] not in ("0.0 %", "unknown")


def test_pulled_from_files_agreement_and_the_card_say_the_same(aramega: Run, tmp_path: Path) -> None:
    workspace = a_set(tmp_path / "w", recordings=4, passages=2, seconds=6.0)
    said = aramega("review", "export-files", workspace.root, "--out", tmp_path / "tasks")
    assert said.code == 0, said.err
    tasks = json.loads((tmp_path / "tasks" / "tasks-001.json").read_text(encoding="utf-8"))
    (tmp_path / "export.json").write_text(json.dumps([annotated(n, task) for n, task in enumerate(tasks)]))
    said = aramega("review", "import-files", workspace.root, tmp_path / "export.json")
    assert said.code == 0, said.err
    check(*settle_and_publish(aramega, workspace, tmp_path / "set"))


def annotated(number: int, task: dict[str, Any]) -> dict[str, Any]:
    """The task as Label Studio exports it once everybody has worked on it."""
    shown = {entry["from_name"]: entry["value"] for entry in task["predictions"][0]["result"]}
    annotations = [
        {
            "id": 100 * number + place,
            "completed_by": {"id": place, "email": who},
            "result": result,
            "ground_truth": who == DINA,
            "updated_at": f"2026-02-01T10:0{place}:00.000000Z",
        }
        for place, (who, result) in enumerate(answers_to(number, shown["transcript"]["text"][0]).items(), start=1)
    ]
    return {**task, "id": number + 1, "annotations": annotations}


@pytest.fixture
def label_studio(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Server:
    base = tmp_path_factory.getbasetemp()
    return shared_server((base if worker_id == "master" else base.parent) / "label-studio")


@pytest.mark.label_studio
def test_pushed_and_pulled_agreement_and_the_card_say_the_same(
    label_studio: Server, aramega: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", label_studio.token)
    workspace = a_set(label_studio.files / f"ws-{uuid4().hex[:12]}", recordings=4, passages=2, seconds=6.0)
    where = ("--url", label_studio.url, "--project", label_studio.title())
    said = aramega("review", "push", workspace.root, *where)
    assert said.code == 0, said.err
    annotate_everything(label_studio, workspace)
    said = aramega("review", "pull", workspace.root, *where)
    assert said.code == 0, said.err
    check(*settle_and_publish(aramega, workspace, tmp_path / "set"))


def annotate_everything(server: Server, workspace: WorkspaceFolder) -> None:
    """Through Label Studio's own interface, as three people of its organization."""
    with server.client() as client, Store.open(workspace) as store:
        (project,) = connection_of(store).execute("SELECT DISTINCT project FROM tasks").fetchone()
        numbers = {passage: number for number, passage in enumerate(find_passages(store))}
        people = {who: number_of(client, f"{uuid4().hex[:8]}-{who}") for who in (AMAL, BASIM, DINA)}
        for held in list_remote_tasks(client, project):
            transcript = load_draft(store, held.passage).transcript
            assert transcript
            for who, result in answers_to(numbers[held.passage], transcript.text).items():
                answer = {"result": result, "completed_by": people[who], "ground_truth": who == DINA}
                client.send("POST", f"api/tasks/{held.task}/annotations/", json=answer)


def number_of(client: Any, email: str) -> int:
    """A new annotator's number."""
    made = client.send("POST", "api/users/", json={"email": email, "username": email, "password": uuid4().hex})
    return int(made["id"])
