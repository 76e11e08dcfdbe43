"""Traps: files that would have us fetch something, or read or write elsewhere, if we let them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aramega.audio.decode import AudioError, Decoder, probe
from tests.chaos.writings import PATHS
from tests.support.cli import Run


class Ear:
    """Listens on the loopback and counts who knocks."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.knocks = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.knocks += 1
            caller.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.socket.shutdown(socket.SHUT_RDWR)
    ear.socket.close()


def hls(url: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n".encode()


def hls_with_a_key(url: str) -> bytes:
    return f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF:9,\nx.ts\n#EXT-X-ENDLIST\n'.encode()


def concat(url: str) -> bytes:
    return f"ffconcat version 1.0\nfile '{url}'\n".encode()


def dash(url: str) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        f'<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    ).encode()


def sdp(url: str) -> bytes:
    port = url.rpartition(":")[2].partition("/")[0]
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n".encode()


def referring_mp4(url: str) -> bytes:
    """Its samples are said to lie at the address."""
    made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-movflags", "frag_keyframe+empty_moov"]
    content = subprocess.run([*made, "-f", "mp4", "-"], capture_output=True, check=True).stdout
    inside, outside = b"\0\0\0\x0curl \0\0\0\x01", b"url \0\0\0\0" + url.encode() + b"\0"
    assert inside in content
    return content.replace(inside, (4 + len(outside)).to_bytes(4, "big") + outside)


@pytest.mark.parametrize("name", ["trap.mp3", "trap.m3u8", "trap.mp4"])
@pytest.mark.parametrize("dressed", [hls, hls_with_a_key, concat, dash, sdp, referring_mp4])
def test_nothing_a_file_names_is_fetched(tmp_path: Path, ear: Ear, dressed, name: str) -> None:  # type: ignore[no-untyped-def]
    trap = tmp_path / name
    trap.write_bytes(dressed(f"http://127.0.0.1:{ear.port}/x.ts"))
    with suppress(AudioError), Decoder(str(trap), probe(str(trap))) as decoder:
        list(decoder)
    assert ear.knocks == 0
    assert os.listdir(tmp_path) == [name]


def test_a_manifest_of_traps_is_a_list_of_failures_and_its_one_recording_is_made(
    aramega: Run, short_broadcast: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "good.wav").write_bytes(short_broadcast.read_bytes())
    os.mkfifo(folder / "pipe.mp3")
    (folder / "loop").symlink_to("loop")
    manifest = folder / "list.jsonl"
    manifest.write_text("".join(json.dumps({"path": path}) + "\n" for path in PATHS))
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    said = aramega("build-ssum", manifest, "-w", tmp_path / "ws", "--workers", "1", "--json")
    assert said.code == 3, said
    assert "Traceback" not in said.out + said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[-1]["recordings"] == 1
    assert events[-1]["failed"] == len({os.path.abspath(folder / path) for path in PATHS}) - 1
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before
