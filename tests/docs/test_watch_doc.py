"""docs/watch.md: its commands work in order, and it names every field and metric there is, and no other."""

from __future__ import annotations

import json
import re
from dataclasses import fields as fields_of
from pathlib import Path

import pytest
import yaml

from aramega.records import BuildProgress, Failure, NodeProgress, StageProgress, Work, from_json
from tests.docs.test_docs import ROOT, commands
from tests.docs.test_keep_doc import run_line

pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

PAGE = (ROOT / "docs" / "watch.md").read_text(encoding="utf-8")


def between(begin: str, end: str) -> str:
    """The part of the page from one mark to the next."""
    return PAGE.partition(begin)[2].partition(end)[0]


STATUS = between("For machines:", "## The progress file")
FILE = between("## The progress file", "## Prometheus")
PROMETHEUS = between("## Prometheus", "## The end")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, short_broadcast: Path) -> tuple[Path, dict[str, str]]:
    """The folder in which every command of the page was run, and what each said."""
    folder = tmp_path_factory.mktemp("watched")
    (folder / "recordings").mkdir()
    (folder / "recordings" / "news.wav").write_bytes(short_broadcast.read_bytes())
    # Any free port will do, and the page's may be in use here.
    return folder, {line: run_line(line.replace("9464", "0"), folder) for line in commands("docs/watch.md")}


def rows(table: str) -> list[tuple[set[str], set[str]]]:
    """Of each row, the code in its first cell and in the others."""
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [(set(re.findall(r"`(.+?)`", first)), set(re.findall(r"`(\w+)`", " ".join(more)))) for first, *more in cells]


def test_the_fields_of_the_status_are_there(built: tuple[Path, dict[str, str]]) -> None:
    told = json.loads(built[1]["aramega status news --json"])
    named = rows(STATUS)
    assert {name.removesuffix("[]") for names, _ in named for name in names} <= set(told)
    fields = {name: inside for names, inside in named for name in names}
    for listed in ("stages", "paces"):
        assert fields[f"{listed}[]"] <= set(told[listed][0])


def test_every_key_of_the_progress_file_is_explained(built: tuple[Path, dict[str, str]]) -> None:
    text = (built[0] / "news" / "progress.json").read_text(encoding="utf-8")
    told = json.loads(text)
    named = rows(FILE)
    assert {name.removesuffix("[]") for names, _ in named for name in names} == set(told)
    fields = {name: inside for names, inside in named for name in names}
    assert fields["stages[]"] == _fields(StageProgress)
    assert fields["nodes[]"] | {"stage"} == _fields(NodeProgress) | _fields(Work)
    assert fields["last_failures[]"] == _fields(Failure)
    assert from_json(BuildProgress, text).state in fields["state"]


def _fields(record: type) -> set[str]:
    return {field.name for field in fields_of(record)}


def test_every_metric_is_explained_and_queries_ask_for_those_there_are(built: tuple[Path, dict[str, str]]) -> None:
    families = list(text_string_to_metric_families((built[0] / "aramega-news.prom").read_text(encoding="utf-8")))
    there = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert {name for names, _ in rows(PROMETHEUS) for name in names} == there
    asked = set(re.findall(r"\baramega_\w+", PROMETHEUS))
    assert {re.sub(r"(?<=seconds)_(sum|count)$", "", name) for name in asked} == there


def test_the_configurations_shown_are_yaml() -> None:
    scrape, alerts = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:9464"]
    assert [rule["alert"] for rule in alerts["groups"][0]["rules"]] == [
        "NoItemForTenMinutes",
        "MoreThanOneItemInTwentyFails",
        "ReviewFallsBehind",
    ]
