"""A small set to explore, as a workspace and as it is published, and a browser on the page of either."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from aramega.config.publish import CONFIGURATIONS
from aramega.desk import ExplorerServer, Library, indexed, open_library, write_alone
from aramega.records import DraftedPassage, Region, ResolvedPassage, Review, Score, Verdict
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.store.reviews import add_reviews, write_resolved
from aramega.workspace import WorkspaceFolder
from tests.publish.sets import accepted, publish_to
from tests.support.browser import Opened, new_context, running_browser
from tests.support.drafts import EMOTIONS, SENTENCES, Annotator, drafted_workspace, put_draft

EVIL = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script> قال\u202eالوزير"
DECISIONS = ("keep", "review first", "reject")
DIALECTS = ("MSA", "EGY", "LEV")


def explored_workspace(folder: Path, recordings: int = 3, passages: int = 4) -> WorkspaceFolder:
    """Drafts of three dialects and every decision. Of the passages in order: the first was corrected by two people,
    the second confirmed, the third says what no page should obey, the fourth was rejected."""
    workspace = drafted_workspace(folder, recordings, passages, seconds=6.0)
    with Store.create_or_open(workspace) as store:
        for number, passage in enumerate(list(find_passages(store))):
            put_draft(store, _told_apart(load_drafted(store, passage), number).draft)
        first, second, third, fourth = list(find_passages(store))[:4]
        add_reviews(store, _reviews(load_drafted(store, first), fourth))
        settled = [_corrected(load_drafted(store, first)), accepted(load_drafted(store, second))]
        turned_down = replace(accepted(load_drafted(store, fourth)), accepted=False, reason="music")
        write_resolved(store, [*settled, accepted(load_drafted(store, third)), turned_down])
    return workspace


def _told_apart(drafted: DraftedPassage, number: int) -> DraftedPassage:
    draft = drafted.draft
    assert draft.transcript
    assert draft.summary
    assert draft.labels
    said = [SENTENCES[(number + i) % len(SENTENCES)] for i in range(2)]
    # Nothing is published twice, so that every passage has a number of its own, in words that are nowhere else.
    texts = [EVIL if number == 2 else said[0], f"{said[1]} {' '.join(f'فقرة{number}{i}' for i in range(20))}"]
    lines = tuple(replace(line, text=text) for line, text in zip(draft.transcript.lines, texts, strict=True))
    labels = replace(
        draft.labels,
        dialect=(Score(DIALECTS[number % 3], 0.8),),
        emotion=(Score(EMOTIONS[number % len(EMOTIONS)], 0.7),),
    )
    decision = DECISIONS[number % 3]
    verdict = Verdict(drafted.id, decision, ("unsure",) if number % 3 else (), 0.95 - 0.07 * number, number / 20)  # type: ignore[arg-type]
    changed = replace(
        draft,
        transcript=replace(draft.transcript, lines=lines),
        summary=replace(draft.summary, text=f"{said[0]}."),
        labels=labels,
        verdict=verdict,
    )
    return replace(drafted, draft=changed)


def corrected(text: str) -> str:
    """A word replaced, a hamza and a full stop that only the spelling knows of."""
    return text.replace("ثلاثة", "أربعة").replace("افتتاح", "إفتتاح") + "."


def _reviews(first: DraftedPassage, fourth: str) -> list[Review]:
    amal, badr = Annotator("amal@example.org"), Annotator("badr@example.org")
    assert first.draft.transcript
    assert first.draft.summary
    text = first.draft.transcript.text
    return [
        amal.says(first.id, verdict="fix", transcript=corrected(text), summary=first.draft.summary.text, dialect="EGY"),
        badr.says(first.id, verdict="fix", regions=(Region(0.0, 3.0, corrected(text).replace("العاصمة", "المدينة")),)),
        badr.says(fourth, verdict="reject", reason="music"),
    ]


def _corrected(drafted: DraftedPassage) -> ResolvedPassage:
    known = accepted(drafted)
    transcript = replace(known.transcript, value=corrected(known.transcript.value), how="majority", distance=0.08)
    return replace(known, transcript=transcript, dialect=replace(known.dialect, value="EGY"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> WorkspaceFolder:
    return explored_workspace(tmp_path_factory.mktemp("explored") / "نشرة")


@pytest.fixture(scope="module")
def published(workspace: WorkspaceFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "set"
    publish_to(workspace, folder, leaks="drop", test_share=0.0, validation_share=0.0, configurations=CONFIGURATIONS)
    return folder


@contextmanager
def serving(library: Library) -> Iterator[ExplorerServer]:
    """A server for as long as the block lasts."""
    with indexed(library) as index, ExplorerServer(library, index) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def server(workspace: WorkspaceFolder) -> Iterator[ExplorerServer]:
    with serving(open_library(workspace.root)) as running:
        yield running


@pytest.fixture(scope="module")
def file_alone(workspace: WorkspaceFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alone") / "set.html"
    library = open_library(workspace.root)
    with indexed(library) as index:
        write_alone(library, index, path, sound_mb=40)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@contextmanager
def open_address(browser: Browser, address: str, *, size: dict[str, int], scheme: str = "light") -> Iterator[Opened]:
    """Open the page as a person would, and watch what it complains of and what it asks for."""
    context = new_context(browser, viewport=size, color_scheme=scheme)
    opened = Opened(context.new_page())
    page = opened.page
    page.on("console", lambda m: opened.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("request", lambda request: opened.requests.append(request.url))
    page.goto(address)
    expect(page.locator("#count")).not_to_be_empty()
    yield opened
    context.close()
