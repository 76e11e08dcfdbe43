"""Previews: each passage gets a small copy that any browser plays, made once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Run


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "mp3"), ("ogg", "opus")])
def test_a_preview_is_as_long_as_its_clip_and_much_smaller(
    aramega: Run, tmp_path: Path, short_broadcast: Path, kind: str, codec: str
) -> None:
    aramega("build-ssum", short_broadcast, "-w", tmp_path, "--quiet")
    assert aramega("preview", tmp_path, "--format", kind).code == 0
    [clip, *_] = sorted(tmp_path.glob("clips/*/*/*.flac"))
    preview = tmp_path / "previews" / f"{clip.stem}.{kind}"
    assert preview.stat().st_size < clip.stat().st_size / 3
    assert sounds_like(preview)[0] == codec
    assert sounds_like(preview)[1] == pytest.approx(sounds_like(clip)[1], abs=0.1)
    made = preview.stat().st_mtime_ns
    aramega("preview", tmp_path, "--format", kind)
    assert preview.stat().st_mtime_ns == made


def test_another_format_is_refused_with_those_there_are(aramega: Run, tmp_path: Path) -> None:
    said = aramega("preview", tmp_path, "--format", "wav")
    assert said.code == 2
    assert "'mp3', 'ogg'" in said.err


def sounds_like(path: Path) -> tuple[str, float]:
    asked = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "json", str(path)]
    answer = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    return answer["streams"][0]["codec_name"], float(answer["format"]["duration"])
