"""Plugins: a real distribution adds a stage, a fact, a recognizer and an export, and does as our own do."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Run

SAMPLE = Path(__file__).parent / "laughter"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def install(source: Path, into: Path) -> Path:
    """What `pip install` would bring, in a folder of its own."""
    copy = into.with_name(f"{into.name}-source")  # setuptools builds where the source is
    shutil.copytree(source, copy)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(into), str(copy)], check=True)
    return into


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(SAMPLE, tmp_path_factory.mktemp("site") / "laughter")


def command_with(plugin: Path) -> Command:
    """`aramega` in a Python that has the plugin."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        python = f"import sys, aramega.cli; sys.exit(aramega.cli.run({[str(word) for word in words]!r}))"
        path = os.pathsep.join([str(plugin), *sys.path])
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(
            [sys.executable, "-c", python], env=environment, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def command(plugin: Path) -> Command:
    return command_with(plugin)


LAUGHING = ["--set", "transcribe.model=parrot", "--set", "plugins.laughter.laugh=هههه"]
RULES = [
    "--set",
    'check.review_first=["somebody laughs: laughs > 0"]',
    "--set",
    "check.reject=[]",
    "--set",
    "check.random_share=0",
]


@pytest.fixture(scope="module")
def built(command: Command, broadcast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "news"
    done = command("build-ssum", broadcast, "-w", folder, "-q", *LAUGHING, *RULES)
    assert done.returncode == 0, done.stderr
    return folder


def ask(workspace: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(workspace / "aramega.db") as connection:
        return connection.execute(query).fetchall()


def test_a_stage_says_its_values_of_each_passage_under_a_fingerprint_of_its_own(built: Path) -> None:
    extras = ask(built, "SELECT item, json FROM extras WHERE stage = 'laughter' ORDER BY item")
    assert [item for item, _ in extras] == [row[0] for row in ask(built, "SELECT id FROM passages ORDER BY id")]
    assert all(json.loads(str(values))["laughs"] >= 1 for _, values in extras)
    assert ask(built, "SELECT DISTINCT model FROM transcripts") == [("parrot",)]


def test_rules_may_ask_about_a_plugins_fact(built: Path) -> None:
    assert ask(built, "SELECT DISTINCT decision, reasons FROM verdicts") == [("review first", '["somebody laughs"]')]


def test_where_may_name_a_plugins_fact_and_priorities_weigh_it(command: Command, built: Path, tmp_path: Path) -> None:
    for where, number in (("laughs >= 1", len(ask(built, "SELECT id FROM passages"))), ("laughs > 99", 0)):
        done = command("review", "status", built, "--where", where, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["passages"] == number
    wrong = command("review", "status", built, "--where", "laughz > 1")
    assert "no such column: laughz" in wrong.stderr
    assert "laughs" in wrong.stderr
    copy = tmp_path / "news"
    shutil.copytree(built, copy)
    before = dict(ask(copy, "SELECT passage, priority FROM verdicts"))
    weigh = command("build-ssum", "-w", copy, "-q", "--set", "check.priority_weights={laughs = 0.01}")
    assert weigh.returncode == 0, weigh.stderr
    after = dict(ask(copy, "SELECT passage, priority FROM verdicts"))
    assert all(after[passage] > before[passage] for passage in before)
    assert "priority_weights" in (copy / "aramega.toml").read_text()


def test_without_the_plugin_one_looks_and_exports_as_before_and_a_build_says_what_is_missing(
    aramega: Run, built: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "news"
    shutil.copytree(built, copy)
    for words in (
        ["status", copy],
        ["export", copy, "--format", "jsonl"],
        ["report", copy],
        ["review", "status", copy],
    ):
        done = aramega(*words)
        assert done.code == 0, (words, done.err)
    assert "laughter: no such stage is installed" in aramega("status", copy).err
    build = aramega("build-ssum", "-w", copy, "-q")
    assert (build.code, build.err) == (
        2,
        "aramega: laughter: no such stage is installed. There are: none. A build needs it: install the plugin again, or "
        "take [plugins.laughter] out of aramega.toml.\n",
    )
    text = (copy / "aramega.toml").read_text(encoding="utf-8")
    (copy / "aramega.toml").write_text(text.partition('[plugins."laughter"]')[0], encoding="utf-8")
    rule = aramega("build-ssum", "-w", copy, "-q")
    assert rule.code == 2
    assert "check.review_first: 'somebody laughs: laughs > 0': laughs is not known. If a plugin gave it" in rule.err
    assert len(rule.err.splitlines()) == 1


def test_a_summarizer_of_a_plugin_writes_the_summaries(command: Command, built: Path, tmp_path: Path) -> None:
    copy = tmp_path / "news"
    shutil.copytree(built, copy)
    done = command("build-ssum", "-w", copy, "-q", "--summarizer", "echo")
    assert done.returncode == 0, done.stderr
    assert {text for (text,) in ask(copy, "SELECT text FROM summaries")} == {"يسكت المذيع قليلا بعد أن يضحك أمام الناس"}


def test_its_format_is_written_by_export(command: Command, built: Path, tmp_path: Path) -> None:
    done = command("export", built, "--format", "clips", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    clips = [row[0] for row in ask(built, "SELECT clip FROM passages ORDER BY recording, start")]
    assert (tmp_path / "clips.txt").read_text().split("\n")[:-1] == clips


def test_status_counts_it_and_a_second_build_does_nothing(command: Command, built: Path) -> None:
    done = command("status", built)
    assert re.search(r"laughter +\d+ +0 +0", done.stdout), done.stdout
    before = ask(built, "SELECT * FROM results ORDER BY stage, item")
    assert command("build-ssum", "-w", built, "-q").returncode == 0
    assert ask(built, "SELECT * FROM results ORDER BY stage, item") == before


def test_another_version_is_another_fingerprint_and_what_nobody_made_with_it_stays(
    command: Command, built: Path, tmp_path: Path
) -> None:
    newer = tmp_path / "source"
    shutil.copytree(SAMPLE, newer)
    (newer / "pyproject.toml").write_text((SAMPLE / "pyproject.toml").read_text().replace("0.1", "0.2"))
    upgraded = command_with(install(newer, tmp_path / "newer"))
    copy = tmp_path / "news"
    shutil.copytree(built, copy)
    before = dict(ask(copy, "SELECT stage, min(fingerprint) FROM results GROUP BY stage"))
    assert upgraded("build-ssum", "-w", copy, "-q").returncode == 0
    after = dict(ask(copy, "SELECT stage, min(fingerprint) FROM results GROUP BY stage"))
    assert {stage for stage in before if before[stage] != after[stage]} == {
        *("transcribe", "laughter", "summarize", "label", "check", "judge"),  # the recognizer is of the plugin, too
    }


def test_check_plugin_kills_resumes_and_repeats_it(command: Command) -> None:
    done = command("check-plugin", "laughter", "--set", "transcribe.model=parrot")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("good") for line in lines), done.stdout
    assert [line.split(": ")[0].removeprefix("good  ") for line in lines] == [
        "stage can be imported",
        "it does its items",
        "made again from nothing, its results are the same",
        "killed after its first result",
        "resumed, its results are the same",
    ]


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("parrot", "recognizer", []),
        ("echo", "summarizer", ["transcribe.model=parrot"]),
        ("laughs", "fact", ["transcribe.model=parrot"]),
        ("clips", "export", ["transcribe.model=parrot"]),
    ],
)
def test_check_plugin_tries_every_kind(command: Command, name: str, kind: str, settings: list[str]) -> None:
    done = command("check-plugin", name, *(word for setting in settings for word in ("--set", setting)), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads(done.stdout)
    assert [check["good"] for check in checks] == [True] * 5
    assert checks[0]["what"] == f"{kind} can be imported"


def test_check_plugin_finds_a_stage_that_gives_something_else_each_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(SAMPLE, source)
    module = source / "aramega_laughter.py"
    module.write_text(
        module.read_text().replace('{"laughs": item', '{"at": __import__("time").time_ns(), "laughs": item')
    )
    done = command_with(install(source, tmp_path / "site"))(
        "check-plugin", "laughter", "--set", "transcribe.model=parrot"
    )
    assert done.returncode == 3
    assert "bad   made again from nothing, its results are the same: " in done.stdout


def test_a_plugin_that_cannot_be_imported_is_one_line_for_who_asks_and_nothing_for_others(
    broadcast: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(SAMPLE, source)
    (source / "aramega_laughter.py").write_text("import not_there\n")
    command = command_with(install(source, tmp_path / "site"))
    asked = command("build-ssum", broadcast, "-w", tmp_path / "a", "-q", "--set", "plugins.laughter.laugh=ha")
    assert asked.returncode == 2
    assert re.fullmatch(
        r"aramega: plugin laughter \(aramega-laughter 0\.1\) can't be imported: ModuleNotFoundError: "
        r"No module named 'not_there'\. Mend or remove it: pip uninstall aramega-laughter\.\n",
        asked.stderr,
    )
    assert not (tmp_path / "a").exists()
    other = command("build-ssum", broadcast, "-w", tmp_path / "b", "-q", "--until", "ingest")
    assert (other.returncode, other.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("plugins.laughter.lagh=ha", r"\[plugins\.laughter\] unknown key `lagh`\. Its options: laugh\."),
        ("plugins.laugther.laugh=ha", r"laugther: no such stage is installed\. Did you mean laughter\?"),
        ('check.reject=["x: laugs > 1"]', r"check\.reject: 'x: laugs > 1': laugs is not known\. Did you mean laughs\?"),
        ("plugins.laughter=3", r"laughter is 3: give each plugin a table, \[plugins\.laughter\]"),
    ],
)
def test_a_wrong_option_is_one_line(command: Command, broadcast: Path, tmp_path: Path, change: str, why: str) -> None:
    done = command("build-ssum", broadcast, "-w", tmp_path / "a", "-q", "--set", change)
    assert done.returncode == 2, done.stderr
    assert re.search(why, done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_page_shows_the_sample_as_it_is() -> None:
    """Its Python is the sample's, which the tests above run."""
    sample, page = (SAMPLE / "aramega_laughter.py").read_text(), PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert blocks
    for block in blocks:
        assert block.strip() in sample
    [project] = re.findall(r"```toml\n(\[project\].*?)```", page, re.DOTALL)
    assert project.strip() in (SAMPLE / "pyproject.toml").read_text()


def test_the_commands_of_the_page_work(command: Command, broadcast: Path, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    [toml] = re.findall(r"```toml\n(# aramega\.toml\n.*?)```", page, re.DOTALL)
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "aramega.toml").write_text(toml, encoding="utf-8")
    lines = [line for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    ours = [shlex.split(line.split("  #")[0]) for line in lines if line.startswith("aramega ")]
    assert len(ours) >= 3
    for _, *words in ours:
        places = {"recordings": str(broadcast), "news": str(tmp_path / "news")}
        done = command(*(places.get(word, word) for word in words))
        assert done.returncode == 0, (words, done.stderr)
