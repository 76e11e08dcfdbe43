"""Decoding: what the decoder gives is what ffmpeg gives, in blocks, and a bad file is never a hang."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from aramega.audio.clips import encode_flac, read_samples
from aramega.audio.decode import AudioError, Decoder, probe


def test_the_blocks_are_the_samples_ffmpeg_decodes_and_nothing_else(broadcast: Path) -> None:
    path = str(broadcast)
    with Decoder(path, probe(path)) as decoder:
        ours = np.concatenate(list(decoder))
    command = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    theirs = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, dtype="<i2")
    assert np.array_equal(ours, theirs)
    assert decoder.exit_code == 0


def test_a_probe_knows_what_the_file_says_of_itself(broadcast: Path) -> None:
    found = probe(str(broadcast))
    assert (found.container, found.codec, found.sample_rate, found.channels) == ("mp3", "mp3", 16000, 1)
    assert found.seconds == pytest.approx(249, abs=1)
    assert not found.seconds_are_a_guess


def test_the_wanted_audio_stream_of_several_is_decoded(tmp_path: Path) -> None:
    """A dubbed programme: silence on the first stream, a tone on the second."""
    path = tmp_path / "dubbed.mkv"
    sources = ["-f", "lavfi", "-t", "2", "-i", "anullsrc=r=16000", "-f", "lavfi", "-t", "2", "-i", "sine"]
    subprocess.run(["ffmpeg", "-v", "error", *sources, "-map", "0", "-map", "1", str(path)], check=True)
    loud = []
    for stream in (0, 1):
        with Decoder(str(path), probe(str(path), audio_stream=stream), audio_stream=stream) as decoder:
            loud.append(max(int(np.abs(block).max()) for block in decoder) > 1000)
    assert loud == [False, True]
    with pytest.raises(AudioError, match="has 2 audio stream"):
        probe(str(path), audio_stream=2)


def test_a_decoder_that_falls_silent_is_given_up(
    tmp_path: Path, broadcast: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in for a decoder caught in a trap: a program by ffmpeg's name that says nothing."""
    found = probe(str(broadcast))
    trap = tmp_path / "ffmpeg"
    trap.write_text("#!/bin/sh\nexec sleep 60\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with (
        pytest.raises(AudioError, match=r"said nothing for 0\.2 s"),
        Decoder(str(broadcast), found, stall_seconds=0.2) as decoder,
    ):
        list(decoder)


def test_a_decoder_killed_half_way_is_a_failure_and_not_a_short_recording(broadcast: Path) -> None:
    """As the kernel's out-of-memory killer does."""
    with Decoder(str(broadcast), probe(str(broadcast))) as decoder:
        blocks = iter(decoder)
        next(blocks)
        decoder._child.send_signal(signal.SIGKILL)
        with pytest.raises(AudioError, match="stopped before the end"):
            list(blocks)


def test_a_probe_that_was_killed_says_nothing_against_the_file(
    broadcast: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "ffprobe"
    killed.write_text("#!/bin/sh\nkill -KILL $$\n")
    killed.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(AudioError, match=r"was stopped .* --retry-failed"):
        probe(str(broadcast))


def test_a_file_we_may_not_read_says_so() -> None:
    """In a child that is nobody: root may read anything, and continuous integration is often root."""
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        (folder / "secret.mp3").write_bytes(b"x")
        (folder / "secret.mp3").chmod(0)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(65534)
            try:
                probe(str(folder / "secret.mp3"))
            except AudioError as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        assert os.read(reader, 1000) == b"no permission to read it."
    finally:
        shutil.rmtree(folder)


def test_leaving_early_ends_the_decoder(broadcast: Path) -> None:
    with Decoder(str(broadcast), probe(str(broadcast))) as decoder:
        next(iter(decoder))
        child = decoder._child
    assert child.returncode is not None


def test_a_clip_is_cut_to_the_sample_and_flac_gives_it_back(tmp_path: Path) -> None:
    import soundfile

    samples = np.random.default_rng(1).integers(-32768, 32767, 16_000 * 5, dtype=np.int16)
    samples.tofile(tmp_path / "a.s16")
    cut = read_samples(tmp_path / "a.s16", 1.234, 3.001)
    assert np.array_equal(cut, samples[19_744:48_016])
    (tmp_path / "c.flac").write_bytes(encode_flac(cut, level=3))
    assert np.array_equal(soundfile.read(tmp_path / "c.flac", dtype="int16")[0], cut)


def test_the_same_samples_are_the_same_file() -> None:
    samples = np.random.default_rng(2).integers(-3000, 3000, 16_000, dtype=np.int16)
    assert encode_flac(samples, level=3) == encode_flac(samples, level=3)


def test_a_float_beyond_all_sound_is_full_scale_and_no_warning(tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.array([3e38, -3e38, 0.5] * 4000, np.float32), 16_000, subtype="FLOAT")
    path = str(tmp_path / "a.wav")
    with np.errstate(all="raise"), Decoder(path, probe(path)) as decoder:
        assert np.concatenate(list(decoder))[:3].tolist() == [32767, -32768, 16384]


def test_audio_without_a_channel_is_a_broken_header_and_not_a_missing_stream(tmp_path: Path) -> None:
    path = tmp_path / "mute.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)], check=True)
    content = bytearray(path.read_bytes().replace(b"esds", b"zzzz"))
    entry = content.find(b"mp4a", content.find(b"stsd"))
    content[entry : entry + 22] = b"zzzz" + content[entry + 4 : entry + 20] + b"\0\0"
    path.write_bytes(content)
    with pytest.raises(AudioError, match="its audio has no channels"):
        probe(str(path))


def test_a_refusal_gives_ffmpegs_reason_and_not_its_plea_for_samples(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)], check=True)
    content = bytearray(path.read_bytes())
    content[16:20] = (8).to_bytes(4, "little")  # a format chunk that ends too early
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"\(wav header size < 14 is not implemented\)"):
        probe(str(path))
