"""Ingest and channels: what was listened to is in the record, and clips cut later are cut from the same."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aramega.audio.clips import read_samples
from aramega.config import IngestConfig
from aramega.monitor.notes import gather_notes
from aramega.records import Recording, SegmentedRecording, Source
from aramega.stages.audio import decoded_audio
from aramega.stages.ingest import Ingest
from aramega.store import Store
from aramega.store.recordings import list_passages, list_recordings
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run


def make(recording: Path, folder: Path, pan: str, *more: str) -> Path:
    path = folder / "made.flac"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(recording), *more]
    subprocess.run([*command, *(["-af", f"pan={pan}"] if pan else []), str(path)], check=True)
    return path


def ingested(path: Path, folder: Path, **options: object) -> tuple[Recording, WorkspaceFolder]:
    place = WorkspaceFolder(folder)
    [recording] = Ingest(IngestConfig.model_validate(options), place).run(Source(str(path)))
    assert isinstance(recording, Recording)
    return recording, place


PANS = {
    "mono|c0=c0": ("mono", "only"),
    "stereo|c0=c0|c1=c0": ("dual mono", "mean"),
    "stereo|c0=c0|c1=-1*c0": ("inverted", "mean"),
    "stereo|c0=c0|c1=0*c0": ("left only", "left"),
    "stereo|c0=0.01*c0|c1=c0": ("right only", "right"),
}


@pytest.mark.parametrize("pan", PANS)
def test_however_a_voice_lies_on_two_channels_it_is_heard_as_in_mono(
    short_broadcast: Path, tmp_path: Path, pan: str
) -> None:
    mono, there = ingested(short_broadcast, tmp_path / "mono")
    recording, place = ingested(make(short_broadcast, tmp_path, pan), tmp_path / "ws")
    assert (recording.channel_layout, recording.downmix) == PANS[pan]
    assert recording.measures.loudness_lufs == pytest.approx(mono.measures.loudness_lufs, abs=0.1)
    ours, theirs = (np.fromfile(w.audio(r.id, 0), "<i2").astype(int) for w, r in ((place, recording), (there, mono)))
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("pan", PANS)
def test_samples_that_are_decoded_again_for_clips_are_those_that_were_listened_to(
    short_broadcast: Path, tmp_path: Path, pan: str
) -> None:
    path = make(short_broadcast, tmp_path, pan)
    recording, place = ingested(path, tmp_path / "ws")
    audio = place.audio(recording.id, 0)
    first = audio.read_bytes()
    audio.unlink()
    again = decoded_audio(SegmentedRecording(recording, (str(path),)), place)
    assert again.read_bytes() == first
    assert len(read_samples(again, 1, 2)) == 16_000


def test_a_recording_of_an_older_version_is_cut_as_that_version_heard_it(short_broadcast: Path, tmp_path: Path) -> None:
    path = make(short_broadcast, tmp_path, "stereo|c0=c0|c1=0.5*c0")
    recording, place = ingested(path, tmp_path / "ws")
    place.audio(recording.id, 0).unlink()
    older = replace(recording, channel_layout="", downmix="")
    decoded = decoded_audio(SegmentedRecording(older, (str(path),)), place).read_bytes()
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    assert decoded == subprocess.run(command, capture_output=True, check=True).stdout


def test_of_music_on_one_channel_and_a_voice_on_the_other_the_voice_is_taken(
    short_broadcast: Path, tmp_path: Path
) -> None:
    path = tmp_path / "made.flac"
    wind = "anoisesrc=d=60:r=16000:a=0.3:c=pink,tremolo=f=0.3:d=0.95"
    merge = "[1:a][0:a]amerge=inputs=2"
    inputs = ["-i", str(short_broadcast), "-f", "lavfi", "-i", wind]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, "-filter_complex", merge, str(path)], check=True)
    recording, _ = ingested(path, tmp_path / "ws")
    assert (recording.channel_layout, recording.downmix) == ("two programmes", "right")
    asked, _ = ingested(path, tmp_path / "other", downmix="left")
    assert asked.downmix == "left"


def test_mono_that_an_older_version_ingested_is_not_decoded_again(
    short_broadcast: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, place = ingested(short_broadcast, tmp_path / "ws")
    beside = place.frames(now.id).with_suffix(".json")
    kept = json.loads(beside.read_text())
    kept["made_by"] = [2, {k: v for k, v in kept["made_by"][1].items() if k != "downmix"}]
    del kept["recording"]["channel_layout"], kept["recording"]["downmix"]
    beside.write_text(json.dumps(kept))
    monkeypatch.setattr(Ingest, "_hear", lambda *_: pytest.fail("decoded again"))
    assert ingested(short_broadcast, tmp_path / "ws")[0] == now


def test_status_and_report_say_what_was_done_about_channels(
    aramega: Run, short_broadcast: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    make(short_broadcast, tmp_path / "in", "stereo|c0=c0|c1=-1*c0").rename(tmp_path / "in" / "inverted.flac")
    make(short_broadcast, tmp_path / "in", "stereo|c0=c0|c1=0*c0").rename(tmp_path / "in" / "left.flac")
    (tmp_path / "in" / "mono.wav").write_bytes(short_broadcast.read_bytes())
    place = tmp_path / "ws"
    assert aramega("build-ssum", tmp_path / "in", "-w", place, "-q").code == 0
    with Store.open(WorkspaceFolder(place)) as store:
        assert {note.names: note.count for note in gather_notes(store)} == {("inverted.flac",): 1, ("left.flac",): 1}
        passages = {recording.name: len(list_passages(store, recording.id)) for recording in list_recordings(store)}
    assert passages == dict.fromkeys(("inverted.flac", "left.flac", "mono.wav"), passages["mono.wav"])
    assert passages["mono.wav"] > 0
    said = aramega("status", place).out
    assert "Channels: the channels are each other's inverse and would cancel; the second was turned over." in said
    assert aramega("report", place).code == 0
    assert "only the left channel holds anything; it was taken" in (place / "report.html").read_text(encoding="utf-8")
