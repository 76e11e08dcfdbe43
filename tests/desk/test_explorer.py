"""The explorer in a real browser: found whatever the hamza, heard, compared word by word, and believing no text."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from aramega.desk import ExplorerServer, open_library
from aramega.desk.server import chosen_range
from aramega.records import AramegaError
from aramega.workspace import WorkspaceFolder
from tests.desk.conftest import open_address, serving
from tests.support.browser import DESKTOP, PHONE, open_page
from tests.support.cli import Run

pytestmark = pytest.mark.browser
ARTIFACTS = Path(__file__).parents[1] / "artifacts"


def search(page: Page, text: str, expected: int) -> None:
    page.fill("#q", text)
    expect(page.locator("#list .row")).to_have_count(expected)


def until(page: Page, holds: str) -> None:
    """Ask from outside: playwright's own waiting evaluates text inside the page, which its security policy forbids."""
    for _ in range(100):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never so: {holds}")


def test_words_are_found_with_and_without_hamza_and_a_phrase_as_it_stands(
    browser: Browser, server: ExplorerServer
) -> None:
    with open_address(browser, server.address, size=DESKTOP) as opened:
        page = opened.page
        everything = page.locator("#list .row").count()
        assert everything == 12
        page.fill("#q", "أعلنت")
        expect(page.locator("#list .row")).not_to_have_count(12)
        with_hamza = page.locator("#list .row").count()
        assert with_hamza > 0
        search(page, "اعلنت", with_hamza)
        search(page, '"الصحة وزارة"', 0)
        search(page, "", everything)
        assert opened.complaints == []
        assert all(url.startswith(server.address) for url in opened.requests if not url.startswith("data:"))


def test_a_filter_leaves_what_fits_it(browser: Browser, server: ExplorerServer) -> None:
    with open_address(browser, server.address, size=DESKTOP) as opened:
        page = opened.page
        dialects = page.locator("#choices select[name=dialect]")
        dialects.select_option(
            value=next(v for v in dialects.locator("option").evaluate_all("all => all.map(o => o.value)") if "LEV" in v)
        )
        expect(page.locator("#list .row")).not_to_have_count(12)
        assert page.locator("#list .row").count() == page.locator("#list .row:has-text('LEV')").count() > 0


def test_a_corrected_word_is_marked_by_more_than_colour_and_sound_plays(
    browser: Browser, server: ExplorerServer
) -> None:
    with open_address(browser, server.address, size=DESKTOP) as opened:
        page = opened.page
        transcript = page.locator("[data-text=transcript]")
        transcript.wait_for()
        assert "ثلاثة" in transcript.locator("del").first.inner_text()
        assert "أربعة" in transcript.locator("ins").first.inner_text()
        assert page.evaluate(
            "getComputedStyle(document.querySelector('[data-text=transcript] del')).textDecorationLine"
        ) == ("line-through")
        assert (
            page.evaluate("getComputedStyle(document.querySelector('[data-text=transcript] .voice')).direction")
            == "rtl"
        )
        page.locator("body").press("Space")
        until(page, "document.querySelector('#passage audio').currentTime > 0")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / "browse-desktop.png")
        assert opened.complaints == []


def test_keys_step_through_the_list_and_an_address_leads_to_its_passage(
    browser: Browser, server: ExplorerServer
) -> None:
    with open_address(browser, server.address, size=DESKTOP) as opened:
        page = opened.page
        page.locator("#list .row[aria-current=true]").wait_for()
        first = page.locator("#list .row[aria-current=true]").get_attribute("data-id")
        page.locator("body").press("j")
        until(page, f"document.querySelector('#list .row[aria-current=true]').dataset.id !== '{first}'")
        second = page.locator("#list .row[aria-current=true]").get_attribute("data-id")
        page.locator("body").press("/")
        assert page.evaluate("document.activeElement.id") == "q"
    with open_address(browser, f"{server.address}#{second}", size=DESKTOP) as opened:
        expect(opened.page.locator("#passage .id")).to_contain_text(str(second))


def test_what_is_written_in_a_transcript_does_nothing(browser: Browser, server: ExplorerServer) -> None:
    with open_address(browser, server.address, size=DESKTOP) as opened:
        page = opened.page
        search(page, "onerror", 1)
        page.get_by_text("onerror").first.wait_for()
        page.wait_for_timeout(200)
        assert page.title() != "hacked"
        assert page.locator("#passage img, #list img").count() == 0


def test_it_fits_a_phone(browser: Browser, server: ExplorerServer) -> None:
    with open_address(browser, server.address, size=PHONE, scheme="dark") as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator("#list .row").first.click()
        page.locator("[data-text=transcript]").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.screenshot(path=ARTIFACTS / "browse-phone.png")


def test_one_file_holds_a_small_set_and_asks_nobody_for_anything(browser: Browser, file_alone: Path) -> None:
    with open_page(browser, file_alone, size=DESKTOP, scheme="light") as opened:
        page = opened.page
        expect(page.locator("#list .row")).to_have_count(12)
        search(page, "onerror", 1)
        assert page.title() != "hacked"
        assert opened.complaints == []
        assert {url for url in opened.requests if not url.startswith("data:")} == {file_alone.as_uri()}


def test_a_published_folder_is_explored_too(browser: Browser, published: Path) -> None:
    with serving(open_library(published)) as running, open_address(browser, running.address, size=DESKTOP) as opened:
        page = opened.page
        assert page.locator("#list .row").count() > 0
        page.locator("#passage audio").wait_for()
        until(page, "document.querySelector('#passage audio').readyState > 0")


def asked(server: ExplorerServer, path: str, **headers: str) -> int:
    at = urlsplit(server.address)
    connection = http.client.HTTPConnection(at.hostname or "", at.port)
    connection.request("GET", path, headers=headers)
    return connection.getresponse().status


def test_a_wrong_token_and_a_foreign_name_are_refused(server: ExplorerServer) -> None:
    page = urlsplit(server.address).path
    assert asked(server, page) == 200
    assert asked(server, "/") == 403
    assert asked(server, "/guess/search?q=") == 403
    assert asked(server, page, Host="evil.example:80") == 403
    assert asked(server, f"{page}nothing") == 404


def test_ranges_are_parts_of_the_whole() -> None:
    assert chosen_range("0", "", 10) == (0, 10)
    assert chosen_range("2", "4", 10) == (2, 5)
    assert chosen_range("", "3", 10) == (7, 10)
    assert chosen_range("10", "", 10) is None
    assert chosen_range("", "", 10) is None


def test_a_folder_that_is_neither_is_said_to_be(tmp_path: Path, aramega: Run) -> None:
    with pytest.raises(AramegaError, match="neither a workspace"):
        open_library(tmp_path)
    assert aramega("browse", tmp_path, "--to", tmp_path / "a.html").code == 2


def test_the_page_alone_is_written_from_the_command_line(
    workspace: WorkspaceFolder, tmp_path: Path, aramega: Run
) -> None:
    said = aramega("browse", workspace.root, "--to", tmp_path / "set.html", "--sound-mb", "0")
    assert said.code == 0
    assert (tmp_path / "set.html").exists()
    assert "have no sound there" in said.err
    as_json = json.loads(aramega("browse", workspace.root, "--to", tmp_path / "set.html", "--json").out)
    assert as_json["file"] == str(tmp_path / "set.html")
    assert as_json["passages"] == as_json["with_sound"] > 0
