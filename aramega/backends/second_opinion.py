"""silero-vad as a second opinion on doubtful stretches, many at once.

Its wheel carries the network as ONNX; importing the package itself would import torch, so only the file is
looked up. The network hears 32 ms at a time and remembers, so one stretch cannot be split, but many can run
side by side: stretches are sorted by length and stacked into batches, which is where the speed comes from.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aramega.records import RATE, AramegaError

Floats = npt.NDArray[np.float32]

STEP = 512
CONTEXT = 64
BATCH = 64
FRAME = 0.02


class SileroVad:
    """Callable: pieces of 16 kHz sound in, probability of speech per 20 ms frame of each out."""

    def __call__(self, pieces: Sequence[Floats]) -> list[Floats]:
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
        answers: list[Floats] = [np.zeros(0, np.float32)] * len(pieces)
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            for i, steps in zip(batch, self._run([pieces[i] for i in batch]), strict=True):
                answers[i] = _per_frame(steps, len(pieces[i]))
        return answers

    def _run(self, pieces: Sequence[Floats]) -> Floats:
        """(piece, step) probabilities; shorter pieces are padded with silence at their end."""
        steps = max(1, *(-(-len(p) // STEP) for p in pieces))
        sound = np.zeros((len(pieces), CONTEXT + steps * STEP), np.float32)
        for row, piece in zip(sound, pieces, strict=True):
            row[CONTEXT : CONTEXT + len(piece)] = piece
        state = np.zeros((2, len(pieces), 128), np.float32)
        odds = np.zeros((len(pieces), steps), np.float32)
        rate = np.array(RATE, np.int64)
        for i in range(steps):
            heard = np.ascontiguousarray(sound[:, i * STEP : i * STEP + CONTEXT + STEP])
            out, state = self._network.run(None, {"input": heard, "state": state, "sr": rate})
            odds[:, i] = out[:, 0]
        return odds

    @cached_property
    def _network(self) -> Any:
        try:
            import onnxruntime
        except ImportError:
            raise AramegaError(
                "segment.second_opinion needs onnxruntime: pip install 'aramega[second-opinion]'"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # one recording per process; processes share the cores
        )
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(network_file()), options, providers=["CPUExecutionProvider"])


def network_file() -> Path:
    """silero_vad.onnx inside the installed wheel."""
    found = importlib.util.find_spec("silero_vad")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.exists():
            return path
    raise AramegaError("segment.second_opinion needs silero-vad 6: pip install 'aramega[second-opinion]'")


def _per_frame(steps: Floats, samples: int) -> Floats:
    """Probabilities at the middles of 20 ms frames, from those at the middles of 32 ms steps."""
    frames = -(-samples // 320)
    middles = (np.arange(len(steps)) + 0.5) * STEP / RATE
    return np.asarray(np.interp((np.arange(frames) + 0.5) * FRAME, middles, steps), np.float32)
