"""An annotator's page in a real browser: the draft is there to be read and corrected, right to left, and harmless.

Screenshots are left in tests/artifacts for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.form import annotation_folder
from aramega.labelstudio.projects import list_remote_tasks
from aramega.labelstudio.pull import pull
from aramega.labelstudio.push import PushRequest, push
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_draft
from aramega.store.reviews import reviews_of
from aramega.workspace import WorkspaceFolder
from tests.support.browser import new_context, running_browser
from tests.support.drafts import put_draft
from tests.support.label_studio import Server

pytestmark = [pytest.mark.label_studio, pytest.mark.browser]

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
TEMPLATES = sorted(p.stem for p in annotation_folder().glob("*.xml"))
HEARD = "[...document.querySelectorAll('audio')].some(player => player.duration > 14)"
HARM = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> {{constructor.constructor('window.hacked=1')()}} "


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def annotator(browser: Browser, label_studio: Server) -> Iterator[BrowserContext]:
    """Someone who has logged in."""
    context = new_context(browser, viewport={"width": 1500, "height": 1100}, locale="ar")
    page = context.new_page()
    page.goto(f"{label_studio.url}/user/login/")
    page.fill("input[name=email]", label_studio.email)
    page.fill("input[name=password]", label_studio.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url)
    page.close()
    yield context
    context.close()


@contextmanager
def task_open(annotator: BrowserContext, server: Server, project: int, task: int) -> Iterator[Page]:
    page = annotator.new_page()
    page.goto(f"{server.url}/projects/{project}/data?task={task}")
    page.wait_for_selector(".aramega")
    yield page
    page.close()


def keep(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"label-studio-{name}.png")


def test_an_annotator_hears_corrects_and_submits_and_pull_sees_it(
    annotator: BrowserContext, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder
) -> None:
    request = PushRequest(label_studio.title(), limit=1)
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        (held,) = list_remote_tasks(client, project)
        draft = load_draft(store, held.passage)
        assert draft.transcript
        with task_open(annotator, label_studio, project, held.task) as page:
            box = page.locator(".aramega-long textarea")
            box.wait_for()
            assert box.input_value() == draft.transcript.text
            look = box.evaluate(
                "e => { const s = getComputedStyle(e); return [s.direction, s.textAlign, s.fontFamily, parseInt(s.fontSize)] }"
            )
            assert look[:2] == ["rtl", "right"]
            assert "Naskh" in look[2]
            assert look[3] >= 20
            page.wait_for_function(HEARD)
            keep(page, "passage-review")
            box.click()
            page.keyboard.press("Control+p")
            page.wait_for_function("[...document.querySelectorAll('audio')].some(a => a.currentTime > 0.1)")
            page.keyboard.press("Control+p")
            box.fill("نص صححته بيدي")
            page.locator(".aramega-judging label", has_text="صححتها").click()
            page.locator(".aramega-judging label", has_text="مصرية").click()
            page.locator(".aramega-judging .ant-checkbox-wrapper", has_text="موسيقى").click()
            page.locator(".ant-rate [role=radio]").nth(3).click()
            keep(page, "corrected")
            with page.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST" and r.ok):
                page.locator("button", has_text="Submit").click()
        assert pull(store, client, request.project).complaints == []
        (review,) = reviews_of(store, held.passage)
    assert (review.state, review.verdict, review.transcript) == ("submitted", "fix", "نص صححته بيدي")
    assert (review.dialect, review.flags, review.confidence) == ("EGY", ("music",), 4)
    assert draft.summary
    assert (review.summary, review.title) == (draft.summary.text, draft.summary.title)
    assert review.seconds_spent
    assert review.seconds_spent > 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_opens_with_its_draft(
    annotator: BrowserContext,
    label_studio: Server,
    client: LabelStudioClient,
    workspace: WorkspaceFolder,
    template: str,
) -> None:
    against = workspace if template == "pairwise_summary" else None
    request = PushRequest(label_studio.title(), limit=1, template=template, against=against)
    with Store.open(workspace) as store:
        project = push(store, workspace, client, request).project
        (held,) = list_remote_tasks(client, project)
        draft = load_draft(store, held.passage)
    with task_open(annotator, label_studio, project, held.task) as page:
        page.wait_for_selector("[placeholder^='لمن يراجع بعدك']")
        assert page.locator(".lsf-errors").count() == 0
        assert draft.summary
        assert draft.summary.text in page.content()
        if template == "segment_review":
            page.wait_for_selector(".lsf-textarea-tag textarea")
            assert page.locator(".lsf-textarea-tag textarea").count() == 2
        if "summary" not in template:
            page.wait_for_function(HEARD)
        keep(page, template)


@pytest.mark.parametrize("length", [1, 8_000], ids=["short", "a megabyte"])
def test_a_hostile_transcript_is_shown_as_text_and_does_nothing(
    annotator: BrowserContext, label_studio: Server, client: LabelStudioClient, workspace: WorkspaceFolder, length: int
) -> None:
    with Store.open(workspace) as store:
        passage = next(find_passages(store))
        draft = load_draft(store, passage)
        assert draft.transcript
        assert draft.summary
        first = replace(draft.transcript.lines[0], text=HARM * length + "\u202eمقلوب\u202c", flags=(HARM,))
        put_draft(
            store,
            replace(
                draft,
                transcript=replace(draft.transcript, lines=(first,)),
                summary=replace(draft.summary, text=HARM, title=HARM),
            ),
        )
        project = push(store, workspace, client, PushRequest(label_studio.title(), passages=[passage])).project
        (held,) = list_remote_tasks(client, project)
    with task_open(annotator, label_studio, project, held.task) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        box = page.locator(".aramega-long textarea")
        box.wait_for()
        shown = box.input_value()
        assert shown.startswith("<script>window.hacked")
        assert len(shown) >= len(HARM.strip()) * length
        assert "\u202e" not in shown
        assert page.evaluate("window.hacked") is None
        keep(page, f"hostile-{length}")
        if length == 1:  # the table of tasks shows it, too
            page.goto(f"{label_studio.url}/projects/{project}/data")
            page.wait_for_selector(".dm-table, [class*=table]")
            assert page.evaluate("window.hacked") is None
