"""Push and pull against a real Label Studio: their cost beside the bare SDK's, and what kills and crowds do to them.

A server of its own (SQLite, on the loopback) holds a project of `--passages` tasks with drafts. Measured:

- push: the whole of it beside nothing but the SDK's `import_tasks` for the same tasks in the same batches, in turn,
  each into a new project; and the peak memory of a push of a fifth and of all of them, each in its own process;
- pull: all of it, every task annotated, beside what is left when 100 tasks have changed since;
- kills: the server is killed with SIGKILL `--kills` times at random moments while one process pushes, then while
  annotators submit and another process pulls; it is started again each time, and what was running is run again;
- crowd: two curators with workspaces of their own push at the same time into a project that is not there yet.

    python benchmarks/review.py [--passages 10000] [--kills 20] [--only push,pull,kills,crowd]
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from label_studio_sdk import LabelStudio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aramega.errors import AramegaError
from aramega.labelstudio.clips import ClipsAtAddress
from aramega.labelstudio.form import load_template, read_form
from aramega.labelstudio.local_server import free_port
from aramega.labelstudio.projects import list_remote_tasks, make_project, need_project
from aramega.labelstudio.pull import pull, pull_everything
from aramega.labelstudio.push import PushRequest, push
from aramega.labelstudio.task_drafts import load_task_drafts
from aramega.labelstudio.tasks import make_task
from aramega.labelstudio.uploads import BATCH
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.workspace import WorkspaceFolder
from tests.support.database import connection_of
from tests.support.drafts import drafted_workspace
from tests.support.label_studio import Server, own_server

AUDIO = "https://clips.example.org/news"
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="push,pull,kills,crowd")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(*options.child)
    chosen = options.only.split(",")
    with tempfile.TemporaryDirectory() as folder:
        workspace = drafted_workspace(Path(folder) / "ws", options.passages // 100, 100, clips=False)
        if {"push", "pull", "crowd"} & set(chosen):
            with own_server(Path(folder) / "calm") as (server, _):
                if "push" in chosen:
                    measure_push(server, workspace)
                if "pull" in chosen:
                    measure_pull(server, workspace)
                if "crowd" in chosen:
                    measure_crowd(server, workspace, Path(folder))
        if "kills" in chosen:
            measure_kills(Path(folder), workspace, options.kills, random.Random(options.seed))
    return None


def request(title: str) -> PushRequest:
    return PushRequest(title, audio=AUDIO, where="")


def measure_push(server: Server, workspace: WorkspaceFolder) -> None:
    ours, bare = [], []
    count = len(passages_of(workspace))
    sdk = LabelStudio(base_url=server.url, api_key=server.token)
    with Store.open(workspace) as store, server.client() as client:
        for _ in range(ROUNDS):
            tasks = list(tasks_of(store))
            project = make_project(client, server.title(), load_template("passage_review"))
            bare.append(seconds(lambda p=project.id, t=tasks: import_bare(sdk, p, t)))
            del tasks
            title = server.title()
            ours.append(seconds(lambda t=title: push(store, workspace, client, request(t))))
            assert Counter(h.passage for h in list_remote_tasks(client, need_project(client, title).id)) == Counter(
                passages_of(workspace)
            )
    peaks = [peak_memory(server, workspace, limit) for limit in (count // 5, count)]
    print(f"\n| push of {count:,} passages with predictions | seconds, best of {ROUNDS} | ratio |\n|---|---|---|")
    print(f"| the SDK's import_tasks alone, {BATCH} at a time | {min(bare):.1f} | 1.00 |")
    print(f"| aramega's push | {min(ours):.1f} | {min(ours) / min(bare):.2f} |")
    print(
        f"\n| peak memory of a push | MB |\n|---|---|\n| {count // 5:,} passages | {peaks[0]:.0f} |\n| {count:,} passages | {peaks[1]:.0f} |"
    )


def tasks_of(store: Store) -> Iterator[dict[str, Any]]:
    form, audio = read_form(load_template("passage_review")), ClipsAtAddress(AUDIO)
    for _, loaded in load_task_drafts(store, find_passages(store)):
        assert not isinstance(loaded, AramegaError)
        yield make_task(loaded.drafted, audio.address(loaded.drafted.passage), form, loaded.version)


def import_bare(sdk: LabelStudio, project: int, tasks: list[dict[str, Any]]) -> None:
    for i in range(0, len(tasks), BATCH):
        sdk.projects.import_tasks(project, request=tasks[i : i + BATCH], return_task_ids=True)


def measure_pull(server: Server, workspace: WorkspaceFolder) -> None:
    rng = random.Random(0)
    with Store.open(workspace) as store, server.client() as client:
        count = len(passages_of(workspace))
        project = make_project(client, server.title(), load_template("passage_review"))
        for batch in chunks(tasks_of(store)):
            annotated = [{**task, "annotations": [{"result": task["predictions"][0]["result"]}]} for task in batch]
            client.send("POST", f"api/projects/{project.id}/import", json=annotated)
        full = min(seconds(lambda: pull_everything(fresh(store), client, str(project.id))) for _ in range(ROUNDS))
        time.sleep(31)  # a pull reaches 30 s back; what was imported just now would be read again
        pull(store, client, str(project.id))
        several = []
        for _ in range(ROUNDS):
            time.sleep(31)
            tasks = rng.sample([h.task for h in list_remote_tasks(client, project.id)], 100)
            for task in tasks:
                (annotation,) = client.get(f"api/tasks/{task}/annotations/")
                client.set(f"api/annotations/{annotation['id']}/", lead_time=rng.random())
            found: list[int] = []
            several.append(seconds(lambda f=found: f.append(pull(store, client, str(project.id)).new)))
            assert found == [100], found
    print(f"\n| pull, {count:,} tasks, each annotated | seconds, best of {ROUNDS} | share |\n|---|---|---|")
    print(
        f"| everything | {full:.2f} | 100 % |\n| when 100 have changed | {min(several):.2f} | {100 * min(several) / full:.1f} % |"
    )


def measure_crowd(server: Server, workspace: WorkspaceFolder, folder: Path) -> None:
    other = WorkspaceFolder(folder / "other")
    shutil.copytree(workspace.root, other.root)
    title = server.title()
    begun = time.monotonic()
    curators = [start_child("push", server.url, w.root, title) for w in (workspace, other)]
    codes = [c.wait() for c in curators]
    took = time.monotonic() - begun
    with server.client() as client:
        projects = [p for p in client.get("api/projects", page_size=1000)["results"] if p["title"] == title]
        held = Counter(h.passage for h in list_remote_tasks(client, projects[0]["id"]))
    doubled, missing = sum(n - 1 for n in held.values()), len(set(passages_of(workspace)) - held.keys())
    print("\n| two curators at once | projects | tasks | doubled | missing | seconds |\n|---|---|---|---|---|---|")
    print(
        f"| exit codes {codes[0]}, {codes[1]} | {len(projects)} | {sum(held.values()):,} | {doubled} | {missing} | {took:.0f} |"
    )


def measure_kills(folder: Path, workspace: WorkspaceFolder, kills: int, rng: random.Random) -> None:
    """The server dies at random while one process pushes, and while others annotate and pull."""
    storm, port, title = folder / "storm", free_port(), "killed again and again"
    tally: Counter[str] = Counter()
    acknowledged: set[str] = set()
    for phase in ("push", "pull"):
        done = False
        while tally[phase] < kills // 2 or not done:
            with own_server(storm, port) as (server, process):
                stop = threading.Event()
                annotator = threading.Thread(target=annotate, args=(server, title, acknowledged, stop, rng.random()))
                if phase == "pull":
                    annotator.start()
                running = start_child(phase, server.url, workspace.root, title)
                lives = rng.uniform(0.5, 8.0 if phase == "push" else 15.0) if tally[phase] < kills // 2 else None
                until = time.monotonic() + lives if lives else float("inf")
                while time.monotonic() < until and (lives or running.poll() is None):
                    if running.poll() is not None and phase == "pull":
                        running = start_child(phase, server.url, workspace.root, title)
                    time.sleep(0.02)
                stop.set()
                if lives:
                    process.kill()
                    process.wait()
                    tally[phase] += 1
                tally["runs that gave up"] += running.wait() not in (0, 3) if lives else 0
                done = not lives and running.returncode == 0
                if annotator.ident:
                    annotator.join()
    with own_server(storm, port) as (server, _), server.client() as client, Store.open(workspace) as store:
        project = need_project(client, title)
        pull(store, client, title)
        held = Counter(h.passage for h in list_remote_tasks(client, project.id))
        kept = {
            row[0].rpartition("/")[2].partition("@")[0]
            for row in connection_of(store).execute("SELECT id FROM reviews WHERE state = 'submitted'")
        }
        bad = [h for h in list_remote_tasks(client, project.id) if not h.predicted]
    doubled, missing = sum(n - 1 for n in held.values()), len(set(passages_of(workspace)) - held.keys())
    print(
        "\n| SIGKILLs while pushing | while pulling | tasks | doubled | missing | without draft | annotations acknowledged | lost |"
    )
    print("|---|---|---|---|---|---|---|---|")
    lost = len(acknowledged - kept)
    print(
        f"| {tally['push']} | {tally['pull']} | {sum(held.values()):,} | {doubled} | {missing} | {len(bad)} | {len(acknowledged):,} | {lost} |"
    )


def annotate(server: Server, title: str, acknowledged: set[str], stop: threading.Event, seed: float) -> None:
    """Submit annotations until told to stop or until the server is dead; what it said yes to must not be lost."""
    rng = random.Random(seed)
    try:
        with server.client(patience=0) as client:
            project, page = need_project(client, title).id, rng.randrange(1, 20)
            listed = client.get("api/tasks", project=project, page=page, page_size=50, include="id")["tasks"]
            tasks = [task["id"] for task in listed]
            while not stop.is_set():
                result = [
                    {
                        "from_name": "summary",
                        "to_name": "audio",
                        "type": "textarea",
                        "value": {"text": [str(rng.random())]},
                    }
                ]
                made = client.send("POST", f"api/tasks/{rng.choice(tasks)}/annotations/", json={"result": result})
                acknowledged.add(str(made["id"]))
    except AramegaError:
        return


def start_child(what: str, url: str, workspace: Path, title: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--child", what, url, str(workspace), title, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def child(what: str, url: str, folder: str, title: str, limit: str = "") -> None:
    """What runs in a process of its own; prints its peak memory in MB."""
    import resource

    workspace = WorkspaceFolder(Path(folder))
    try:
        with Store.open(workspace) as store, Server(url, Path()).client(patience=3.0) as client:
            if what == "push":
                asked = request(title)
                push(
                    store,
                    workspace,
                    client,
                    PushRequest(title, audio=asked.audio, where="", limit=int(limit) if limit else None),
                )
            else:
                pull(store, client, title)
    except AramegaError:
        sys.exit(1)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak_memory(server: Server, workspace: WorkspaceFolder, limit: int) -> float:
    out, _ = start_child("push", server.url, workspace.root, server.title(), str(limit)).communicate()
    return float(out)


def fresh(store: Store) -> Store:
    """The store without reviews, so that a pull has all of them to write."""
    connection_of(store).execute("DELETE FROM reviews")
    return store


def passages_of(workspace: WorkspaceFolder) -> list[str]:
    with Store.open(workspace) as store:
        return list(find_passages(store))


def chunks(tasks: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(itertools.islice(tasks, BATCH)):
        yield batch


def seconds(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
