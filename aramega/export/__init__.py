"""Export: segments and passages as the manifests that neighbouring tools read.

A format is a pure function from one recording's contents to the text of its lines; where that text goes,
one file for the set or one per recording, is said beside it in `FORMATS`, to which plugins may add. One
recording is in memory at a time, in the order of their ids, so that two exports of the same workspace are the
same bytes.

Text is what people settled, else what was drafted, or comes from `text_of`. Before there is a transcript
the formats that must show something show the segment's id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import cast

from aramega.export.audacity import audacity_labels
from aramega.export.contents import TextOf, Unit, no_text, read_contents
from aramega.export.ctm import ctm_lines
from aramega.export.files import FilePerRecording, Format, WholeSet
from aramega.export.jsonl import json_records
from aramega.export.lhotse import lhotse_recordings, lhotse_supervisions
from aramega.export.nemo import nemo_entries
from aramega.export.rttm import rttm_lines
from aramega.export.srt import srt_cues
from aramega.export.textgrid import textgrid
from aramega.plugins import find_plugins
from aramega.records import AramegaError
from aramega.store import Store
from aramega.workspace import WorkspaceFolder

__all__ = ["FORMATS", "TextOf", "Unit", "export", "format_names", "no_text"]

FORMATS: Mapping[str, Format] = {
    "jsonl": WholeSet({"{unit}.jsonl": json_records}, units=("passages", "segments")),
    "rttm": WholeSet({"{unit}.rttm": rttm_lines}, units=("segments", "passages")),
    "ctm": WholeSet({"words.ctm": lambda contents, _: ctm_lines(contents)}, units=()),
    "textgrid": FilePerRecording(".TextGrid", lambda contents, _: textgrid(contents), units=()),
    "srt": FilePerRecording(".srt", srt_cues, units=("segments", "passages")),
    "audacity": FilePerRecording(".txt", audacity_labels, units=("segments", "passages")),
    "lhotse": WholeSet(
        {
            "recordings.jsonl.gz": lambda contents, _: lhotse_recordings(contents),
            "supervisions.jsonl.gz": lhotse_supervisions,
        },
        units=("segments", "passages"),
    ),
    "nemo": WholeSet({"{unit}.json": nemo_entries}, units=("passages", "segments")),
}


def export(
    store: Store,
    workspace: WorkspaceFolder,
    format: str,
    out: Path,
    *,
    unit: str | None = None,
    text_of: TextOf | None = None,
) -> list[Path]:
    """Write what `store` holds into the folder `out`, and name the files written.

    `unit` is what one line, label or cue stands for; without it, what suits the format. A format of one
    file may also be given that file's name as `out`.
    """
    writer = find_format(format)
    chosen = _choose_unit(writer, format, unit)
    with store.snapshot():
        contents = read_contents(store, workspace, text_of)
        first = next(contents, None)
        if first is None:
            raise AramegaError(
                f"{workspace.root}: nothing to export, for no recording has been segmented yet. "
                "`aramega build-ssum` does that; `aramega status` says how far it is."
            )
        return list(writer.write(chain([first], contents), out, chosen))


def format_names() -> list[str]:
    """Ours and the plugins'."""
    return [*FORMATS, *find_plugins("exports")]


def find_format(name: str) -> Format:
    """One of ours, or a plugin's."""
    if name in FORMATS:
        return FORMATS[name]
    chosen = _checked_name(name, format_names(), "format")
    return cast(Format, find_plugins("exports")[chosen].load())


def _choose_unit(writer: Format, format: str, unit: str | None) -> Unit:
    if unit is None:
        return writer.units[0] if writer.units else "segments"
    chosen = _checked_name(unit, ("passages", "segments"), "unit")
    for allowed in writer.units:
        if allowed == chosen:
            return allowed
    raise AramegaError(f"{format} holds segments and passages side by side: leave the unit out.")


def _checked_name(name: str, names: Iterable[str], what: str) -> str:
    if name in names:
        return name
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise AramegaError(f"{name!r} is not a {what} of export.{hint} There are: {', '.join(names)}.")
