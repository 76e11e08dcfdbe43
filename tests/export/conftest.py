"""A small workspace to export: two recordings of one name, seven segments, three passages, real clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aramega.export import export
from aramega.records import Metadata
from aramega.store import Store
from aramega.workspace import WorkspaceFolder
from tests.support.workspaces import (
    a_passage,
    a_recording,
    put_passages,
    put_recording,
    put_segments,
    segments_at,
    write_clip,
)

FIRST, SECOND = "1111aaaa2222bbbb", "3333cccc4444dddd"
NEWS = [(1.0, 9.5), (9.9, 20.123), (24.0, 30.5), (31.001, 44.0), (58.0, 59.0)]
INTERVIEW = [(0.3, 12.345), (12.9, 40.0)]

Exporting = Callable[..., list[Path]]


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    return WorkspaceFolder(tmp_path / "news")


@pytest.fixture
def store(workspace: WorkspaceFolder) -> Iterator[Store]:
    """The workspace's database, filled. The last segment of the news is in no passage."""
    with Store.create_or_open(workspace) as store:
        about = Metadata(title="نشرة الأخبار", speaker="سلمى حداد", dialect="MSA", licence="CC-BY-4.0")
        news, interview = a_recording(FIRST), a_recording(SECOND, seconds=45.5)
        for recording, times, runs in ((news, NEWS, [(0, 2), (2, 4)]), (interview, INTERVIEW, [(0, 2)])):
            segments = segments_at(recording.id, times)
            passages = [a_passage(workspace, segments[a:b]) for a, b in runs]
            put_recording(store, recording, about if recording is news else None)
            put_segments(store, recording, segments)
            put_passages(store, recording, passages)
            for passage in passages:
                write_clip(workspace, passage)
        yield store


@pytest.fixture
def exporting(store: Store, workspace: WorkspaceFolder, tmp_path: Path) -> Exporting:
    """`exporting("rttm")`: the files written from the small workspace, in a folder of their own."""

    def write(format: str, **options: object) -> list[Path]:
        return export(store, workspace, format, tmp_path / "out" / format, **options)  # type: ignore[arg-type]

    return write
