"""RTTM: where speech is, for scoring and diarization tools.

Fields are separated by spaces and lines by newlines, with no way to quote either, so the file and the
speaker go in as safe names. Who speaks is not known here: the name is the curator's, if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator

from aramega.export.contents import Contents, Unit, decimal, length
from aramega.export.names import safe_word


def rttm_lines(contents: Contents, unit: Unit) -> Iterator[str]:
    speaker = safe_word(contents.recording.metadata.speaker) or "speech"
    for stretch in contents.stretches(unit):
        times = f"{decimal(stretch.start)} {decimal(length(stretch))}"
        yield f"SPEAKER {contents.name} 1 {times} <NA> <NA> {speaker} <NA> <NA>\n"
