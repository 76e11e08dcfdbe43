"""Bad input: each kind gets one clear line with the file's name, the others go on, nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aramega.store import Store
from aramega.store.recordings import list_recordings, load_segmented
from aramega.store.sources import list_sources
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run, Said


@pytest.fixture
def folder(tmp_path: Path, short_broadcast: Path) -> Path:
    """A folder with one good recording: whatever lies beside it, it must come through."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.wav").write_bytes(short_broadcast.read_bytes())
    return folder


@pytest.fixture
def build(aramega: Run, folder: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    def run(*more: str) -> Said:
        return aramega("build-ssum", folder, "-w", tmp_path / "ws", "--workers", "1", *more)

    return run


def recordings(tmp_path: Path) -> dict[str, object]:
    with Store.open(WorkspaceFolder(tmp_path / "ws")) as store:
        return {r.name: r for r in list_recordings(store)}


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def assert_refused(said: Said, tmp_path: Path, name: str, reason: str) -> None:
    """Exit code 3, one line that names the file and the reason, no traceback, and the good one done."""
    assert said.code == 3, said
    [line] = [line for line in said.out.splitlines() if line.startswith("failed:")]
    assert name in line
    assert reason in line
    assert "Traceback" not in said.out + said.err
    assert "good.wav" in recordings(tmp_path)


def make_empty(path: Path) -> None:
    path.touch()


def make_text(path: Path) -> None:
    path.write_text("هذا نص وليس صوتا\n" * 200, encoding="utf-8")


def make_silent_video(path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=1:size=64x64", path)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.mp3")


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100_000_000_000)


def make_endless_wav(path: Path) -> None:
    """Thirty hours of silence, at a rate so low that they fit in a test."""
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=50:cl=mono", "-t", "108000", "-c:a", "pcm_u8", path)


def make_slow_wav(path: Path) -> None:
    """A second and a half of speech whose header says that it was sampled once a second."""
    ffmpeg("-f", "lavfi", "-i", "sine=duration=2:sample_rate=16000", path)
    content = bytearray(path.read_bytes())
    content[24:28] = (1).to_bytes(4, "little")
    path.write_bytes(content)


def make_broken_mp4(path: Path) -> None:
    """Cut before its index, which mp4 keeps at the end: nothing can be read."""
    whole = path.with_name("whole.tmp")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=5", "-f", "mp4", whole)
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    whole.unlink()


def make_playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("empty.mp3", make_empty, "an empty file"),
        ("text.mp3", make_text, "not a readable audio or video file"),
        ("mute.mp4", make_silent_video, "no audio stream (found: 1 video)"),
        ("link.mp3", make_dangling_link, "a link to a file that is not there"),
        ("sparse.mp3", make_sparse, "a sparse file"),
        ("endless.wav", make_endless_wav, "30.0 hours long or more; ingest.max_hours is 24"),
        ("slow.wav", make_slow_wav, "its header says 1 samples a second"),
        ("broken.mp4", make_broken_mp4, "moov atom not found"),
        ("list.ts", make_playlist, "not a"),
        ("pipe.mp3", make_fifo, "not a regular file"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(
    build,
    folder: Path,
    tmp_path: Path,
    name: str,
    make,
    reason: str,  # type: ignore[no-untyped-def]
) -> None:
    make(folder / name)
    assert_refused(build(), tmp_path, name, reason)


def test_an_mp3_cut_off_in_the_middle_keeps_what_decodes_and_is_marked(  # type: ignore[no-untyped-def]
    build, folder: Path, tmp_path: Path, broadcast: Path
) -> None:
    content = broadcast.read_bytes()
    (folder / "cut.mp3").write_bytes(content[: len(content) // 2])
    assert build().code == 0
    cut = recordings(tmp_path)["cut.mp3"]
    assert cut.truncated  # type: ignore[attr-defined]
    assert "before its header says" in cut.note  # type: ignore[attr-defined]
    assert 110 < cut.seconds < 140  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("narrow.wav", ["-ar", "8000"]),
        ("wide.wav", ["-ar", "192000"]),
        ("eight.flac", ["-ac", "8"]),
        ("news.m4a", []),
        ("news.opus", []),
        ("news.wma", []),
        ("news.mkv", ["-c:a", "aac"]),
        ("news.ts", ["-c:a", "aac"]),
    ],
)
def test_any_rate_channel_layout_and_container_gives_the_same_speech(  # type: ignore[no-untyped-def]
    build, folder: Path, tmp_path: Path, short_broadcast: Path, name: str, options: list[str]
) -> None:
    ffmpeg("-i", short_broadcast, *options, folder / name)
    assert build().code == 0
    good, other = recordings(tmp_path)["good.wav"], recordings(tmp_path)[name]
    assert abs(other.seconds - good.seconds) < 0.2  # type: ignore[attr-defined]
    with Store.open(WorkspaceFolder(tmp_path / "ws")) as store:
        speech = {r.name: sum(s.seconds for s in load_segmented(store, r.id).segments) for r in list_recordings(store)}
    assert abs(speech[name] - speech["good.wav"]) < 0.1 * speech["good.wav"]


def test_samples_that_are_not_numbers_become_silence_and_are_counted(  # type: ignore[no-untyped-def]
    build, folder: Path, tmp_path: Path, short_broadcast: Path
) -> None:
    samples, rate = soundfile.read(short_broadcast, dtype="float32")
    samples[5 * rate : 6 * rate] = np.nan
    soundfile.write(folder / "nan.wav", samples, rate, subtype="FLOAT")
    assert build().code == 0
    nan = recordings(tmp_path)["nan.wav"]
    assert nan.measures.nonfinite_samples == rate  # type: ignore[attr-defined]
    assert "not numbers" in nan.note  # type: ignore[attr-defined]


def test_silence_and_a_fifth_of_a_second_give_no_passage_and_say_why(
    build, folder: Path, tmp_path: Path, aramega: Run
) -> None:  # type: ignore[no-untyped-def]
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:d=20", folder / "silence.wav")
    ffmpeg("-i", folder / "good.wav", "-t", "0.2", folder / "blink.wav")
    assert build().code == 0
    said = aramega("status", tmp_path / "ws").out
    for name in ("silence.wav", "blink.wav"):
        assert [line for line in said.splitlines() if name in line], said


@pytest.mark.parametrize(
    "name", ["two words.wav", "نشرة الأخبار.wav", "line\nbreak.wav", "-y.wav", "x" * 246 + ".wav", "a'b\"c;d|e.wav"]
)
def test_any_name_the_file_system_allows_is_a_good_name(build, folder: Path, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    (folder / "good.wav").rename(folder / name)
    said = build()
    assert said.code == 0, said
    assert list(recordings(tmp_path)) == [name]


def test_the_same_file_under_two_names_is_one_recording(build, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (folder / "again.wav").write_bytes((folder / "good.wav").read_bytes())
    assert build().code == 0
    assert list(recordings(tmp_path)) == ["again.wav"], "known by the first of its names"
    with Store.open(WorkspaceFolder(tmp_path / "ws")) as store:
        assert len(list(list_sources(store))) == 2


def test_a_manifest_row_without_a_file_is_a_failure_and_the_rest_goes_on(  # type: ignore[no-untyped-def]
    aramega: Run, folder: Path, tmp_path: Path
) -> None:
    manifest = folder / "list.csv"
    manifest.write_text("path,title\ngood.wav,نشرة\nmissing.wav,x\n,y\n", encoding="utf-8")
    said = aramega("build-ssum", manifest, "-w", tmp_path / "ws", "--workers", "1")
    assert said.code == 3
    failed = [line for line in said.out.splitlines() if line.startswith("failed:")]
    assert any("missing.wav: no such file" in line for line in failed)
    assert any("list.csv:4: no file is named" in line for line in failed)
    assert recordings(tmp_path)["good.wav"].metadata.title == "نشرة"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[passages]\nmaximum_seconds = 3\n", "did you mean `max_seconds`?"),
        ("[passages]\nmin_seconds = 130\n", "min_seconds (130) is greater than max_seconds (120)"),
    ],
)
def test_a_bad_configuration_stops_the_build_before_it_starts(  # type: ignore[no-untyped-def]
    build, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    said = build("--config", str(tmp_path / "bad.toml"))
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / "ws").exists()


def test_a_full_disk_fails_the_item_and_a_later_run_completes_it(  # type: ignore[no-untyped-def]
    aramega: Run, folder: Path, tmp_path: Path
) -> None:
    """A file system of our own, too small for the decoded samples; it needs root or user namespaces."""
    small = tmp_path / "small"
    small.mkdir()
    ffmpeg("-stream_loop", "9", "-i", folder / "good.wav", folder / "long.wav")
    script = (
        f"mount -t tmpfs -o size=6m none {small} && "
        f"python -m aramega build-ssum {folder} -w {small}/ws --workers 1; code=$?; "
        f"mount -o remount,size=200m {small}; python -m aramega build-ssum -w {small}/ws --workers 1 --retry-failed; "
        f"echo codes $code $?; ls {small}/ws/scratch 2>/dev/null"
    )
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot make a small file system here: neither root nor user namespaces")
    environment = {**os.environ, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"}  # type: ignore[attr-defined]
    done = subprocess.run([*unshare, "sh", "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert "long.wav: the disk is full" in done.stdout, done
    assert "codes 3 0" in done.stdout, done
    assert "2 recordings" in done.stdout


def test_failures_are_machine_readable_too(build, folder: Path) -> None:  # type: ignore[no-untyped-def]
    make_empty(folder / "empty.mp3")
    events = [json.loads(line) for line in build("--json").out.splitlines()]
    assert [e["event"] for e in events if e["event"] == "failed"] == ["failed"]
    assert events[-1]["event"] == "summary"
    assert events[-1]["failed"] == 1


def test_what_failed_is_left_alone_until_asked_for(build, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_empty(folder / "late.wav")
    assert build().code == 3
    assert build("--json").code == 3, "a failure stands until it is mended"
    (folder / "late.wav").write_bytes((folder / "good.wav").read_bytes()[:-2000])
    assert build().code == 0, "a file that changed is tried again by itself"
    assert set(recordings(tmp_path)) == {"good.wav", "late.wav"}
