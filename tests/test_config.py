"""The configuration: an empty file is good, a mistake is named with its cure, what is written can be read."""

import os
from pathlib import Path

import pytest

from aramega.config import Config, IngestConfig, TranscribeConfig, choose_config, dump_toml, load_config, save_config
from aramega.config.files import content_key
from aramega.records import AramegaError


def test_what_is_dumped_loads_back_the_same(tmp_path: Path) -> None:
    config = Config.model_validate({"passages": {"max_seconds": 90}, "segment": {"second_opinion": True}})
    save_config(config, tmp_path / "c.toml")
    assert load_config(tmp_path / "c.toml") == config


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.toml").touch()
    assert load_config(tmp_path / "c.toml") == Config()


def test_every_option_is_dumped_with_a_reason() -> None:
    lines = dump_toml(Config()).splitlines()
    for number, line in enumerate(lines):
        if " = " in line and not line.startswith("#"):
            assert lines[number - 1].startswith("# "), line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[passages]\nmax_second = 90", "unknown key `passages.max_second`; did you mean `max_seconds`?"),
        ("[pasages]\nmax_seconds = 90", "unknown key `pasages`; did you mean `passages`?"),
        ("[passages]\nxyzzy = 1", "known here: min_seconds"),
        ("[passages]\nmin_seconds = 200", "min_seconds (200) is greater than max_seconds (120)"),
        ("[passages]\nmin_seconds = -1", "greater than 0"),
        ("[ingest]\nmax_hours = 'long'", "`ingest.max_hours` is 'long'"),
        ("[passages\n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(AramegaError) as caught:
        load_config(tmp_path / "c.toml")
    assert message in str(caught.value)
    assert str(tmp_path / "c.toml") in str(caught.value)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[passages]\nmargn = 1\n[ingest]\nmaxhours = 2\n")
    with pytest.raises(AramegaError) as caught:
        load_config(tmp_path / "c.toml")
    assert "margin" in str(caught.value)
    assert "max_hours" in str(caught.value)


def test_single_options_can_be_set_on_top(tmp_path: Path) -> None:
    config = choose_config(None, tmp_path / "none.toml", ["passages.max_seconds=90", "segment.second_opinion=true"])
    assert config.passages.max_seconds == 90
    assert config.segment.second_opinion is True


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ("2024", "2024"),
        ("true", "true"),
        ("2024-01-01", "2024-01-01"),
        ("1.10", "1.10"),
        ("'2024'", "2024"),
        ('"نشرة 😀"', "نشرة 😀"),
        ("نشرة 😀", "نشرة 😀"),
    ],
)
def test_a_text_that_looks_like_a_number_a_date_or_a_yes_is_still_a_text(
    tmp_path: Path, given: str, title: str
) -> None:
    assert choose_config(None, tmp_path / "none.toml", [f"publish.title={given}"]).publish.title == title


def test_a_commands_own_options_stay_the_values_they_are_and_come_before_set(tmp_path: Path) -> None:
    options: dict[str, object] = {
        "transcribe.model": '/data/نموذج-😀/"model".pt',
        "summarize.max_tokens_total": 5000,
        "overview.enabled": True,
        "publish.title": "2024",
        "publish.licences": ["cc-by-4.0", "null"],
    }
    config = choose_config(None, tmp_path / "none.toml", ["transcribe.model=tiny", "passages.max_seconds=90"], options)
    assert config.transcribe.model == '/data/نموذج-😀/"model".pt'
    assert (config.summarize.max_tokens_total, config.overview.enabled) == (5000, True)
    assert (config.publish.title, config.publish.licences) == ("2024", ("cc-by-4.0", "null"))
    assert config.passages.max_seconds == 90
    save_config(config, tmp_path / "c.toml")
    assert load_config(tmp_path / "c.toml") == config


@pytest.mark.parametrize("change", ["passages=1", "max_seconds=90", "passages.max_seconds"])
def test_a_set_without_section_key_or_value_shows_how(tmp_path: Path, change: str) -> None:
    with pytest.raises(AramegaError, match=r"section\.key=value"):
        choose_config(None, tmp_path / "none.toml", [change])


def test_a_curators_own_comments_survive_a_build_that_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "aramega.toml"
    path.write_text("# ours\n[passages]\nmax_seconds = 90\n")
    save_config(load_config(path), path)
    assert path.read_text().startswith("# ours")


def test_the_curators_file_is_kept_when_a_build_changes_it(tmp_path: Path) -> None:
    path = tmp_path / "aramega.toml"
    path.write_text("# ours\n[passages]\nmax_seconds = 90\n")
    save_config(Config(), path)
    assert load_config(path) == Config()
    assert (tmp_path / "aramega.toml.bak").read_text().startswith("# ours")


def test_only_the_values_that_change_are_written_and_comments_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "aramega.toml"
    path.write_text(
        "# ours\n[passages]\nmax_seconds = 90  # agreed in March\n\n[ingest]\n# only these\nextensions = ['mp3']\n\n"
    )
    wanted = choose_config(None, path, ["passages.max_seconds=60", "publish.title=نشرات"])
    save_config(wanted, path)
    assert path.read_text() == (
        "# ours\n[passages]\nmax_seconds = 60.0  # agreed in March\n\n[ingest]\n# only these\nextensions = ['mp3']\n\n"
        '[publish]\ntitle = "نشرات"\n'
    )
    assert load_config(path) == wanted


@pytest.mark.parametrize(
    "text", ["passages.max_seconds = 90", "passages = { max_seconds = 90 } # ours", "\ufeff[passages]"]
)
def test_whatever_way_a_file_is_written_in_it_holds_what_was_asked_for(tmp_path: Path, text: str) -> None:
    path = tmp_path / "aramega.toml"
    path.write_text(f"{text}\n", encoding="utf-8")
    wanted = choose_config(
        None, path, ["passages.max_seconds=60", "ingest.downmix=left", "label.dialects=['MSA','EGY']"]
    )
    save_config(wanted, path)
    assert load_config(path) == wanted


@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_what_toml_can_say_and_we_cannot_use_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(AramegaError, match="finite"):
        choose_config(None, tmp_path / "none.toml", [f"passages.max_pause={value}"])


def test_extensions_may_be_given_with_their_dots() -> None:
    assert IngestConfig(extensions=(".WAV",)).extensions == ("wav",)


@pytest.mark.parametrize(
    "text",
    [
        "[passages]\nmax_seconds = " + "9" * 5000,
        "[passages]\nmax_seconds = 0x" + "f" * 5000,
        "[passages]\nmax_seconds = " + "[" * 100_000,
        "[passages]\nmax_seconds = '" + "x" * 200_000 + "'",
        '["\\u001b]0;owned\\u0007"]\nx = 1',
        '[check]\nreject = ["\\u001b[31m"]',
    ],
)
def test_whatever_is_written_in_it_the_answer_is_one_line_a_terminal_can_show(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(AramegaError) as caught:
        load_config(tmp_path / "c.toml")
    assert str(caught.value).startswith(str(tmp_path / "c.toml"))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_notepads_mark_at_the_front_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[passages]\nmax_seconds = 90\n", encoding="utf-8-sig")
    assert load_config(tmp_path / "c.toml").passages.max_seconds == 90


def test_a_text_with_a_delete_character_is_written_so_that_it_can_be_read(tmp_path: Path) -> None:
    config = Config.model_validate({"transcribe": {"prompt": "a\x7fb"}})
    save_config(config, tmp_path / "c.toml")
    assert load_config(tmp_path / "c.toml") == config


def test_a_change_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AramegaError, match="not UTF-8"):
        choose_config(None, tmp_path / "none.toml", ["transcribe.prompt=caf\udce9"])


@pytest.mark.parametrize(("option", "value"), [("transcribe.model", "caf\udce9"), ("publish.licences", ["\udce9"])])
def test_an_option_that_is_not_utf8_is_refused(tmp_path: Path, option: str, value: object) -> None:
    with pytest.raises(AramegaError, match="not UTF-8"):
        choose_config(None, tmp_path / "none.toml", options={option: value})


def test_an_integer_no_file_could_hold_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[summarize]\nmax_words = 0x" + "f" * 5000)
    with pytest.raises(AramegaError, match=r"\[summarize\.max_words\] an integer of more than 64 bits"):
        load_config(tmp_path / "c.toml")


@pytest.mark.parametrize("name", ["/dev/zero", "x" * 5000, "~nobody-at-all/x", "hf:", "", "a\0b", "pipe"])
def test_a_model_that_names_no_file_or_folder_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """To look inside a device or a pipe would never end."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    assert content_key(name) == name


def test_a_folder_called_as_a_recognizer_is_another_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`aramega demo -w demo` makes one; what its files hold says nothing of the toy recognizer."""
    monkeypatch.chdir(tmp_path)
    before = TranscribeConfig(model="demo").deciding()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "aramega.db").write_text("rows")
    assert TranscribeConfig(model="demo").deciding() == before
    assert TranscribeConfig(model="faster-whisper:demo").deciding()["model"].startswith("faster-whisper:sha256:")


def test_a_folder_too_large_for_a_model_is_refused_and_not_read_through() -> None:
    with pytest.raises(AramegaError, match="Name the model's own folder"):
        content_key("/")
