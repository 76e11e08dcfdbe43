"""Fit the small speech and music model of `aramega/audio/speech_model.py` and write its weights.

Two steps, both seeded. `make` synthesises broadcasts, slow and recited speech in halls, and concerts (voices of
espeak-ng, flite and festival and, where --clips is given, the train split of a folder of licensed recordings; music and
noise of `tests/support/synth/`) and keeps their mel spectra with the truth. `fit` trains on them, each heard in other
rooms and over other music at every step, and writes the weights as float16. Nothing of `HELD_OUT_MUSIC`, of the
validation split or of any other folder of clips is ever seen here.

    python benchmarks/train_speech_model.py make --clips ../shared/data/arabic-speech-commands --count 400
    python benchmarks/train_speech_model.py fit

With fluidsynth and its General MIDI soundfont installed (Debian: fluidsynth, fluid-soundfont-gm), two jingles in
three are played by sampled instruments, which halves the real music that is taken for speech. The weights in the
package were begun on some 400 broadcasts of two minutes, gone on with (`--start`) on 430 recordings more, both made
in rounds while these makers grew, and then mixed with what they were before (`mix`), so a run of the commands above gives an equal and not the same model: judge it with
benchmarks/segmentation.py and benchmarks/real_segmentation.py before it replaces one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from aramega.audio import mel  # noqa: E402
from benchmarks.sampled_music import SOUNDFONT, piece  # noqa: E402
from benchmarks.slow_speech import Speaker, recorded_voices, slow_recording, song  # noqa: E402
from tests.support import synth  # noqa: E402

OUT = ROOT / "benchmarks" / "out" / "speech-model"
SLOW_SHARE, MUSIC_SHARE = 0.45, 0.2
WEIGHTS = ROOT / "aramega" / "audio" / "speech_model.npz"


# --- make -----------------------------------------------------------------------------------------------------------


def random_style(rng: np.random.Generator, singers: Sequence[Speaker]) -> synth.Style:
    played = int(SOUNDFONT.exists()) * 2 * len(synth.MUSIC)  # two jingles in three by sampled instruments
    songs = [partial(song, speakers=singers, by=sampled if played else layered)] * 2
    music = (*synth.MUSIC.values(), layered, *songs, *[sampled] * played)
    quiet = rng.random() < 0.2
    return synth.Style(
        snr=None if quiet else float(rng.uniform(0, 35)),
        noises=tuple(rng.choice(sorted(synth.NOISES), rng.integers(1, 4), replace=False)),
        music=music,
        jingle_share=float(rng.uniform(0.4, 0.9)),
        jingle_seconds=(1.5, float(rng.uniform(4, 20))),
        interlude_share=float(rng.choice([0.2, 0.6])),
        bed_share=float(rng.choice([0, 0.3])),
        event_share=float(rng.choice([0, 0, 0.3])),
        colour_share=float(rng.choice([0, 0.5, 1.0])),
        whisper_share=float(rng.choice([0, 0, 0.15])),
        revoice_share=float(rng.choice([0, 0.4])),
        swing_share=float(rng.choice([0, 0.6])),
        abut_share=float(rng.choice([0, 0.4])),
    )


def concert(rng: np.random.Generator, minutes: float, singers: Sequence[Speaker]) -> synth.Broadcast:
    """Music and nothing else, or noise and nothing else, piece after piece, some of it in a hall."""
    made = synth.Broadcast(np.zeros(0, np.float32))
    noise = rng.random() < 0.3
    makers = random_style(rng, singers).music if rng.random() < 0.5 else tuple(synth.MUSIC.values())
    if noise:
        makers = (*synth.NOISES.values(), *[synth.crowd] * len(synth.NOISES))
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < minutes * 60 * synth.RATE:
        sound = makers[rng.integers(len(makers))](rng, rng.uniform(3, 40))
        if rng.random() < 0.5:
            sound = synth.in_a_hall(rng, sound, rng.uniform(0.3, 3.5), rng.uniform(-6, 12))
        parts += [
            synth.scaled(sound, rng.uniform(0.03, 0.2)),
            np.zeros(int(rng.uniform(0, 3) * synth.RATE), np.float32),
        ]
    made.audio = np.concatenate(parts).astype(np.float32)
    ends = np.cumsum([len(part) for part in parts]) / synth.RATE
    if noise:
        return made
    made.music = [(end - len(part) / synth.RATE, end) for part, end in zip(parts[::2], ends[::2], strict=True)]
    return made


def layered(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Two or three synthetic parts at once, in a room, sometimes overdriven."""
    makers = list(synth.MUSIC.values())
    parts = [makers[i](rng, seconds) for i in rng.integers(0, len(makers), rng.integers(2, 4))]
    mix = synth.reverberated(rng, sum(synth.scaled(p, rng.uniform(0.3, 1)) for p in parts))
    return np.tanh(mix * rng.uniform(0.5, 4)) if rng.random() < 0.3 else mix


def sampled(rng: np.random.Generator, seconds: float) -> np.ndarray:
    sound = piece(rng, seconds)
    return np.tanh(sound / (sound.std() + 1e-6)) if rng.random() < 0.2 else sound


def make_one(seed: int, minutes: float, clips: Path | None, out: Path) -> None:
    rng = np.random.default_rng(seed)
    speakers: list[Speaker] = [synth.EspeakSpeaker.random(rng) for _ in range(5)]
    others = recorded_voices(rng)
    speakers += [others[i] for i in rng.choice(len(others), min(4, len(others)), replace=False)]
    if clips:
        real = synth.recorded_speakers(clips, "train")
        speakers += [real[i] for i in rng.choice(len(real), 5, replace=False)]
    kind = rng.random()
    if kind < MUSIC_SHARE:
        made = concert(rng, minutes, speakers)
    elif kind < MUSIC_SHARE + SLOW_SHARE:
        made = slow_recording(rng, minutes, speakers, sampled if SOUNDFONT.exists() else layered)
    else:
        made = synth.broadcast(rng, minutes, speakers, random_style(rng, speakers))
    audio = made.audio * np.float32(10 ** (rng.uniform(-20, 6) / 20))
    audio = np.round(np.clip(audio, -1, 1) * 32767).astype(np.float32) / 32768
    if rng.random() < 0.3:
        audio = synth.band_passed(audio, 0, rng.uniform(3300, 7500))
    if rng.random() < 0.35:
        audio = through_mp3(audio, int(rng.choice([24, 32, 48, 64])))
    frames = len(made.audio) // mel.HOP
    padded = np.pad(audio[: frames * mel.HOP], (mel.LEAD, mel.LEAD)).astype(np.float32)
    np.savez(
        out / f"{seed}.npz",
        mels=mel.decibels(mel.power_spectra(padded) @ mel.mel_weights()).astype(np.float16),
        speech=frame_labels(made.speech, frames),
        music=frame_labels(made.music + made.beds, frames),
    )


def through_mp3(audio: np.ndarray, kbps: int) -> np.ndarray:
    """What a low-rate codec leaves of `audio`, aligned with it."""
    raw = ["-f", "f32le", "-ar", "16000", "-ac", "1"]
    encode = ["ffmpeg", "-v", "error", *raw, "-i", "-", "-b:a", f"{kbps}k", "-f", "mp3", "-"]
    coded = subprocess.run(encode, input=audio.astype("<f4").tobytes(), capture_output=True, check=True).stdout
    decode = ["ffmpeg", "-v", "error", "-f", "mp3", "-i", "-", *raw, "-"]
    back = np.frombuffer(subprocess.run(decode, input=coded, capture_output=True, check=True).stdout, "<f4")
    if len(back) > len(audio):  # without a seekable header the encoder's delay stays in: find it
        probe = audio[: 60 * synth.RATE]
        n = 2 * len(probe)
        match = np.fft.irfft(np.fft.rfft(back[: len(probe)], n) * np.conj(np.fft.rfft(probe, n)), n)
        back = back[int(np.argmax(match[:8000])) :]
    return np.pad(back[: len(audio)], (0, max(0, len(audio) - len(back))))


def frame_labels(spans: list[tuple[float, float]], frames: int) -> np.ndarray:
    """Share of each frame that lies inside a span, as 0 to 255."""
    fine = np.zeros(frames * 20, np.float32)
    for start, end in spans:
        fine[round(start * 1000) : round(end * 1000)] = 1
    return np.round(fine.reshape(frames, 20).mean(axis=1) * 255).astype(np.uint8)


def make(args: argparse.Namespace) -> None:
    args.data.mkdir(parents=True, exist_ok=True)
    seeds = [s for s in range(args.first, args.first + args.count) if not (args.data / f"{s}.npz").exists()]
    with ProcessPoolExecutor(args.workers) as pool:
        work = partial(make_one, minutes=args.minutes, clips=args.clips, out=args.data)
        for done, _ in enumerate(pool.map(work, seeds), 1):
            if done % 20 == 0:
                print(f"{done} of {len(seeds)} broadcasts", flush=True)


def as_fitted(weights: Path, blocks: int) -> dict[str, Any]:
    """Weights of the package under the names they are fitted by."""
    import torch

    stored = {name: torch.from_numpy(value.astype(np.float32)) for name, value in np.load(weights).items()}
    names = {"first": "first", "head": "head"} | {f"block{i}": f"blocks.{i}" for i in range(blocks)}
    stored["head"] = stored["head"][..., None]
    return {
        f"{fitted}.{part}": stored[name + end]
        for name, fitted in names.items()
        for end, part in (("", "weight"), ("_bias", "bias"))
    }


# --- vary -----------------------------------------------------------------------------------------------------------


def varied(rng: np.random.Generator, mels: np.ndarray, beds: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Decibels of `mels` in another room and over another sound, and the share of that sound's music, 0 to 1.

    Powers add up and echoes are powers that die away, so a mel spectrum is enough to lay sounds over each other and
    to put them in a room: each recording is heard in as many as there are steps.
    """
    power = 10 ** (mels / 10)
    if rng.random() < 0.35:
        power = power + 10 ** (-rng.uniform(0, 15) / 10) * _late_echo(power, rng.uniform(0.3, 3.5))
    music = 0.0
    if beds and rng.random() < 0.4:
        bed = beds[rng.integers(len(beds))]
        lie = np.resize(np.roll(bed, int(rng.integers(len(bed))), axis=0), (len(power), power.shape[1] + 1))
        loud = np.percentile(power.sum(axis=1), 90) / max(np.percentile(lie[:, :-1].sum(axis=1), 90), 1e-14)
        power = power + lie[:, :-1] * loud * 10 ** (-rng.uniform(3, 25) / 10)
        music = float(lie[:, -1].mean())
    if rng.random() < 0.4:
        power = power + _noise(rng, power.shape) * np.percentile(power, 90) * 10 ** (-rng.uniform(0, 30) / 10)
    return 10 * np.log10(power + 1e-14), music


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Powers of a steady noise of a random colour; a band that is wide swings less."""
    colour = np.interp(np.arange(shape[1]), np.linspace(0, shape[1], 5), rng.uniform(-12, 6, 5))
    wide = np.linspace(1.5, 8, shape[1])
    return 10 ** (colour / 10) * rng.gamma(wide, 1 / wide, shape)


def _late_echo(power: np.ndarray, seconds: float) -> np.ndarray:
    """What is left in a room of what was heard before, at most as loud as that; treble dies sooner."""
    decay = 10 ** (-6 * 0.02 / np.linspace(seconds, seconds * 0.5, power.shape[1]))
    return np.stack([lfilter([0, 1 - d], [1, -d], band) for d, band in zip(decay, power.T, strict=True)], axis=1)


def speechless(items: list[dict[str, np.ndarray]], least: int = 100) -> list[np.ndarray]:
    """Powers of the stretches of 2 s and more in which nobody speaks, with a last column that says whether it is music."""
    stretches = []
    for item in items:
        edges = np.flatnonzero(np.diff(np.concatenate(([1], item["speech"] > 0, [1])).astype(int)))
        for a, b in edges.reshape(-1, 2):
            power = 10 ** (item["mels"][a:b].astype(np.float32) / 10)
            if b - a >= least and power.mean() > 1e-9:
                stretches.append(np.concatenate((power, item["music"][a:b, None] / 255), axis=1))
    return stretches


# --- fit ------------------------------------------------------------------------------------------------------------


def fit(args: argparse.Namespace) -> None:
    import torch
    from torch import nn

    from aramega.audio import speech_model as sm

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.workers)
    rng = np.random.default_rng(args.seed)
    names = sorted(args.data.glob("*.npz"), key=lambda p: int(p.stem))
    kept = [dict(np.load(p)) for p in names]
    held, train = kept[: len(kept) // 20], kept[len(kept) // 20 :]

    beds = speechless(train)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(mel.MEL_BANDS, sm.CHANNELS, sm.FIRST_TAPS, stride=2)
            self.blocks = nn.ModuleList(nn.Conv1d(sm.CHANNELS, sm.CHANNELS, 3, dilation=d) for d in sm.DILATIONS)
            self.head = nn.Conv1d(sm.CHANNELS, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = torch.relu(self.first(x))
            for block, d in zip(self.blocks, sm.DILATIONS, strict=True):
                h = h[..., d:-d] + torch.relu(block(h))
            return self.head(h)

    def batch(source: list[dict[str, np.ndarray]], size: int, *, augment: bool) -> tuple[torch.Tensor, torch.Tensor]:
        pairs = args.window
        xs, ys = [], []
        for _ in range(size):
            item = source[rng.integers(len(source))]
            start = 2 * int(rng.integers(0, max(1, len(item["mels"]) // 2 - pairs)))
            x = np.full((2 * pairs + 2 * sm.CONTEXT, mel.MEL_BANDS), -140, np.float32)
            a, b = max(0, start - sm.CONTEXT), min(len(item["mels"]), start + 2 * pairs + sm.CONTEXT)
            x[a - start + sm.CONTEXT : b - start + sm.CONTEXT] = item["mels"][a:b]
            over = 0.0
            y = np.zeros((2 * pairs, 2), np.float32)
            n = min(len(item["mels"]) - start, 2 * pairs)
            y[:n, 0], y[:n, 1] = item["speech"][start : start + n] / 255, item["music"][start : start + n] / 255
            if augment and rng.random() < 0.2:  # no speech at all, for as long as the model can hear
                bed = beds[rng.integers(len(beds))]
                lie = np.resize(bed, (len(x), bed.shape[1]))
                x = 10 * np.log10(lie[:, :-1] + 1e-14)
                y[:, 0], y[:, 1] = 0, lie[sm.CONTEXT : -sm.CONTEXT, -1]
            if augment:
                x, over = varied(rng, x, beds)
                x += rng.uniform(-25, 12)
                x += np.interp(np.arange(mel.MEL_BANDS), np.linspace(0, mel.MEL_BANDS, 6), rng.uniform(-4, 4, 6))
            y[:, 1] = np.maximum(y[:, 1], over)
            if augment and rng.random() < 0.08:  # silence as long as what the model hears at once, of any depth
                gap = slice(*sorted(int(v) for v in rng.integers(-500, 2 * pairs + 500, 2).clip(0, 2 * pairs)))
                x[gap.start + sm.CONTEXT : gap.stop + sm.CONTEXT] = rng.choice([-140.0, rng.uniform(-110, -70)])
                y[gap] = 0
            xs.append(sm.normalise(x).T)
            ys.append(np.stack([y[0::2, 0], y[1::2, 0], y[:, 1].reshape(-1, 2).mean(1)]))
        return torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(ys).astype(np.float32))

    net = Net()
    if args.start:
        net.load_state_dict(as_fitted(args.start, len(sm.DILATIONS)))
    print(f"{sum(p.numel() for p in net.parameters())} weights, {sum(len(k['mels']) for k in train) / 180000:.1f} h")
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, total_steps=args.steps)
    weight = torch.tensor([1.0, 1.0, 0.4])[None, :, None]
    dearer = torch.tensor([1.5, 1.5, 1.0])[:, None]  # lost speech is worse than kept noise
    check = [batch(held, 32, augment=False) for _ in range(4)]
    start, running = time.time(), 0.0
    for step in range(1, args.steps + 1):
        x, y = batch(train, args.batch, augment=True)
        loss = (
            nn.functional.binary_cross_entropy_with_logits(net(x), y, reduction="none", pos_weight=dearer) * weight
        ).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        running += float(loss.detach()) / 100
        if step % 100 == 0:
            with torch.no_grad():
                wrong = np.mean(
                    [((net(x) > 0) != (y > 0.5)).float().mean(dim=(0, 2)).numpy() for x, y in check], axis=0
                )
            print(
                f"{step:5d} loss {running:.4f} held-out wrong: speech {wrong[:2].mean():.4f} music {wrong[2]:.4f} {time.time() - start:.0f} s",
                flush=True,
            )
            running = 0.0
    state = {k: v.numpy() for k, v in net.state_dict().items()}
    weights = {
        "first": state["first.weight"],
        "first_bias": state["first.bias"],
        "head": state["head.weight"][..., 0],
        "head_bias": state["head.bias"],
    }
    for i in range(len(sm.DILATIONS)):
        weights |= {f"block{i}": state[f"blocks.{i}.weight"], f"block{i}_bias": state[f"blocks.{i}.bias"]}
    np.savez_compressed(args.weights, **{k: v.astype(np.float16) for k, v in weights.items()})
    print(f"{args.weights}: {args.weights.stat().st_size / 1000:.0f} kB")


def mix(args: argparse.Namespace) -> None:
    """Weights between `--start` and `--weights`, in place of the latter: they keep what the former knew of other sound."""
    before, after = np.load(args.start), np.load(args.weights)
    kept = {k: args.keep * before[k].astype(np.float32) + (1 - args.keep) * after[k] for k in before.files}
    np.savez_compressed(args.weights, **{k: v.astype(np.float16) for k, v in kept.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["make", "fit", "mix"])
    parser.add_argument("--data", type=Path, default=OUT)
    parser.add_argument("--clips", type=Path, help="folder with an index.csv; only its train split is read")
    parser.add_argument("--first", type=int, default=100_000, help="first seed")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--window", type=int, default=500, help="length of a training crop, in 40 ms steps")
    parser.add_argument("--start", type=Path, help="weights to begin from, such as the package's own")
    parser.add_argument("--keep", type=float, default=0.45, help="mix: the share of --start")
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    {"make": make, "fit": fit, "mix": mix}[args.step](args)


if __name__ == "__main__":
    main()
