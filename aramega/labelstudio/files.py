"""Files: writes tasks for Label Studio's import dialog and reads what its export dialog gives.

For teams whose server the curator can't reach: tasks go out as files, someone imports them by hand, and what the
export dialog gives (format JSON) comes back the same way. Reading a file twice adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from aramega.display import visible
from aramega.errors import AramegaError
from aramega.labelstudio.annotations import TaskReader, parse_task
from aramega.labelstudio.clips import ClipsAtAddress, ClipsOnServerDisk
from aramega.labelstudio.form import Form, load_template, usable_form
from aramega.labelstudio.guidelines import instructions
from aramega.labelstudio.pull import read_array
from aramega.labelstudio.selection import PushRequest, choose_passages
from aramega.labelstudio.task_drafts import load_task_drafts
from aramega.labelstudio.tasks import Task, make_task
from aramega.labelstudio.uploads import BATCH
from aramega.records import Review
from aramega.store import Store
from aramega.store.passages import find_passage
from aramega.store.reviews import ReviewTrial, add_reviews
from aramega.workspace import WorkspaceFolder, whole_file


@dataclass
class Exported:
    """The files written, and what was left out of them."""

    files: list[Path] = field(default_factory=list)
    tasks: int = 0
    skipped: list[str] = field(default_factory=list)


@dataclass
class Imported:
    """What a file held."""

    new: int = 0
    looked_at: int = 0
    refused: int = 0
    complaints: list[str] = field(default_factory=list)


def export_files(store: Store, workspace: WorkspaceFolder, folder: Path, request: PushRequest) -> Exported:
    """Write the tasks a push would send, 500 to a file, with the labelling configuration and the instructions."""
    config = load_template(request.template or "passage_review")
    form = usable_form(config, request.template or "passage_review")
    clips = _clips_without_server(request.audio, workspace)
    exported = Exported()
    folder.mkdir(parents=True, exist_ok=True)
    tasks = _tasks(store, choose_passages(store, request), form, clips, exported)
    while batch := list(islice(tasks, BATCH)):
        exported.tasks += len(batch)
        name = f"tasks-{len(exported.files) + 1:03d}.json"
        exported.files.append(_write_text(folder / name, json.dumps(batch, ensure_ascii=False, indent=1)))
    exported.files.append(_write_text(folder / "labeling_config.xml", config))
    if page := instructions():
        exported.files.append(_write_text(folder / "instructions.html", page))
    return exported


def import_files(
    store: Store, files: Iterable[Path], *, url: str = "", people: Mapping[int, str] | None = None
) -> Imported:
    """Take the reviews in files of Label Studio's JSON export. `url`: the server they came from, so that a later
    pull from there finds them known; `people`: e-mail addresses of annotators, whom the export names by number."""
    return _read_files(store, files, url, people or {}, lambda reviews: add_reviews(store, reviews))


def plan_import(
    store: Store, files: Iterable[Path], *, url: str = "", people: Mapping[int, str] | None = None
) -> Imported:
    """What `import_files` would add; nothing is kept."""
    return _read_files(store, files, url, people or {}, ReviewTrial(store).add)


def _read_files(
    store: Store, files: Iterable[Path], url: str, people: Mapping[int, str], keep: Callable[[Sequence[Review]], int]
) -> Imported:
    """Read files; `keep` is given each one's reviews, and says how many are new."""
    imported = Imported()
    for file in files:
        reader = _FileTaskReader(
            url=url or "file",
            project=0,
            form=Form(),
            people=people,
            find=lambda passage: find_passage(store, passage),
            pushed=lambda _: "",
            file=file.name,
        )
        reviews: list[Review] = []
        for task in _exported_tasks(file):
            parsed = parse_task(task, reader)
            reviews += parsed.reviews
            imported.looked_at += bool(parsed.reviews or parsed.refused)
            imported.refused += parsed.refused
            imported.complaints += parsed.complaints
        imported.new += keep(reviews)
    return imported


@dataclass(frozen=True)
class _FileTaskReader(TaskReader):
    file: str = ""

    def link(self, task: object) -> str:
        return f"{self.file}, task {visible(task, 40)}"


def _exported_tasks(file: Path) -> Iterator[Task]:
    try:
        with file.open(encoding="utf-8-sig") as opened:
            for task in read_array(opened):
                if not isinstance(task, dict) or "data" not in task or "annotations" not in task:
                    raise AramegaError(
                        "not Label Studio's JSON export (perhaps JSON-MIN or CSV). Export again and choose JSON."
                    )
                yield task
    except AramegaError as error:
        raise AramegaError(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{file}: cannot be read ({error}).") from None


def _tasks(
    store: Store, passages: Iterable[str], form: Form, clips: ClipsOnServerDisk | ClipsAtAddress, exported: Exported
) -> Iterator[Task]:
    for _, loaded in load_task_drafts(store, passages):
        try:
            if isinstance(loaded, AramegaError):
                raise loaded
            yield make_task(loaded.drafted, clips.address(loaded.drafted.passage), form, loaded.version)
        except AramegaError as error:
            exported.skipped.append(str(error))


def _clips_without_server(way: str, workspace: WorkspaceFolder) -> ClipsOnServerDisk | ClipsAtAddress:
    if way == "upload":
        raise AramegaError("--audio upload needs a server to upload to; give local, local:FOLDER or an address.")
    if way == "local" or way.startswith("local:"):
        return ClipsOnServerDisk(None, workspace, way.partition(":")[2] or str(workspace.root / "clips"))
    return ClipsAtAddress(way.rstrip("/"))


def _write_text(path: Path, text: str) -> Path:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return path
