"""What a curator may name: files, folders, globs, manifests; and what happens to what is not there."""

from pathlib import Path

import pytest

from aramega.records import AramegaError, Metadata, Source
from aramega.sources import Problem, find_sources

AUDIO = ("mp3", "wav")


def found(*named: object) -> list[Source | Problem]:
    return list(find_sources([str(n) for n in named], AUDIO))


def names(*named: object) -> list[str]:
    return [Path(s.path).name for s in found(*named) if isinstance(s, Source)]


def test_a_folder_is_searched_through_for_recordings_only(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.mp3", "notes.txt", "deep/er/a.WAV", ".hidden.mp3", "cover.jpg"):
        (tmp_path / name).touch()
    assert names(tmp_path) == ["b.mp3", "a.WAV"]


def test_a_file_named_by_itself_is_taken_whatever_its_extension(tmp_path: Path) -> None:
    (tmp_path / "news.bin").touch()
    assert names(tmp_path / "news.bin") == ["news.bin"]


def test_a_glob_that_the_shell_did_not_expand_is_expanded(tmp_path: Path) -> None:
    for name in ("a1.mp3", "a2.mp3", "b1.mp3"):
        (tmp_path / name).touch()
    assert names(tmp_path / "a*.mp3") == ["a1.mp3", "a2.mp3"]


def test_a_file_whose_name_holds_glob_characters_is_that_file(tmp_path: Path) -> None:
    for name in ("take[1].mp3", "take1.mp3"):
        (tmp_path / name).touch()
    assert names(tmp_path / "take[1].mp3") == ["take[1].mp3"]


def test_another_builds_workspace_inside_the_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "ws" / "clips").mkdir(parents=True)
    (tmp_path / "ws" / "aramega.db").touch()
    (tmp_path / "ws" / "clips" / "c.wav").touch()
    (tmp_path / "a.mp3").touch()
    assert names(tmp_path) == ["a.mp3"]


def test_the_same_file_named_twice_is_one_source(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    assert names(tmp_path, tmp_path / "a.mp3") == ["a.mp3"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.csv", "path,title,licence,mood\na.mp3,نشرة الأخبار,CC-BY-4.0,happy\n"),
        ("m.tsv", "File\tTitle\tLicense\na.mp3\tنشرة الأخبار\tCC-BY-4.0\n"),
        ("m.jsonl", '{"audio_filepath": "a.mp3", "title": "نشرة الأخبار", "license": "CC-BY-4.0", "duration": 3}\n'),
    ],
)
def test_a_manifests_columns_travel_with_its_files(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert found(tmp_path / name) == [
        Source(str(tmp_path / "a.mp3"), Metadata(title="نشرة الأخبار", licence="CC-BY-4.0"))
    ]


def test_a_text_manifest_is_a_path_a_line_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    (tmp_path / "m.txt").write_text("# two files\na.mp3\n\n/elsewhere/b.mp3\n", encoding="utf-8")
    assert [s.path for s in found(tmp_path / "m.txt") if isinstance(s, Source)] == sorted(
        [str(tmp_path / "a.mp3"), "/elsewhere/b.mp3"]
    )


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("m.csv", "path,title\n,no file\n", 2, "no file is named"),
        ("m.jsonl", '{"path": "a.mp3"\n', 1, "not valid JSON"),
        ("m.jsonl", "[1, 2]\n", 1, "not a JSON object"),
        ("m.jsonl", '{"path": "https://example.org/a.mp3"}\n', 1, "download it first"),
    ],
)
def test_a_bad_row_is_a_problem_that_names_its_line(tmp_path: Path, name: str, text: str, line: int, why: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    [problem] = found(tmp_path / name)
    assert isinstance(problem, Problem)
    assert problem.where == f"{tmp_path / name}:{line}"
    assert why in problem.why


def test_a_manifest_without_a_path_column_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("title,url\nx,y\n")
    with pytest.raises(AramegaError, match=r"no column `path` \(found: title, url\)"):
        found(tmp_path / "m.csv")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("https://example.org/news.mp3", "download it first"),
        ("/no/such/folder", "no such file or folder"),
        ("/no/such/*.mp3", "nothing matches it"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_starts(name: str, why: str) -> None:
    with pytest.raises(AramegaError, match=why):
        found(name)


def test_a_name_that_is_not_utf8_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    bad = bytes(tmp_path) + b"/caf\xe9.mp3"
    with open(bad, "wb"):
        pass
    [problem] = found(tmp_path)
    assert isinstance(problem, Problem)
    assert "not UTF-8" in problem.why


def test_a_text_file_that_is_no_list_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("These recordings\nwere made in 2024.\n")
    with pytest.raises(AramegaError, match="no line of it names a file that is there"):
        found(tmp_path / "readme.txt")


def test_a_stray_quote_is_a_problem_and_never_swallows_rows_in_silence(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text('path,title\na.mp3,"stray\nb.mp3,second\n')
    assert any(isinstance(one, Problem) and "not valid CSV" in one.why for one in found(tmp_path / "m.csv"))


def test_a_field_too_large_costs_its_row_and_not_those_after_it(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"path,title\na.mp3,{'x' * 200_000}\nb.mp3,second\n")
    problem, source = found(tmp_path / "m.csv")
    assert isinstance(problem, Problem)
    assert source == Source(str(tmp_path / "b.mp3"), Metadata(title="second"))


@pytest.mark.parametrize("character", ["\u2028", "\x0b", "\x85"])
def test_only_newlines_end_a_row(tmp_path: Path, character: str) -> None:
    (tmp_path / "m.csv").write_text(f"path,title\na.mp3,one{character}two\n", encoding="utf-8")
    assert found(tmp_path / "m.csv") == [Source(str(tmp_path / "a.mp3"), Metadata(title=f"one{character}two"))]


def test_half_a_character_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text('{"path": "a.mp3", "title": "x\\ud83d"}\n{"n": ' + "9" * 5000 + "}\n")
    assert [type(one) for one in found(tmp_path / "m.jsonl")] == [Problem, Problem]


def test_naming_the_folder_as_well_loses_no_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    (tmp_path / "m.csv").write_text("path,title\na.mp3,x\n")
    assert found(tmp_path / "m.csv", tmp_path) == [Source(str(tmp_path / "a.mp3"), Metadata(title="x"))]


def test_a_column_with_a_slip_in_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,tittle\na.mp3,x\n")
    with pytest.raises(AramegaError, match="column `tittle`: did you mean `title`"):
        found(tmp_path / "m.csv")


def test_semicolons_are_named_as_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path;title\na.mp3;x\n")
    with pytest.raises(AramegaError, match="separated by commas"):
        found(tmp_path / "m.csv")


def test_a_workspace_is_no_folder_of_recordings(tmp_path: Path) -> None:
    (tmp_path / "aramega.db").touch()
    with pytest.raises(AramegaError, match="Did you mean --workspace"):
        found(tmp_path)


def test_linked_folders_are_searched_and_circles_end(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp3").touch()
    (tmp_path / "real" / "back").symlink_to(tmp_path / "real")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "real")
    assert names(tmp_path / "in") == ["a.mp3"]


def test_a_globbed_folder_whose_own_name_looks_like_a_glob_is_searched(tmp_path: Path) -> None:
    (tmp_path / "show [2024]").mkdir()
    (tmp_path / "show [2024]" / "a.mp3").touch()
    assert names(tmp_path / "show*") == ["a.mp3"]


def test_a_line_longer_than_any_file_name_names_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    (tmp_path / "m.txt").write_text("x" * 5000 + "\na.mp3\n")
    assert {Path(s.path).name for s in found(tmp_path / "m.txt") if isinstance(s, Source)} == {"a.mp3", "x" * 5000}


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("m.csv", 'path,"title"x\na.mp3,y\n', "its first line, which must name the columns, is not valid CSV"),
        ("m.csv", "\x1b]0;owned\x07,title\na.mp3,y\n", r"found: ␛\]0;owned␇, title"),
        ("m.csv", "x" * 100_000 + ",title\na.mp3,y\n", "…"),
        ("m.tsv", 'path\t"title"x\na.mp3\ty\n', r"'␉' expected after"),
    ],
)
def test_what_a_manifest_holds_never_reaches_a_terminal_as_it_is(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AramegaError, match=why) as caught:
        found(tmp_path / name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
