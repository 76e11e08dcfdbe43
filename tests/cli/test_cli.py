"""The command line as its users meet it: help, versions, wrong usage, exit codes, machine output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from aramega.cli import HABITS, app, run
from aramega.config import Config, load_config
from tests.support.cli import Run

HEAVY = ("torch", "transformers", "whisper", "ray", "label_studio_sdk", "datasets", "librosa", "scipy", "numpy")


def plain(text: str) -> str:
    """Help without its boxes and line breaks."""
    return re.sub(r"[│╭╮╰╯─\s]+", " ", text)


def commands(group: Any, called: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below `group`, as it is registered, with the words that call it."""
    for name, command in group.commands.items():
        words = f"{called} {name}".strip()
        yield words, command
        if hasattr(command, "commands"):
            yield from commands(command, words)


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_help_names_every_command_with_what_it_does(aramega: Run) -> None:
    shown = plain(aramega("--help", env={**os.environ, "COLUMNS": "200"}).out)
    assert len(COMMANDS) > 17
    for words, command in COMMANDS.items():
        if " " not in words:
            assert f" {words} {plain(command.get_short_help_str(1000)).strip()}" in shown


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_explains_each_of_its_options(aramega: Run, words: str) -> None:
    command = COMMANDS[words]
    shown = plain(aramega(*words.split(), "--help", env={**os.environ, "COLUMNS": "200"}).out)
    assert f"Usage: aramega {words} " in shown
    for name, inner in getattr(command, "commands", {}).items():
        assert f" {name} {plain(inner.get_short_help_str(1000)).strip()}" in shown
    for option in command.params:
        help = getattr(option, "help", None)
        assert help, f"{option.name} explains nothing"
        assert plain(help).strip() in shown
        assert all(name in shown for name in option.opts if name.startswith("-"))


def test_help_imports_nothing_heavy() -> None:
    """What keeps `aramega --help` under 0.3 s; benchmarks/startup.py measures it."""
    script = f"import sys, aramega.cli; print([m for m in {HEAVY} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_version_is_the_packages(aramega: Run) -> None:
    assert re.fullmatch(r"aramega \d+\.\d+\.\d+\n", aramega("--version").out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build-smum"], "No such command"),
        (["build-ssum", "--wrokers", "2"], "No such option"),
        (["build-ssum", "https://example.org/a.mp3"], "download it first"),
        (["build-ssum", "/no/such/folder"], "no such file or folder"),
        (["build-ssum"], "is not a workspace yet"),
        (["status", "."], "not a workspace"),
        (["build-ssum", ".", "--set", "passages=1"], "section.key=value"),
        (["build-ssum", ".", "--config", "none.toml"], "no such file"),
    ],
)
def test_wrong_usage_is_one_message_and_code_2(
    aramega: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    said = aramega(*arguments, cwd=tmp_path)
    assert said.code == 2
    assert message in plain(said.err)
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("typed", "meant"), HABITS.items())
def test_a_habit_from_another_tool_leads_to_the_command_that_is_meant_and_never_to_publish(
    capsys: pytest.CaptureFixture[str], typed: str, meant: str
) -> None:
    assert run([typed, "news"]) == 2
    said = capsys.readouterr().err
    assert f"Did you mean '{meant}'?" in said
    assert "publish" not in said
    assert run([*meant.split(), "--help"]) == 0, "the command exists"


def test_a_stage_that_does_not_exist_is_named_with_those_that_do(
    aramega: Run, tmp_path: Path, short_broadcast: Path
) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--until", "transcibe")
    assert said.code == 2
    assert "ingest, segment, passages" in said.err


def test_init_writes_every_option_and_refuses_to_overwrite(aramega: Run, tmp_path: Path) -> None:
    assert aramega("init", tmp_path / "ws").code == 0
    assert load_config(tmp_path / "ws" / "aramega.toml") == Config()
    assert aramega("init", tmp_path / "ws").code == 2


def test_a_workspaces_own_configuration_is_used(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    aramega("init", tmp_path)
    (tmp_path / "aramega.toml").write_text("[passages]\nmin_seconds = 100.0\ntarget_seconds = 110\n")
    assert "0 passages" in aramega("build-ssum", short_broadcast, "-w", tmp_path).out


def test_a_model_whose_path_holds_an_emoji_reaches_the_configuration_as_it_was_typed(
    tmp_path: Path, short_broadcast: Path
) -> None:
    model = tmp_path / "نموذج-😀" / "model.pt"
    place = tmp_path / "ws"
    options = ["--until", "ingest", "--workers", "1", "--quiet", "--asr-model", model]
    assert run(["build-ssum", *map(str, (short_broadcast, "--workspace", place, *options))]) == 0
    assert load_config(place / "aramega.toml").transcribe.model == str(model)


def test_json_is_one_object_a_line_from_start_to_summary(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [e["event"] for e in events] == ["start", "done", "done", "done", "summary"]
    assert [e["stage"] for e in events[1:-1]] == ["ingest", "segment", "passages"]
    assert events[-1]["recordings"] == 1
    assert said.err == ""


def test_quiet_says_nothing_when_all_is_well(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_status_is_for_people_and_for_machines(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", "--quiet")
    assert "segment" in aramega("status", tmp_path / "ws").out
    assert json.loads(aramega("status", tmp_path / "ws", "--json").out)


def test_doctor_finds_what_this_machine_has(aramega: Run) -> None:
    said = aramega("doctor")
    assert said.code == 0
    assert re.search(r"ok +ffmpeg +\S+", said.out)


def test_doctor_says_what_is_missing_and_what_to_do(aramega: Run, tmp_path: Path) -> None:
    said = aramega("doctor", env={"PATH": str(tmp_path)})
    assert said.code == 1
    assert re.search(r"MISSING +ffmpeg .*apt-get install ffmpeg", said.out)


def test_a_build_without_ffmpeg_says_what_to_install(aramega: Run, tmp_path: Path, short_broadcast: Path) -> None:
    said = aramega("build-ssum", short_broadcast, "-w", tmp_path / "ws", env={"PATH": str(tmp_path)})
    assert said.code == 2
    assert "ffmpeg is not installed. On Debian" in said.err
    assert not (tmp_path / "ws").exists()


def test_on_a_terminal_a_bar_shows_hours_speed_and_time_left(tmp_path: Path, short_broadcast: Path) -> None:
    """A real terminal: `script` gives the command one and keeps what it drew."""
    line = f"{sys.executable} -m aramega build-ssum {short_broadcast} -w {tmp_path / 'ws'}"
    subprocess.run(["script", "-qec", line, str(tmp_path / "drawn")], check=True, stdout=subprocess.DEVNULL)
    drawn = (tmp_path / "drawn").read_text(errors="replace")
    assert "h done" in drawn
    assert "× real time" in drawn
