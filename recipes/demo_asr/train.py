"""Train the demo's Whisper, on a CPU, within an hour or two: `python -m recipes.demo_asr.train --out runs/demo-asr`.

Three phases. First the encoder alone learns letters by CTC on short rows at drawn positions of the window; then the
decoder joins, on short rows and on rows of ten seconds with several utterances; last come whole 30 s windows, as
recognition will see them, among the short rows. Every batch is drawn from the seed and the step's number alone, so a
run that was killed goes on from its last checkpoint as if nothing had been, and a later run may lengthen any phase.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aramega.text import cer
from recipes.demo_asr.features import log_mel, mask
from recipes.demo_asr.model import DemoModel
from recipes.demo_asr.rows import Row, Source, Tokens, packed_rows, short_rows, windows
from recipes.demo_asr.voices import SpeechCache, fill_cache, recorded_speakers


@dataclass(frozen=True)
class Phase:
    """A stretch of training: until which step, on what, and how much CTC counts beside cross entropy."""

    name: str
    until: int
    letter_weight: float
    token_weight: float


@dataclass(frozen=True)
class Plan:
    """The phases of a training, its rates and its batches."""

    phases: tuple[Phase, ...]
    peak_rate: float = 1.5e-3
    warm_up: int = 300
    seed: int = 0
    short_batch: int = 16
    precision: torch.dtype = torch.float32

    @property
    def steps(self) -> int:
        return self.phases[-1].until

    def phase(self, step: int) -> Phase:
        return next(phase for phase in self.phases if step < phase.until)

    def rate(self, step: int) -> float:
        """Up over the warm-up, then straight down to a fiftieth at the end."""
        if step < self.warm_up:
            return self.peak_rate * (step + 1) / self.warm_up
        left = (self.steps - step) / max(1, self.steps - self.warm_up)
        return self.peak_rate * max(0.02, left)


def make_phases(letters: int, joint: int, whole: int) -> tuple[Phase, ...]:
    return (
        Phase("letters", letters, 1.0, 0.0),
        Phase("joint", letters + joint, 0.5, 1.0),
        Phase("windows", letters + joint + whole, 0.3, 1.0),
    )


def draw_rows(source: Source, phase: Phase, plan: Plan, step: int) -> list[Row]:
    """Draw the rows of one step, of the kinds that its phase trains on."""
    rng = random.Random(f"{plan.seed}/{step}")
    kind = rng.random()
    if phase.name == "windows" and kind < 0.2:
        return windows(source, rng, 4)
    if phase.name == "windows" and kind < 0.75:
        # A window's end costs most and teaches least: packed rows need not be padded to their 30 s to be learned.
        seconds = rng.uniform(12, 29)
        return packed_rows(source, rng, round(100 / seconds), seconds=seconds)
    if phase.name != "letters" and kind > 0.85:
        return packed_rows(source, rng, plan.short_batch // 3, seconds=rng.uniform(6, 12))
    return short_rows(source, rng, plan.short_batch)


def losses(model: DemoModel, rows: Sequence[Row], phase: Phase, rng: random.Random) -> tuple[Tensor, Tensor]:
    """CTC's and the decoder's loss on these rows."""
    mel = mask(log_mel(torch.from_numpy(np.stack([row.audio for row in rows]))), rng)
    # Timestamps count from the window's start, so only CTC alone may listen anywhere in it.
    offset = rng.randint(0, 1500 - mel.shape[2] // 2) if phase.token_weight == 0 else 0
    encoded = model.encode(mel, offset=offset)
    letter_loss = model.letter_loss(encoded, rows)
    token_loss = model.token_loss(encoded, rows) if phase.token_weight else torch.zeros(())
    return letter_loss, token_loss


def train(
    model: DemoModel, source: Source, plan: Plan, out: Path, *, save_every: int = 100, log_every: int = 50
) -> None:
    """Train to the plan's end from wherever `out` stands."""
    out.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.peak_rate, betas=(0.9, 0.98), weight_decay=0.01)
    step, spent = load_state(out, model, optimizer)
    began, averages = time.perf_counter(), np.zeros(2)
    while step < plan.steps:
        phase = plan.phase(step)
        rows = draw_rows(source, phase, plan, step)
        with torch.autocast("cpu", plan.precision, enabled=plan.precision != torch.float32):
            letter_loss, token_loss = losses(model, rows, phase, random.Random(f"{plan.seed}/{step}/mask"))
        loss = phase.letter_weight * letter_loss + phase.token_weight * token_loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step)
        optimizer.step()
        step += 1
        averages += [float(letter_loss.detach()), float(token_loss.detach())]
        if step % log_every == 0:
            report = {"step": step, "phase": phase.name, "seconds": round(spent + time.perf_counter() - began)}
            report |= {"ctc": round(averages[0] / log_every, 3), "ce": round(averages[1] / log_every, 3)}
            report |= {"ctc_cer": letter_cer(model, source, plan, step)} if step % 200 == 0 else {}
            averages[:] = 0
            log(out, report)
        if step % save_every == 0 or step == plan.steps:
            save_state(out, model, optimizer, step, spent + time.perf_counter() - began)


@torch.inference_mode()
def letter_cer(model: DemoModel, source: Source, plan: Plan, step: int) -> float:
    """The CTC head's CER on fresh short rows of the training voices: a quick signal, no result."""
    rows = short_rows(source, random.Random(f"{plan.seed}/{step}/look"), 16)
    encoded = model.encode(log_mel(torch.from_numpy(np.stack([row.audio for row in rows]))))
    return round(cer([row.text for row in rows], model.read_letters(encoded)), 3)


def log(out: Path, report: dict[str, object]) -> None:
    line = json.dumps(report)
    print(line, flush=True)
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def save_state(out: Path, model: DemoModel, optimizer: torch.optim.Optimizer, step: int, spent: float) -> None:
    """Write the checkpoint beside the old one, then rename it: a kill in between leaves the old one whole."""
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "spent": spent}
    torch.save(state, out / "state.pt.new")
    os.replace(out / "state.pt.new", out / "state.pt")


def load_state(out: Path, model: DemoModel, optimizer: torch.optim.Optimizer | None = None) -> tuple[int, float]:
    """The step the checkpoint stands at and the seconds spent on it; nothing there: the beginning."""
    if not (out / "state.pt").exists():
        return 0, 0.0
    state = torch.load(out / "state.pt", weights_only=True)
    model.load_state_dict(state["model"])
    if optimizer is not None:
        optimizer.load_state_dict(state["optimizer"])
    return state["step"], state["spent"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the demo's small Whisper.")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint, log and speech cache; resumed if there")
    parser.add_argument("--speech-commands", type=Path, help="the Arabic Speech Commands folder, if you have it")
    parser.add_argument("--cache", type=Path, help="the synthetic speech (default: OUT/cache)")
    parser.add_argument("--utterances", type=int, default=20_000, help="how many to synthesize")
    parser.add_argument("--letters", type=int, default=5000, help="steps of CTC alone")
    parser.add_argument("--joint", type=int, default=4000, help="steps with the decoder, on short rows")
    parser.add_argument("--windows", type=int, default=1500, help="steps on whole 30 s windows")
    parser.add_argument("--peak-rate", type=float, default=1.5e-3, help="the learning rate after the warm-up")
    parser.add_argument("--real-share", type=float, default=0.5, help="of utterances by real speakers, if given")
    parser.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="bfloat16 saves a fifth of the time on CPUs that know it (avx512_bf16), and costs time on others",
    )
    options = parser.parse_args()

    cache = options.cache or options.out / "cache"
    fill_cache(cache, utterances=options.utterances)
    speakers = recorded_speakers(options.speech_commands, "train") if options.speech_commands else []
    torch.manual_seed(0)
    model = DemoModel(Tokens())
    plan = Plan(
        make_phases(options.letters, options.joint, options.windows),
        peak_rate=options.peak_rate,
        precision=getattr(torch, options.precision),
    )
    train(model, Source(SpeechCache(cache), speakers, real_share=options.real_share), plan, options.out)


if __name__ == "__main__":
    main()
