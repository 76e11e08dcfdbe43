"""`aramega doctor`: what is installed, what is missing, what to do."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from aramega.cli.command import command

_LIBRARIES = ("numpy", "scipy", "soundfile", "webrtcvad-wheels", "pydub", "librosa", "pydantic")

_EXTRAS = (
    ("draft", "drafts", ("openai-whisper", "torch", "openai", "camel-tools")),
    ("faster-whisper", "--asr-model faster-whisper:…", ("faster-whisper",)),
    ("review", "aramega review", ("httpx", "krippendorff")),
    ("publish", "aramega publish", ("datasets", "huggingface_hub", "pyarrow")),
    ("recipes", "recipes", ("transformers", "peft", "accelerate")),
    ("second-opinion", "segment.second_opinion", ("silero-vad", "onnxruntime")),
)
"""By what each is installed with, and what for."""


@dataclass(frozen=True)
class Finding:
    """One thing looked for."""

    name: str
    installed: str
    """A version, or nothing."""
    needed: bool
    what_for: str
    remedy: str


@command("doctor", panel="Help", example="aramega doctor", workspace="no")
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As one JSON array.")] = False) -> int:
    """What is installed, what is missing, what to do. Exit code 1 if something needed is missing."""
    findings = list(examine())
    if as_json:
        print(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=1))
    else:
        _show(findings)
    return int(any(f.needed and not f.installed for f in findings))


def examine() -> Iterator[Finding]:
    """Everything a build may want, the needed things first."""
    yield Finding("python", platform.python_version(), True, "everything", "")
    ffmpeg = "apt-get install ffmpeg (Debian, Ubuntu), brew install ffmpeg (macOS)"
    for tool in ("ffmpeg", "ffprobe"):
        yield Finding(tool, _tool_version(tool), True, "reading recordings", ffmpeg)
    for library in _LIBRARIES:
        yield Finding(library, _installed(library), True, "build-ssum", f"pip install {library}")
    for extra, what_for, libraries in _EXTRAS:
        for library in libraries:
            yield Finding(library, _installed(library), False, what_for, f"pip install '.[{extra}]' in aramega's clone")
    yield Finding("GPU", _gpu(), False, "faster drafts and training", "none is fine: everything runs on CPUs")


def _show(findings: list[Finding]) -> None:
    for f in findings:
        mark = "ok     " if f.installed else "MISSING" if f.needed else "absent "
        print(f"{mark}  {f.name:18} {f.installed or f'for {f.what_for}: {f.remedy}'}")
    missing = [f.name for f in findings if f.needed and not f.installed]
    print(f"\nMissing: {', '.join(missing)}." if missing else "\nReady: aramega build-ssum FOLDER --workspace DIR.")


def _tool_version(tool: str) -> str:
    path = shutil.which(tool)
    if not path:
        return ""
    words = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stdout.split()
    return words[2] if len(words) > 2 else "unknown version"


def _installed(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _gpu() -> str:
    """By the driver's own tool: importing torch to ask would take seconds."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple (MPS)"
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    answer = subprocess.run(
        [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return ", ".join(answer.stdout.split("\n")[:8]).strip(", ") if answer.returncode == 0 else ""
