"""A real Whisper on real Arabic sound, where the environment names both: see CONTRIBUTING."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
import soundfile

from aramega.backends.asr.by_name import make_recognizer
from aramega.config import TranscribeConfig
from aramega.text import wer

MODEL, SOUND = os.environ.get("ARAMEGA_REAL_WHISPER", ""), os.environ.get("ARAMEGA_REAL_SOUND", "")

pytestmark = pytest.mark.skipif(not (MODEL and SOUND), reason="ARAMEGA_REAL_WHISPER and ARAMEGA_REAL_SOUND name none")


def test_most_words_of_a_read_prayer_are_heard_at_once() -> None:
    pytest.importorskip("faster_whisper")
    with (Path(SOUND) / "index.csv").open(encoding="utf-8") as table:
        prayers = [r for r in csv.DictReader(table) if r["set"] == "adhkar_hisn" and 19 < float(r["seconds"]) < 29]
    some = prayers[:2]
    recognizer = make_recognizer(TranscribeConfig(model=f"faster-whisper:{MODEL}", device="cpu", threads=1))
    recognizer.load()
    heard = recognizer.recognize([soundfile.read(Path(SOUND) / r["path"], dtype="float32")[0] for r in some])
    assert wer([r["text"] for r in some], [h.text for h in heard]) < 0.6
    assert all(h.temperature == 0 and h.compression_ratio < 2.4 for h in heard)
