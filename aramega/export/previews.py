"""Previews: a small mp3 or Opus copy of each clip, for browsers, mail and phones.

Made on demand, and only where missing; several at once, since each waits for an encoder of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aramega.audio.clips import PreviewFormat, write_preview
from aramega.store import Store
from aramega.store.recordings import list_passages, list_recordings
from aramega.workspace import WorkspaceFolder


def write_previews(
    store: Store, workspace: WorkspaceFolder, out: Path, kind: PreviewFormat, *, workers: int
) -> Iterator[Path]:
    """Yield the preview of every passage, in order, as it is there; made now or before."""

    def make(clip: str) -> Path:
        preview = out / Path(clip).with_suffix(f".{kind}").name
        if not preview.exists():
            write_preview(workspace.root / clip, preview, kind)
        return preview

    with ThreadPoolExecutor(workers) as pool:
        for recording in list_recordings(store):
            yield from pool.map(make, [passage.clip for passage in list_passages(store, recording.id)])
