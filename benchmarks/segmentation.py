"""Segmentation against its peers, on broadcasts whose truth is known.

Makes broadcasts (with ../shared/tools/make_broadcast.py where it is at hand, and with this repository's own maker:
other music, other noise), lets silero-vad, webrtcvad, librosa.effects.split and aramega segment them, and prints
error, miss, false alarm, music kept, cuts inside utterances and time for each, and the means.

    python benchmarks/segmentation.py                      # 12 broadcasts of 4 minutes
    python benchmarks/segmentation.py --minutes 1 --count 4 # a quick look
    python benchmarks/segmentation.py --first-seed 500 --count 24 --minutes 10

Score: as ../shared/tools/score_segments.py, without a collar. What is scored is what `aramega export` writes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread for everyone
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile as sf

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from aramega.audio.frames import FrameAnalyzer  # noqa: E402
from aramega.backends.second_opinion import SileroVad  # noqa: E402
from aramega.stages.segment import SegmentConfig, find_spans, plan_segments  # noqa: E402
from tests.support import synth  # noqa: E402

SHARED = ROOT.parent / "shared"
SNRS = (5, 10, 15, 20, 30, 99)
Edges = list[tuple[float, float]]
Segmenter = Callable[[np.ndarray], Edges]


@dataclass(frozen=True)
class Scene:
    name: str
    audio: np.ndarray
    speech: Edges
    music: Edges


# --- scenes ---------------------------------------------------------------------------------------------------------


def shared_scene(seed: int, minutes: float, snr: float, clips: list[Path]) -> Scene:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "b.wav"
        command = [
            sys.executable,
            SHARED / "tools" / "make_broadcast.py",
            out,
            "--minutes",
            minutes,
            "--seed",
            seed,
            "--snr",
            snr,
        ]
        for clip in clips:
            command += ["--clips", clip]
        subprocess.run([str(c) for c in command], check=True, capture_output=True)
        audio, _ = sf.read(out, dtype="float32")
        truth = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    kind = "+".join(c.name[:6] for c in clips) or "espeak"
    return Scene(
        f"shared {seed} {kind} {snr} dB", audio, [(u["start"], u["end"]) for u in truth["speech"]], truth["music"]
    )


def own_scene(seed: int, minutes: float, snr: float, clips: list[Path]) -> Scene:
    rng = np.random.default_rng(seed)
    speakers: list[synth.EspeakSpeaker | synth.RecordedSpeaker] = [
        synth.EspeakSpeaker.random(rng, 0.2) for _ in range(5)
    ]
    for folder in clips:
        real = synth.recorded_speakers(folder, "validation")
        speakers += [real[i] for i in rng.choice(len(real), min(4, len(real)), replace=False)]
    held_out = tuple(synth.HELD_OUT_MUSIC.values())
    style = synth.Style(
        snr=None if snr >= 99 else snr,
        noises=("pink", "white", "crowd", "hum"),
        music=held_out,
        event_share=0.1,
        abut_share=0.2,
    )
    made = synth.broadcast(rng, minutes, speakers, style)
    return Scene(f"own {seed} {snr} dB", made.audio, made.speech, made.music)


def scenes(args: argparse.Namespace) -> list[Scene]:
    clips = [f for f in (SHARED / "data" / "arabic-speech-commands", SHARED / "data" / "baved") if f.exists()]
    choices: list[list[Path]] = [clips, [], clips[:1], clips[1:]]
    made = []
    for i in range(args.count):
        seed, snr = args.first_seed + i, SNRS[i % len(SNRS)]
        use = choices[(i // 2) % 4]
        if (SHARED / "tools").exists() and i % 3 < 2:
            made.append(shared_scene(seed, args.minutes, snr, use))
        else:
            made.append(own_scene(seed, args.minutes, snr, use))
    return made


# --- segmenters -----------------------------------------------------------------------------------------------------


def ours(config: SegmentConfig) -> Segmenter:
    opinion = SileroVad() if config.second_opinion else None

    def segment(audio: np.ndarray) -> Edges:
        analyzer = FrameAnalyzer()
        analyzer.feed(audio)
        table = analyzer.finish()

        def read(start: float, end: float) -> np.ndarray:
            return audio[round(start * synth.RATE) : round(end * synth.RATE)]

        spans = find_spans(table, config, opinion, read)
        return [(s.start, s.end) for s in plan_segments(spans, table, config)]

    return segment


def silero() -> Segmenter:
    import silero_vad
    import torch

    torch.set_num_threads(1)
    model = silero_vad.load_silero_vad()

    def segment(audio: np.ndarray) -> Edges:
        found = silero_vad.get_speech_timestamps(torch.from_numpy(audio), model)
        return [(f["start"] / synth.RATE, f["end"] / synth.RATE) for f in found]

    return segment


def webrtc(audio: np.ndarray) -> Edges:
    """Mode 3 behind a 300 ms ring that must be nine tenths full or empty, as its own example does."""
    import webrtcvad

    vad, ring, spans, start = webrtcvad.Vad(3), [], [], None
    pcm = (np.clip(audio, -1, 1) * 32767).astype(np.int16).tobytes()
    for i in range(len(pcm) // 960):
        ring = [*ring[-9:], vad.is_speech(pcm[i * 960 : i * 960 + 960], synth.RATE)]
        if start is None and sum(ring) >= 9:
            start = max(0, i - 9) * 0.03
        elif start is not None and sum(ring) <= 1:
            spans.append((start, (i + 1) * 0.03))
            start, ring = None, []
    return spans + ([(start, len(audio) / synth.RATE)] if start is not None else [])


def librosa_split(audio: np.ndarray) -> Edges:
    import librosa

    return [(a / synth.RATE, b / synth.RATE) for a, b in librosa.effects.split(audio, top_db=30)]


# --- score ----------------------------------------------------------------------------------------------------------


def score(scene: Scene, found: Edges) -> dict[str, float]:
    n = int(len(scene.audio) / synth.RATE * 100) + 1

    def mask(spans: Edges) -> np.ndarray:
        covered = np.zeros(n, bool)
        for a, b in spans:
            covered[round(a * 100) : round(b * 100)] = True
        return covered

    ref, got, tune = mask(scene.speech), mask(found), mask(scene.music)
    cuts = sum(any(a + 0.15 < e < b - 0.15 for a, b in scene.speech) for span in found for e in span)
    return {
        "error": (ref ^ got).sum() / ref.sum(),
        "miss": (ref & ~got).sum() / ref.sum(),
        "false alarm": (~ref & got).sum() / (~ref).sum(),
        "music kept": (tune & got).sum() / max(1, tune.sum()),
        "cuts": cuts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=900)
    parser.add_argument("--only", help="comma-separated names of segmenters")
    args = parser.parse_args()

    segmenters: dict[str, Segmenter] = {
        "aramega": ours(SegmentConfig()),
        "aramega + opinion": ours(SegmentConfig(second_opinion=True)),
        "silero-vad": silero(),
        "webrtcvad 3": webrtc,
        "librosa split": librosa_split,
    }
    if args.only:
        segmenters = {k: v for k, v in segmenters.items() if k in args.only.split(",")}
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in segmenters}
    columns = ("error", "miss", "false alarm", "music kept", "cuts", "s/min")
    print(f"{'broadcast':34} {'segmenter':18} " + " ".join(f"{c:>11}" for c in columns))
    for scene in scenes(args):
        for name, segment in segmenters.items():
            started = time.perf_counter()
            found = segment(scene.audio)
            took = (time.perf_counter() - started) / (len(scene.audio) / synth.RATE / 60)
            rows[name].append(score(scene, found) | {"s/min": took})
            print(f"{scene.name:34} {name:18} " + " ".join(f"{rows[name][-1][c]:11.3f}" for c in columns), flush=True)
    print()
    peer = rows.get("silero-vad")
    for name, scored in rows.items():
        means = {c: float(np.mean([r[c] for r in scored])) for c in columns}
        ratio = f"   error {means['error'] / np.mean([r['error'] for r in peer]):.2f} x silero's" if peer else ""
        print(f"{'mean of ' + str(len(scored)):34} {name:18} " + " ".join(f"{means[c]:11.3f}" for c in columns) + ratio)


if __name__ == "__main__":
    main()
