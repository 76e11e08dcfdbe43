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
        ("m.jsonl", '{"path": "https://example.org/a.mp3"}\n', 1, "does not fetch"),
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
