"""Ranges: a recording that several workers hear is the recording that one hears, to the last bit."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aramega.audio.decode import Probe, probe
from aramega.audio.frames import BLOCK, CHUNK_BLOCKS
from aramega.config import IngestConfig
from aramega.records import Recording, Source
from aramega.stages.base import Pieces
from aramega.stages.ingest import Ingest
from aramega.stages.ranges import plan_ranges
from aramega.workspace import WorkspaceFolder

KINDS = {
    "wav": ["-c:a", "pcm_s16le"],
    "flac": [],
    "mp3": ["-b:a", "48k"],
}
CHUNK = CHUNK_BLOCKS * BLOCK / 16_000


@pytest.fixture(scope="module")
def twenty_minutes(broadcast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """At another rate than ours, so that the resampler has a say."""
    made = tmp_path_factory.mktemp("long") / "long.wav"
    cut = [
        "ffmpeg",
        "-v",
        "error",
        "-stream_loop",
        "-1",
        "-i",
        str(broadcast),
        "-t",
        "1215.3",
        "-ar",
        "22050",
        str(made),
    ]
    subprocess.run(cut, check=True)
    return made


def as_kind(recording: Path, kind: str) -> Path:
    made = recording.with_name(f"{recording.stem}-made.{kind}")
    if not made.exists():
        how = KINDS.get(kind, ["-ar", "8000"])
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(recording), *how, str(made)], check=True)
    return made


def in_one_pass(path: Path, workspace: Path) -> tuple[list[Recording], bytes, bytes]:
    stage = Ingest(IngestConfig(), WorkspaceFolder(workspace))
    return kept(stage, stage.run(Source(str(path))))


def in_ranges(path: Path, workspace: Path) -> tuple[Ingest, list[list[object]]]:
    stage = Ingest(IngestConfig(range_minutes=10), WorkspaceFolder(workspace))
    divided = stage.divide(Source(str(path)), workers=2)
    assert isinstance(divided, Pieces)
    return stage, [list(stage.run_piece(Source(str(path)), piece)) for piece in divided.pieces]


def kept(stage: Ingest, records: list[Recording]) -> tuple[list[Recording], bytes, bytes]:
    """The records, and the files that go with them."""
    (recording,) = records
    frames = stage.workspace.frames(recording.id).read_bytes()
    return records, frames, stage.workspace.audio(recording.id, 0).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_recording_heard_in_ranges_is_the_same_to_the_last_bit(
    twenty_minutes: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_kind(twenty_minutes, kind)
    stage, answers = in_ranges(path, tmp_path / "ranges")
    assert len(answers) == 2
    monkeypatch.setattr(stage, "_alone", lambda _: pytest.fail("a seam showed"))
    assert kept(stage, stage.join(Source(str(path)), answers)) == in_one_pass(path, tmp_path / "one")
    assert not list((tmp_path / "ranges").rglob("*.part"))


def test_where_a_seam_shows_the_recording_is_heard_in_one_pass(twenty_minutes: Path, tmp_path: Path) -> None:
    """Samples that were decoded otherwise after a seek, and a range that ends too early."""
    expected = in_one_pass(twenty_minutes, tmp_path / "one")
    for spoilt in (0, 1):
        stage, answers = in_ranges(twenty_minutes, tmp_path / f"{spoilt}")
        (heard,) = answers[spoilt]
        answers[spoilt] = [
            replace(heard, digests={**heard.digests, heard.range.first: "other"})
            if spoilt
            else replace(heard, stretch=replace(heard.stretch, samples=heard.stretch.samples - 1))
        ]
        assert kept(stage, stage.join(Source(str(twenty_minutes)), answers)) == expected
        assert not list((tmp_path / f"{spoilt}").rglob("*.part"))


def test_samples_that_another_machine_wrote_elsewhere_are_not_taken_for_ours(
    twenty_minutes: Path, tmp_path: Path
) -> None:
    stage, answers = in_ranges(twenty_minutes, tmp_path / "news")
    scratch = answers[0][0].range.scratch
    with scratch.open("r+b") as file:
        file.seek(round(2 * CHUNK * 16_000))
        file.write(bytes(2 * BLOCK))  # as a hole reads
    (recording,) = stage.join(Source(str(twenty_minutes)), answers)
    assert stage.workspace.frames(recording.id).read_bytes() == in_one_pass(twenty_minutes, tmp_path / "one")[1]
    assert not stage.workspace.audio(recording.id, 0).exists()
    assert not scratch.exists()


def test_what_is_not_the_same_after_a_seek_is_not_shared(twenty_minutes: Path) -> None:
    assert len(plan_ranges(probe(str(as_kind(twenty_minutes, "mp3"))), 2, 10)) == 2
    assert plan_ranges(probe(str(as_kind(twenty_minutes, "m4a"))), 2, 10) == [(0, None)]


@pytest.mark.parametrize(
    ("hours", "workers", "minutes", "count"),
    [(10, 2, 60, 4), (10, 16, 60, 10), (10, 1, 60, 1), (10, 4, 0, 1), (1.9, 4, 60, 1), (0.5, 4, 5, 3), (0, 4, 60, 1)],
)
def test_ranges_are_whole_chunks_and_no_more_than_twice_the_workers(
    hours: float, workers: int, minutes: float, count: int
) -> None:
    found = Probe("wav", "pcm_s16le", 16_000, 1, hours * 3600, seconds_are_a_guess=False, holds_floats=False)
    ranges = plan_ranges(found, workers, minutes)
    assert len(ranges) == count
    assert [a for a, _ in ranges] == [0, *(b for _, b in ranges[:-1])]
    assert ranges[-1][1] is None
    assert all(a % CHUNK_BLOCKS == 0 for a, _ in ranges)
    assert all(b > a for a, b in ranges[:-1] if b is not None)


@pytest.fixture(scope="module")
def inverted_in_the_middle(twenty_minutes: Path) -> Path:
    """Stereo, and from 599.3 s to 640.1 s, over the border between ranges, one channel is the other upside down."""
    made = twenty_minutes.with_name("inverted.wav")
    turn = "aeval=val(0)|val(0)*if(between(t\\,599.3\\,640.1)\\,-1\\,1):channel_layout=stereo"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(twenty_minutes), "-af", turn, str(made)], check=True)
    return made


@pytest.mark.parametrize("kind", ["flac", "mp3"])
def test_stereo_whose_phase_changes_midway_is_the_same_in_ranges_and_as_loud_as_the_mono_it_was(
    twenty_minutes: Path, inverted_in_the_middle: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = as_kind(inverted_in_the_middle, kind)
    stage, answers = in_ranges(path, tmp_path / "ranges")
    monkeypatch.setattr(stage, "_alone", lambda *_: pytest.fail("a seam showed"))
    records, frames, samples = kept(stage, stage.join(Source(str(path)), answers))
    assert (records, frames, samples) == in_one_pass(path, tmp_path / "one")
    assert (records[0].channel_layout, records[0].downmix) == ("partly inverted", "mean")
    mono = np.frombuffer(in_one_pass(twenty_minutes, tmp_path / "mono")[2], "<i2").astype(float)
    ours = np.frombuffer(samples, "<i2").astype(float)
    turned = slice(600 * 16_000, 640 * 16_000)
    assert np.std(ours[turned]) == pytest.approx(np.std(mono[turned]), rel=0.05)


def test_two_programmes_in_ranges_are_heard_again_by_one_worker_and_the_choice_is_the_same(
    twenty_minutes: Path, tmp_path: Path
) -> None:
    made = tmp_path / "two.flac"
    delay = "asplit[a][b];[b]adelay=37000[c];[a][c]join=channel_layout=stereo"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(twenty_minutes), "-filter_complex", delay, "-t", "1215", str(made)],
        check=True,
    )
    stage, answers = in_ranges(made, tmp_path / "ranges")
    shared = kept(stage, stage.join(Source(str(made)), answers))
    assert shared == in_one_pass(made, tmp_path / "one")
    assert (shared[0][0].channel_layout, shared[0][0].downmix) == ("two programmes", "left")
