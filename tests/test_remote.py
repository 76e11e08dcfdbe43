"""Recordings and files in an object store: a real S3 server, by moto, and the same build as from a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aramega.errors import AramegaError
from aramega.labelstudio.local_server import free_port
from aramega.remote import checked_address, fetch, file_at, files_at, find_files, is_address, read, remove, send
from aramega.workspace import WorkspaceFolder, note_files
from tests.chaos.rude_s3 import BUCKET, Mood, RudeS3
from tests.maintenance.looking import every_byte, files, rows
from tests.support.cli import Run, command
from tests.support.loopback_hub import loopback_hub
from tests.support.recordings import cut

pytest.importorskip("moto")
pytest.importorskip("s3fs")


@pytest.fixture(scope="module")
def server() -> Iterator[RudeS3]:
    server = RudeS3()
    yield server
    server.close()


@pytest.fixture
def s3(server: RudeS3, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket that holds nothing yet; the address is in the environment, as a curator's would be."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    store = server.files()
    for file in store.find(BUCKET):
        store.rm_file(file)
    return store


@pytest.fixture(scope="module")
def archive(broadcast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings, what is no recording, and a hidden file."""
    folder = tmp_path_factory.mktemp("archive")
    for i, name in enumerate(("نشرة الأخبار.mp3", "b.wav")):
        cut(broadcast, i * 60, 50, folder / name)
    (folder / "notes.txt").write_text("no recording")
    (folder / ".hidden.mp3").write_bytes(b"")
    return folder


def put(s3: Any, archive: Path) -> str:
    for path in archive.iterdir():
        s3.put_file(str(path), f"{BUCKET}/news/2026/{path.name}")
    return f"s3://{BUCKET}/news"


@contextmanager
def rude(server: RudeS3, mood: Mood) -> Iterator[None]:
    """Until it has been so a few times."""
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(0.2) and server.rudenesses < 3:
            server.be_rude(mood)
        server.calm_down()

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    done.set()
    thread.join()


def heard(root: Path) -> dict[str, object]:
    """What a build made of its recordings, wherever they lay."""
    made = {table: rows(root)[table] for table in ("recordings", "timelines", "segments", "passages")}
    return {**made, **files(root)}


@pytest.fixture(scope="module")
def from_a_folder(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    from aramega.cli import run

    workspace = tmp_path_factory.mktemp("calm") / "news"
    assert run(["build-ssum", str(archive), "-w", str(workspace), "--quiet"]) == 0
    return heard(workspace)


def test_recordings_in_a_bucket_become_what_they_become_in_a_folder(
    aramega: Run, s3: Any, archive: Path, from_a_folder: dict[str, object], tmp_path: Path
) -> None:
    address = put(s3, archive)
    made = aramega("build-ssum", address, "-w", tmp_path / "news", "-n", 2)
    assert made.code == 0, made.err
    assert heard(tmp_path / "news") == from_a_folder
    assert not (tmp_path / "news" / "scratch").exists()
    again = aramega("build-ssum", address, "-w", tmp_path / "news", "--json")
    assert '"stage"' not in again.out


def test_a_store_in_trouble_is_asked_again(
    aramega: Run, server: RudeS3, s3: Any, archive: Path, from_a_folder: dict[str, object], tmp_path: Path
) -> None:
    address = put(s3, archive)
    for mood in (Mood.ERRORS, Mood.BROKEN):
        server.rudenesses = 0
        with rude(server, mood):
            made = aramega("build-ssum", address, "-w", tmp_path / mood.value)
        assert made.code == 0, made.err
        assert heard(tmp_path / mood.value) == from_a_folder
        assert server.rudenesses


def test_clips_and_frames_are_kept_at_an_address_and_can_be_fetched_home(
    aramega: Run, s3: Any, archive: Path, from_a_folder: dict[str, object], tmp_path: Path
) -> None:
    kept = f"s3://{BUCKET}/kept/news"
    made = aramega("build-ssum", archive, "-w", tmp_path / "news", "--files", kept)
    assert made.code == 0, made.err
    there = {file.removeprefix(f"{BUCKET}/kept/news/") for file in s3.find(f"{BUCKET}/kept/news")}
    assert there == set(files(tmp_path / "news"))
    for path in files(tmp_path / "news", ["clips"]):
        (tmp_path / "news" / path).unlink()
    left = every_byte(tmp_path / "news")
    planned = json.loads(aramega("fetch", tmp_path / "news", "--dry-run", "--json").out)
    assert every_byte(tmp_path / "news") == left
    fetched = aramega("fetch", tmp_path / "news", "--json")
    assert fetched.code == 0, fetched.err
    assert json.loads(fetched.out) == planned
    assert planned["brought"] == len(files(tmp_path / "news", ["clips"]))
    assert heard(tmp_path / "news") == from_a_folder


def test_commands_that_read_clips_bring_them_home_and_gc_takes_away_what_nothing_names(
    aramega: Run, s3: Any, archive: Path, tmp_path: Path
) -> None:
    kept, news = f"s3://{BUCKET}/kept/news", tmp_path / "news"
    aramega("build-ssum", archive, "-w", news, "--files", kept, "--quiet")
    clips = sorted(files(news, ["clips"]))
    for reading in (
        ["report", news],
        ["preview", news, "--out", tmp_path / "out"],
        ["backup", news, tmp_path / "b"],
    ):
        (news / clips[0]).unlink()
        made = aramega(*reading)
        assert made.code == 0, made.err
    assert (tmp_path / "b" / clips[0]).exists()
    shorter = ["--set", "passages.max_seconds=30", "--set", "passages.target_seconds=20"]
    aramega("build-ssum", "-w", news, "--quiet", *shorter)
    aramega("gc", news)
    there = {file.removeprefix(f"{BUCKET}/kept/news/") for file in s3.find(f"{BUCKET}/kept/news")}
    assert there == set(files(news))
    assert not set(clips) <= there


def test_a_worker_elsewhere_needs_nothing_but_the_address(
    s3: Any, archive: Path, from_a_folder: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another machine: no workspace's folder, a home of its own that is empty when it is done."""
    from aramega.config import Config
    from aramega.pipeline import Pipeline
    from aramega.records import Passage, Segment, SegmentedRecording, Source, Timeline

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    address = put(s3, archive)
    away = WorkspaceFolder(tmp_path / "not-here", files=f"s3://{BUCKET}/kept/away")
    assert away.is_away
    ingest, segment, passages = Pipeline.from_config(Config(), away).stages[:3]
    (recording,) = ingest.run(Source(f"{address}/2026/b.wav"))
    item = SegmentedRecording(recording, (f"{address}/2026/b.wav",))
    timeline, *segments = segment.run(item)
    assert isinstance(timeline, Timeline)
    assert all(isinstance(one, Segment) for one in segments)
    made = passages.run(SegmentedRecording(recording, item.paths, timeline, tuple(segments)))
    assert {(one.id, one.clip_sha256) for one in made if isinstance(one, Passage)} <= {
        (row[0], row[7])
        for row in from_a_folder["passages"]  # type: ignore[attr-defined]
    }
    assert made
    assert not (tmp_path / "not-here").exists()
    away.drop_scratch()
    assert not list(away.home.rglob("*.flac"))
    with away.borrow(made[0].clip) as clip:
        assert clip.exists()
    assert not clip.exists()


def test_rows_of_a_manifest_may_name_addresses(aramega: Run, s3: Any, archive: Path, tmp_path: Path) -> None:
    address = put(s3, archive)
    manifest = tmp_path / "list.csv"
    manifest.write_text(
        f"path,programme\n{address}/2026/b.wav,نشرة\n{address}/gone.wav,\nftp://example.org/a.mp3,\ns3://me:pass@b/a.mp3,\n"
    )
    made = aramega("build-ssum", manifest, "-w", tmp_path / "news")
    assert made.code == 3
    assert len(rows(tmp_path / "news")["recordings"]) == 1
    told = {row[1]: row[3] for row in rows(tmp_path / "news")["failures"]}
    assert told[f"{address}/gone.wav"] == "no such file."
    assert "download it first" in told[f"{manifest}:4"]
    assert "holds a user or a password" in told[f"{manifest}:5"]
    assert "pass" not in told[f"{manifest}:5"].replace("password", "")


def test_a_store_that_lets_nobody_in_costs_its_own_rows(
    aramega: Run, s3: Any, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    manifest = tmp_path / "list.jsonl"
    manifest.write_text(f'{{"path": "s3://{BUCKET}/a.mp3"}}\n{{"path": "{archive}/b.wav"}}\n')
    made = aramega("build-ssum", manifest, "-w", tmp_path / "news", "--until", "ingest")
    assert made.code == 3
    assert len(rows(tmp_path / "news")["recordings"]) == 1
    ((_, _, _, why, *_),) = rows(tmp_path / "news")["failures"]
    assert "no credentials in the environment" in str(why)


def test_an_object_that_was_replaced_is_read_again(aramega: Run, s3: Any, archive: Path, tmp_path: Path) -> None:
    address = put(s3, archive)
    aramega("build-ssum", f"{address}/2026/b.wav", "-w", tmp_path / "news", "--until", "ingest")
    s3.put_file(str(archive / "نشرة الأخبار.mp3"), f"{BUCKET}/news/2026/b.wav")
    aramega("build-ssum", "-w", tmp_path / "news", "--until", "ingest")
    (recording,) = rows(tmp_path / "news")["recordings"]
    assert recording[6] == "mp3"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"s3://{BUCKET}/nothing/here", "nothing is there"),
        ("s3://no-such-bucket-of-ours/a", "no such file, bucket"),
        ("https://example.org/a.mp3", "download it first"),
        ("s3://key:secret@bucket/a", "environment"),
        ("s3://", "names no bucket"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(
    aramega: Run, s3: Any, tmp_path: Path, address: str, words: str
) -> None:
    made = aramega("build-ssum", address, "-w", tmp_path / "news")
    assert made.code == 2
    assert words in made.err
    assert made.err.count("\n") == 1
    assert "secret" not in made.err


def test_patterns_and_many_files_are_looked_up_by_listing(s3: Any, archive: Path) -> None:
    address = put(s3, archive)
    assert [entry.address for entry in find_files(f"{address}/*/*.wav")] == [f"{address}/2026/b.wav"]
    named = [f"{address}/2026/{path.name}" for path in archive.iterdir()]
    assert set(files_at([*named, f"{address}/2026/gone.mp3"])) == set(named)


def test_a_workspace_keeps_its_files_where_it_began(tmp_path: Path) -> None:
    begun = note_files(WorkspaceFolder(tmp_path / "news"), f"s3://{BUCKET}/a/")
    assert begun.files == f"s3://{BUCKET}/a"
    assert WorkspaceFolder(tmp_path / "news").files == f"s3://{BUCKET}/a"
    assert note_files(begun, f"s3://{BUCKET}/a") == begun
    with pytest.raises(AramegaError, match="keeps to where it began"):
        note_files(begun, f"s3://{BUCKET}/b")


def test_recordings_on_the_hub_and_clips_kept_there(
    archive: Path, from_a_folder: dict[str, object], tmp_path: Path
) -> None:
    with loopback_hub() as hub:
        environment = {**os.environ, **hub.environment(home=tmp_path / "hf")}

        def run(*arguments: object) -> int:
            return subprocess.run(arguments, env=environment, check=False).returncode  # type: ignore[arg-type]

        assert run(sys.executable, "-c", UPLOAD, archive) == 0
        kept = "hf://datasets/org/news/kept"
        assert (
            run(*command("build-ssum", "hf://datasets/org/news", "-w", tmp_path / "news", "-q", "--files", kept)) == 0
        )
        assert heard(tmp_path / "news") == from_a_folder
        clip = next(iter(files(tmp_path / "news", ["clips"])))
        (tmp_path / "news" / clip).unlink()
        assert run(*command("fetch", tmp_path / "news")) == 0
        assert heard(tmp_path / "news") == from_a_folder


UPLOAD = """
import sys
from huggingface_hub import HfApi

HfApi().create_repo("org/news", repo_type="dataset")
HfApi().upload_folder(repo_id="org/news", repo_type="dataset", folder_path=sys.argv[1], path_in_repo="2026")
"""


def test_files_in_google_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs")
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    port = free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    try:
        (tmp_path / "a.wav").write_bytes(b"sound" * 1000)
        send(tmp_path / "a.wav", f"gs://{BUCKET}/2026/a.wav")
        (entry,) = find_files(f"gs://{BUCKET}/2026")
        fetch(entry, tmp_path / "b.wav")
        assert (tmp_path / "b.wav").read_bytes() == b"sound" * 1000
        remove([entry.address])
        assert file_at(entry.address) is None
    finally:
        server.stop()


def test_a_recording_that_cannot_be_used_leaves_no_copy(s3: Any, tmp_path: Path) -> None:
    from aramega.config import Config
    from aramega.pipeline import Pipeline
    from aramega.records import Source

    s3.pipe_file(f"{BUCKET}/broken.mp3", b"no sound" * 100)
    with pytest.raises(AramegaError):
        Pipeline.from_config(Config(), WorkspaceFolder(tmp_path)).stages[0].run(Source(f"s3://{BUCKET}/broken.mp3"))
    assert not list(tmp_path.rglob("*.mp3"))


def test_no_database_has_files_brought_from_or_to_outside(tmp_path: Path) -> None:
    place = WorkspaceFolder(tmp_path / "news", files=f"s3://{BUCKET}/kept")
    with pytest.raises(AramegaError, match="does not lie in the workspace"):
        place.bring(place.root / "../.profile")


def test_addresses_are_told_from_paths() -> None:
    assert is_address("s3://bucket/a.mp3")
    assert not is_address("/archive/a.mp3")
    assert checked_address("S3://bucket/a/") == "s3://bucket/a"


def test_a_worker_leaves_its_parents_connections_alone(s3: Any) -> None:
    """Closed in a fork, from whichever thread happened to collect garbage, they complained of another event loop."""
    s3.pipe_file(f"{BUCKET}/a.txt", b"there")
    forks = f"""
import fsspec.asyn, gc, os
from aramega import remote
remote.read("s3://{BUCKET}/a.txt")
child = os.fork()
if not child:
    assert remote.read("s3://{BUCKET}/a.txt") == b"there"
    async def collect():
        gc.collect()
    fsspec.asyn.sync(fsspec.asyn.get_loop(), collect)
    fsspec.asyn.sync(fsspec.asyn.get_loop(), collect)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run([sys.executable, "-c", forks], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_one_process_may_ask_another_store_after_the_first_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        server = RudeS3()
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        server.files().pipe_file(f"{BUCKET}/news.txt", b"hello")
        assert read(f"s3://{BUCKET}/news.txt") == b"hello"
        server.close()
