"""The command line as its users meet it: help, versions, wrong usage, exit codes, machine output."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from aramega.cli import COMMANDS, HABITS, SHORT_FORMS, full_click_command, run
from aramega.cli.command import Entry
from aramega.cli.config_options import field_of
from aramega.config import Config, load_config
from tests.support.cli import Run

HEAVY = ("torch", "transformers", "whisper", "ray", "label_studio_sdk", "datasets", "librosa", "scipy", "numpy")


def plain(text: str) -> str:
    """Help without its boxes and line breaks."""
    return re.sub(r"[│╭╮╰╯─\s]+", " ", text)


WORDS = [entry.words for entry in COMMANDS]
WIDE = {**os.environ, "COLUMNS": "300"}


def options_of(entry: Entry) -> list[Any]:
    """The click parameters of a command, with those that come from models."""
    return list(full_click_command(entry.words).params)


def test_help_names_every_command_with_what_it_does(aramega: Run) -> None:
    shown = plain(aramega("--help", env=WIDE).out) + plain(aramega("review", "--help", env=WIDE).out)
    assert len(COMMANDS) > 25
    for entry in COMMANDS:
        first_sentence = (inspect.getdoc(entry.function) or "").partition("\n\n")[0]
        assert first_sentence, f"{entry.words} says nothing"
        assert f" {entry.name} {plain(first_sentence)}" in shown


def test_help_is_in_the_order_of_work(aramega: Run) -> None:
    shown = aramega("--help", env=WIDE).out
    places = [shown.index(f"─ {panel} ─") for panel in ("Build", "Review", "Publish", "Look", "Keep", "Help")]
    assert places == sorted(places)


@pytest.mark.parametrize("entry", COMMANDS, ids=WORDS)
def test_each_command_explains_each_of_its_options_and_gives_an_example(aramega: Run, entry: Entry) -> None:
    shown = plain(aramega(*entry.words.split(), "--help", env=WIDE).out)
    assert f"Usage: aramega {entry.words} " in shown
    assert f"Example: {entry.example}" in shown
    for option in options_of(entry):
        help = getattr(option, "help", None)
        assert help, f"{option.name} explains nothing"
        assert plain(help).strip() in shown
        assert all(name in shown for name in option.opts if name.startswith("-"))


@pytest.mark.parametrize("entry", COMMANDS, ids=WORDS)
def test_each_example_is_a_command_line_that_can_be_parsed(entry: Entry) -> None:
    program, *words = shlex.split(entry.example)
    assert program == "aramega"
    assert " ".join(words).startswith(entry.words) or words[0] in SHORT_FORMS
    full_click_command(entry.words).make_context(entry.name, words[len(entry.words.split()) :])


@pytest.mark.parametrize("entry", COMMANDS, ids=WORDS)
def test_each_option_is_of_a_model_or_of_the_run(entry: Entry) -> None:
    """What changes results or a dataset belongs into aramega.toml too; what one run is asked stands here with why."""
    of_models = {option.name: field_of(option.key) for option in entry.options}
    for option in options_of(entry):
        if option.name in of_models:
            assert of_models[option.name].description
        else:
            assert option.param_type_name == "argument" or option.name in OF_ONE_RUN, option.name


OF_ONE_RUN = {
    **dict.fromkeys(("folder", "workspace_option", "workspace", "option", "into"), "which workspace"),
    **dict.fromkeys(("config_file", "settings"), "gives options of models"),
    **dict.fromkeys(("verbose", "debug", "quiet", "as_json"), "how much is said, and how"),
    **dict.fromkeys(("dry_run", "ids", "worst", "watch", "interval", "browser", "no_open"), "what is shown"),
    **dict.fromkeys(("out", "to", "repo", "page", "for_referee", "metrics", "metrics_file", "files"), "where to"),
    **dict.fromkeys(("until", "limit", "retry_failed", "workers", "engine", "ray_address"), "how far, on what"),
    **dict.fromkeys(("private", "gated", "create_pr", "tag", "force", "verify", "withdrawn"), "of one version"),
    **dict.fromkeys(("format", "unit", "sound_mb", "frames", "without_frames", "parts", "outdated"), "what is written"),
    **dict.fromkeys(("passages", "passage", "against", "everything", "where", "policy", "referee"), "which of them"),
    **dict.fromkeys(("port", "host", "address", "with_compose", "with_serve", "url", "annotator"), "of a server"),
}


def test_each_command_that_takes_a_workspace_takes_it_in_the_same_two_ways() -> None:
    for entry in COMMANDS:
        if entry.workspace != "no":
            assert any({"--workspace", "-w"} <= set(option.opts) for option in options_of(entry)), entry.words


def test_commands_write_where_out_says_and_answer_in_json() -> None:
    for entry in COMMANDS:
        names = {name for option in options_of(entry) for name in option.opts}
        assert "--json" in names, entry.words
        for old in ("--to", "--into", "--html"):
            assert old not in names or {"--out", "-o"} <= names


@pytest.mark.parametrize("entry", COMMANDS, ids=WORDS)
def test_each_body_only_parses_calls_and_shows(entry: Entry) -> None:
    [function] = ast.parse(textwrap.dedent(inspect.getsource(entry.function))).body
    assert isinstance(function, ast.FunctionDef)
    [first, *_] = [node for node in function.body if not isinstance(node, ast.Expr) or node is not function.body[0]]
    assert (function.end_lineno or 0) - first.lineno + 1 <= 15


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
