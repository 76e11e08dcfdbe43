"""The report in a real browser: it works offline, on a phone and in the dark, and believes no file's name.

Screenshots are left in tests/artifacts for people to look at.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browser import DESKTOP, PHONE, open_page, running_browser
from tests.support.cli import command, run_cli

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
SCRIPT = "<script>document.title='hacked'</script>.wav"
REVERSED = "safe\u202efdp.wav"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, broadcast: Path, short_broadcast: Path) -> Path:
    """Of a build with good files, broken ones, and names that mean harm."""
    folder = tmp_path_factory.mktemp("recordings")
    shutil.copy(broadcast, folder / "نشرة الأخبار.mp3")
    content = short_broadcast.read_bytes()
    for i, name in enumerate((SCRIPT.replace("/", "∕"), REVERSED, "two\nlines.wav")):
        (folder / name).write_bytes(content[: -3200 * (i + 1)])
    (folder / "empty.mp3").touch()
    manifest = folder / "m.csv"
    manifest.write_text(
        'path,title\nنشرة الأخبار.mp3,"<img src=x onerror=""document.title=1""> العنوان"\n', encoding="utf-8"
    )
    workspace = tmp_path_factory.mktemp("workspace")
    assert run_cli("build-ssum", folder, manifest, "-w", workspace, "-q").code == 3
    assert run_cli("report", workspace).code == 0
    return workspace / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_it_opens_without_a_complaint_a_request_or_a_sideways_scroll(
    browser: Browser, report: Path, scheme: str, width: str
) -> None:
    with open_page(browser, report, size=PHONE if width == "phone" else DESKTOP, scheme=scheme) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        ARTIFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTIFACTS / f"report-{width}-{scheme}.png", full_page=True)
        assert opened.complaints == []
        assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
        assert [url for url in opened.requests if url.startswith("file:")] == [report.as_uri()]


def test_dark_is_dark_and_light_is_light(browser: Browser, report: Path) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        with open_page(browser, report, size=DESKTOP, scheme=scheme) as opened:
            rgb = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness[scheme] = sum(int(part) for part in rgb[rgb.index("(") + 1 : -1].split(",")[:3])
    assert brightness["dark"] < 200 < 600 < brightness["light"]


def test_a_player_plays(browser: Browser, report: Path) -> None:
    with open_page(browser, report, size=DESKTOP, scheme="light") as opened:
        player = opened.page.locator("audio").first
        heard = "p => new Promise(done => p.ontimeupdate = () => p.currentTime > 0.1 && done(p.currentTime))"
        player.evaluate("player => void player.play()")
        assert player.evaluate(heard) > 0.1
        assert player.evaluate("player => player.duration") > 14
        assert player.evaluate("player => player.error") is None


def test_names_that_mean_harm_are_shown_and_do_none(browser: Browser, report: Path) -> None:
    with open_page(browser, report, size=DESKTOP, scheme="light") as opened:
        text = opened.page.inner_text("body")
        assert "<script>document.title=" in text
        assert "<img src=x onerror=" in text
        assert "\u202e" not in text, "an override would turn what follows round"
        assert "hacked" not in opened.page.title()
        assert opened.page.locator("img[onerror]").count() == 0


def test_what_failed_and_what_gave_nothing_are_on_the_page(browser: Browser, report: Path) -> None:
    with open_page(browser, report, size=DESKTOP, scheme="light") as opened:
        text = opened.page.inner_text("body")
        assert "an empty file" in text
        assert "empty.mp3" in text


def test_arabic_is_set_from_right_to_left(browser: Browser, report: Path) -> None:
    with open_page(browser, report, size=DESKTOP, scheme="light") as opened:
        name = opened.page.get_by_text("نشرة الأخبار.mp3").first
        assert name.evaluate("e => !!e.closest('[dir=auto], [dir=rtl], bdi')")


def test_an_empty_workspace_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    run_cli("build-ssum", tmp_path / "empty.mp3", "-w", tmp_path / "ws", "-q")
    assert run_cli("report", tmp_path / "ws").code == 0
    with open_page(browser, tmp_path / "ws" / "report.html", size=PHONE, scheme="light") as opened:
        assert "--retry-failed" in opened.page.inner_text("body")
        assert opened.complaints == []


def test_the_page_stays_small_enough_to_mail(report: Path) -> None:
    assert report.stat().st_size < 8_000_000


def test_status_can_be_asked_while_a_build_is_at_work(tmp_path: Path, broadcast: Path) -> None:
    import subprocess

    build = subprocess.Popen(command("build-ssum", broadcast, "-w", tmp_path, "--workers", "1"), stderr=subprocess.PIPE)
    assert build.stderr
    build.stderr.readline()
    assert run_cli("status", tmp_path).code == 0
    assert build.wait() == 0
