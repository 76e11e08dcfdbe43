"""Decoding: any file ffmpeg reads, as a stream of 16 kHz mono blocks, in constant memory.

ffmpeg runs as a child process rather than inside ours: recordings are untrusted, and a decoder that
crashes or hangs on one takes nothing with it. The child may open local files only, so that a playlist
dressed as a recording cannot make us fetch or read something else.

Blocks are long and the pipe is short, on purpose: decoder and analysis then take turns on one core,
and N workers use N cores. Only for a long recording may the decoder run a block ahead, on a core of its
own if one is idle: the last long one of a build is what a curator waits for. Sixteen-bit samples come straight from the resampler, except for float
files, which may hold NaN: those we convert ourselves, and count what was not a number.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import stat
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from typing_extensions import Self

from aramega.audio.channels import PART, ChannelCounts, Samples, count, mix
from aramega.records import RATE, AramegaError, Downmix

BLOCK_SECONDS = 30
_STOPPED = 255
"""ffmpeg's exit code when a signal made it end in good order, with part of the recording."""
_LONG = 1800.0
"""Seconds from which a recording is worth a second core at the end of a build."""
_AHEAD = 1 << 20
"""A pipe of this many bytes holds one block; it is also the most Linux gives to users who are not root."""
_PLAYLISTS = {"hls", "dash", "concat", "concatf", "sdp", "rtsp", "ffmetadata", "webm_dash_manifest", "imf"}
_NO_REASON = ("Invalid data found when processing input", "If you want to help, upload a sample")
"""What ffmpeg says last, after the reason."""
_STILLS = {"image2", "png_pipe", "jpeg_pipe", "gif", "tty", "ansi"}


class AudioError(AramegaError):
    """A file that cannot be used, and why."""


@dataclass(frozen=True)
class Probe:
    """What a file says of itself before anything is decoded."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    seconds: float | None
    seconds_are_a_guess: bool
    """From size and bit rate, where the header does not say: no proof that anything is missing."""
    holds_floats: bool
    channel_layout: str = ""
    """Which channel is which, where the file says: `stereo`, `5.1(side)`, …"""


def probe(path: str, *, audio_stream: int = 0, stall_seconds: float = 120.0) -> Probe:
    """Ask ffprobe what `path` is; raise an AudioError that says what is wrong with it."""
    _check_file(path)
    answer, seconds_are_a_guess = _ask_ffprobe(path, stall_seconds)
    about_file = answer.get("format", {})
    container = about_file.get("format_name", "")
    chosen = _choose_stream(container, answer.get("streams", []), audio_stream)
    return Probe(
        container=container,
        codec=chosen.get("codec_name", "unknown"),
        sample_rate=int(chosen.get("sample_rate") or 0),
        channels=int(chosen["channels"]),
        seconds=_seconds(chosen.get("duration")) or _seconds(about_file.get("duration")),
        seconds_are_a_guess=seconds_are_a_guess,
        holds_floats=chosen.get("codec_name", "").startswith(("pcm_f", "wavpack")),
        channel_layout=chosen.get("channel_layout", ""),
    )


def _ask_ffprobe(path: str, stall_seconds: float) -> tuple[dict[str, Any], bool]:
    """What ffprobe says of a file, and whether it had to guess how long it is."""
    fields = "stream=codec_type,codec_name,sample_rate,channels,channel_layout,duration,sample_fmt:format=format_name,duration"
    command = [_tool("ffprobe"), "-v", "warning", *_safe_input(path), "-show_entries", fields, "-of", "json"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=stall_seconds, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise AudioError(f"its header could not be read within {stall_seconds:g} s.") from None
    if done.returncode < 0:
        raise AudioError("the reading of its header was stopped (out of memory?). Run again with --retry-failed.")
    if done.returncode != 0:
        raise AudioError(f"not a readable audio or video file ({_last_words(done.stderr.splitlines(), path)}).")
    return json.loads(done.stdout), b"Estimating duration" in done.stderr


def _choose_stream(container: str, streams: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """The audio stream of that number; an AudioError where what the file holds is no recording, or has no such."""
    names = set(container.split(","))
    if names & _PLAYLISTS:
        raise AudioError(f"a playlist ({container}), not a recording. Give the media files it names.")
    audio = [s for s in streams if s.get("codec_type") == "audio" and int(s.get("channels") or 0) > 0]
    if names & _STILLS or not streams:
        raise AudioError(f"not a recording ({container or 'unknown format'}).")
    if not audio and any(s.get("codec_type") == "audio" for s in streams):
        raise AudioError("its audio has no channels, says its header, which must be broken.")
    if not audio:
        raise AudioError(f"no audio stream (found: {_describe(streams)}). Give a file with sound.")
    if number >= len(audio):
        raise AudioError(f"has {len(audio)} audio stream(s); ingest.audio_stream asks for number {number}.")
    return audio[number]


def require_ffmpeg() -> None:
    """Say at once that ffmpeg is missing, rather than once for every recording."""
    _tool("ffmpeg")
    _tool("ffprobe")


class Decoder:
    """A running decode: iterate it for blocks of 16-bit samples, then look at how it went.

    Use it as a context manager; leaving it stops the child, finished or not.
    """

    def __init__(
        self,
        path: str,
        probe: Probe,
        *,
        audio_stream: int = 0,
        stall_seconds: float = 120.0,
        start: float = 0.0,
        downmix: Downmix = "",
        counted: tuple[int, int | None] = (0, None),
    ) -> None:
        """`start`: seconds to seek to before decoding. `counted`: the samples, from there on, of which the channels are
        counted, in whole parts."""
        self._path, self._stall, self._floats = path, stall_seconds, probe.holds_floats
        self.complaints: deque[str] = deque(maxlen=5)
        self.complained = 0
        self.nonfinite = 0
        self.exit_code: int | None = None
        self.channel_counts = ChannelCounts()
        self._downmix = downmix
        self._width = 2 if downmix in _OF_TWO else 1
        self._counted = counted
        self._samples = 0
        command = _decode_command(path, probe, audio_stream, start, downmix)
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is the driver's: a decoder that heeds it gives half a recording
        )
        assert self._child.stdout is not None
        if (probe.seconds or 0.0) >= _LONG:
            _let_run_ahead(self._child.stdout)
        self._ready = select.poll()
        self._ready.register(self._child.stdout, select.POLLIN | select.POLLHUP)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        self._listener.join()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe:
                pipe.close()

    def __iter__(self) -> Iterator[Samples]:
        width = self._width * (4 if self._floats else 2)
        while block := self._read(BLOCK_SECONDS * RATE * width):
            whole = block[: len(block) - len(block) % width]
            samples = self._from_floats(whole) if self._floats else np.frombuffer(whole, dtype="<i2")
            yield samples if self._width == 1 else self._mixed(samples.reshape(-1, 2))
        self.exit_code = self._child.wait()
        self._listener.join()
        if self.exit_code < 0 or self.exit_code == _STOPPED:
            raise AudioError("its decoder was stopped before the end (out of memory?). Run again with --retry-failed.")

    def last_words(self) -> str:
        return _last_words(list(self.complaints), self._path)

    def _read(self, wanted: int) -> memoryview:
        """Up to `wanted` bytes, fewer only at the end."""
        assert self._child.stdout is not None
        pipe = self._child.stdout.fileno()
        buffer = memoryview(bytearray(wanted))
        filled = 0
        while filled < wanted:
            if not self._ready.poll(self._stall * 1000):
                raise AudioError(f"its decoder has said nothing for {self._stall:g} s; given up.")
            got = os.readv(pipe, [buffer[filled:]])
            if got == 0:
                break
            filled += got
        return buffer[:filled]

    def _from_floats(self, block: memoryview) -> Samples:
        floats = np.frombuffer(block, dtype="<f4")
        finite = np.isfinite(floats)
        if not finite.all():
            self.nonfinite += int(floats.size - np.count_nonzero(finite))
            floats = np.where(finite, floats, np.float32(0))
        samples: Samples = np.rint(np.clip(floats, -1, 32767 / 32768) * np.float32(32768)).astype(np.int16)
        return samples

    def _mixed(self, pairs: Samples) -> Samples:
        """One channel of two, and what there is to count of them."""
        first, end = (None if at is None else max(0, at - self._samples) // PART for at in self._counted)
        self._samples += len(pairs)
        if self._downmix == "mean":
            samples, counts = mix(pairs, slice(first, end))
        else:
            samples, counts = np.ascontiguousarray(pairs[:, 0]), count(pairs, slice(first, end))
        self.channel_counts += counts
        return samples

    def _listen(self) -> None:
        """Drain what ffmpeg complains of, keeping the last lines: a broken file can make it write gigabytes."""
        assert self._child.stderr is not None
        while line := self._child.stderr.readline(4096):
            self.complained += 1
            self.complaints.append(line.decode("utf-8", "replace").strip())


def _decode_command(path: str, probe: Probe, audio_stream: int, start: float, downmix: Downmix) -> list[str]:
    command = [_tool("ffmpeg"), "-nostdin", "-v", "error", "-threads", "1"]
    command += ["-ss", f"{start:.3f}"] if start else []
    command += [*_safe_input(path), *_channels(downmix, audio_stream), "-vn", "-sn", "-dn"]
    sample_format = "f32le" if probe.holds_floats else "s16le"
    return [*command, "-ar", str(RATE), "-f", sample_format, "-flush_packets", "0", "-"]


def _let_run_ahead(pipe: IO[bytes]) -> None:
    """Have a pipe hold a block, where the system can."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # the user's pipes are full up: then it takes turns, too
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _AHEAD)


def _check_file(path: str) -> None:
    try:
        about = os.stat(path)
    except FileNotFoundError:
        gone = "a link to a file that is not there." if os.path.islink(path) else "no such file."
        raise AudioError(gone) from None
    except OSError as error:
        raise AudioError(f"{_plain(error)}.") from None
    if not stat.S_ISREG(about.st_mode):
        raise AudioError("not a regular file.")
    if about.st_size == 0:
        raise AudioError("an empty file (0 bytes).")
    if not os.access(path, os.R_OK):
        raise AudioError("no permission to read it.")
    on_disk = about.st_blocks * 512
    if about.st_size > 1000 * max(on_disk, 100_000):  # no compressing file system does that to sound
        raise AudioError(
            f"{about.st_size / 1e9:.1f} GB by its size but {on_disk / 1e9:.1f} GB on disk: a sparse file, "
            "as an interrupted download leaves. Fetch it again."
        )


def _plain(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _tool(name: str) -> str:
    path = shutil.which(name)
    if not path:
        raise AramegaError(
            f"{name} is not installed. On Debian or Ubuntu: `apt-get install ffmpeg`; on macOS: `brew install ffmpeg`."
        )
    return path


def _safe_input(path: str) -> list[str]:
    """`file:` keeps a name such as `concat:a|b` or `-y` from being read as anything but a name."""
    return ["-protocol_whitelist", "file", "-i", f"file:{Path(path).absolute()}"]


_OF_TWO = ("mean", "centre")
"""Downmixes for which ffmpeg gives two channels: the file's two; or the centre, and all channels to compare it with."""


def _channels(downmix: Downmix, stream: int) -> list[str]:
    """ffmpeg's options for what it is to give."""
    source = f"0:a:{stream}"
    if downmix == "centre":
        parts = "asplit[one][two];[one]pan=mono|c0=FC[centre];[two]aformat=channel_layouts=mono[all]"
        return ["-filter_complex", f"[{source}]{parts};[centre][all]join=channel_layout=stereo[out]", "-map", "[out]"]
    chosen = {"left": ["-af", "pan=mono|c0=c0"], "right": ["-af", "pan=mono|c0=c1"], "mean": ["-ac", "2"]}
    return ["-map", source, *chosen.get(downmix, ["-ac", "1"])]


def _last_words(lines: list[bytes] | list[str], path: str) -> str:
    texts = [line.decode("utf-8", "replace") if isinstance(line, bytes) else line for line in lines]
    texts = [t.strip().replace(f"file:{Path(path).absolute()}: ", "") for t in texts if t.strip()]
    if not texts:
        return "the decoder gave no reason"
    messages = [t.rpartition("] ")[2].partition(" Update your FFmpeg")[0] for t in texts]
    words = next((t for t in reversed(messages) if not t.startswith(_NO_REASON)), messages[-1])
    return words[:200].rstrip(".")


def _describe(streams: list[dict[str, Any]]) -> str:
    kinds = [s.get("codec_type", "unknown") for s in streams]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


def _seconds(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
