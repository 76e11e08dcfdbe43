"""yt-dlp's info.json beside a recording: what it gives, and that nothing in it can do harm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aramega.config import Config
from aramega.errors import AramegaError
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources
from aramega.records import Metadata, Source
from aramega.sidecars import read_info_json, with_sidecar
from aramega.sources import find_sources
from aramega.store import Store
from aramega.store.sources import list_sources
from aramega.workspace import WorkspaceFolder

INFO: dict[str, Any] = {
    "_type": "video",
    "title": "نشرة الثامنة",
    "channel": "القناة الأولى",
    "uploader": "someone",
    "upload_date": "20240301",
    "webpage_url": "https://example.org/watch?v=1",
    "formats": [{"url": "https://cdn.example.org/a"}],
}
TOLD = Metadata(title="نشرة الثامنة", channel="القناة الأولى", date="2024-03-01", url="https://example.org/watch?v=1")


def write(folder: Path, info: object, name: str = "news") -> Path:
    path = folder / f"{name}.info.json"
    path.write_text(json.dumps(info), encoding="utf-8")
    return path


def added(folder: Path, *named: Path) -> tuple[dict[str, Metadata], list[str]]:
    """What a workspace knows of its sources after these were named, and the notes."""
    place = WorkspaceFolder(folder / "ws")
    place.root.mkdir(exist_ok=True)
    with Store.create_or_open(place) as store:
        names = [str(n) for n in named]
        notes = add_sources(store, Pipeline.from_config(Config(), place), names, find_sources(names, ["mp3"]))
        return {Path(source.path).name: source.metadata for source in list_sources(store)}, notes


def test_title_channel_date_and_address_come_from_the_info_json_beside_a_recording(tmp_path: Path) -> None:
    (tmp_path / "news.mp3").touch()
    write(tmp_path, INFO)
    assert added(tmp_path, tmp_path) == ({"news.mp3": TOLD}, [])


def test_a_manifest_goes_before_it_column_by_column_and_in_later_runs_too(tmp_path: Path) -> None:
    (tmp_path / "news.mp3").touch()
    write(tmp_path, INFO)
    (tmp_path / "m.csv").write_text("path,title,licence\nnews.mp3,ours,CC0-1.0\n", encoding="utf-8")
    both = Metadata("ours", channel=TOLD.channel, date=TOLD.date, url=TOLD.url, licence="CC0-1.0")
    assert added(tmp_path, tmp_path / "m.csv")[0] == {"news.mp3": both}
    assert added(tmp_path, tmp_path)[0] == {"news.mp3": both}, "named again without the manifest"


def test_it_may_come_after_the_recording(tmp_path: Path) -> None:
    (tmp_path / "news.mp3").touch()
    assert added(tmp_path, tmp_path)[0] == {"news.mp3": Metadata()}
    write(tmp_path, INFO)
    assert added(tmp_path, tmp_path)[0] == {"news.mp3": TOLD}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{]", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[1]", "a JSON object"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ],
)
def test_one_that_is_broken_is_one_note_and_no_failure(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "news.mp3").touch()
    (tmp_path / "news.info.json").write_bytes(content)
    metadata, [note] = added(tmp_path, tmp_path)
    assert metadata == {"news.mp3": Metadata()}
    assert note.startswith(str(tmp_path / "news.info.json"))
    assert why in note


def test_one_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "news.info.json").open("wb") as file:
        file.truncate(65_000_000)
    with pytest.raises(AramegaError, match="65 MB are too much"):
        with_sidecar(Source(str(tmp_path / "news.mp3")))


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({"title": ["x"], "channel": 3, "upload_date": 20240301, "webpage_url": None}, Metadata()),
        ({"title": "a\x1b]0;owned\x07\nb\u202ec"}, Metadata(title="a]0;owned bc")),
        ({"title": "می\u200cخواهم"}, Metadata(title="می\u200cخواهم")),
        ({"title": "\ud83d news"}, Metadata(title="news")),
        ({"title": "\u202e", "fulltitle": "نشرة"}, Metadata(title="نشرة")),
        ({"title": "x" * 1_000_000}, Metadata(title="x" * 500)),
        ({"upload_date": "20241399"}, Metadata()),
        ({"upload_date": "٢٠٢٤٠٣٠١"}, Metadata()),
        ({"webpage_url": "javascript:alert(1)"}, Metadata()),
        ({"webpage_url": "file:///etc/passwd"}, Metadata()),
        ({"webpage_url": "https://me:secret@example.org/"}, Metadata()),
        ({"webpage_url": "https://[oops"}, Metadata()),
        ({"webpage_url": "https://example.org/a\nb"}, Metadata()),
        ({"transcript": "/etc/passwd", "licence": "CC0-1.0"}, Metadata()),
    ],
)
def test_a_value_is_taken_only_if_it_is_what_it_should_be(
    tmp_path: Path, info: Mapping[str, object], told: Metadata
) -> None:
    assert read_info_json(write(tmp_path, info)) == told
