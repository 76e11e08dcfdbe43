"""silero-vad as a second opinion on doubtful stretches, many at once.

Its wheel carries the network as ONNX; importing the package itself would import torch, so only the file is
looked up. The network hears 32 ms at a time and remembers, so the steps of one stretch follow one another, but
many stretches run side by side in a batch, which is where the speed comes from.
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
FRAME = 0.02


def require_second_opinion() -> None:
    """Say at once what is missing, rather than once for every recording."""
    network_file()
    if not importlib.util.find_spec("onnxruntime"):
        raise AramegaError(
            "segment.second_opinion needs onnxruntime: pip install '.[second-opinion]' in aramega's clone"
        )


class SileroVad:
    """Callable: pieces of 16 kHz sound in, probability of speech per 20 ms frame of each out."""

    def __call__(self, pieces: Sequence[Floats]) -> list[Floats]:
        """The pieces are one batch: give pieces of like length, for shorter ones are padded with silence."""
        steps = max(1, *(-(-len(p) // STEP) for p in pieces)) if pieces else 0
        sound = np.zeros((len(pieces), CONTEXT + steps * STEP), np.float32)
        for row, piece in zip(sound, pieces, strict=True):
            row[CONTEXT : CONTEXT + len(piece)] = piece
        state = np.zeros((2, len(pieces), 128), np.float32)
        odds = np.zeros((len(pieces), steps), np.float32)
        for i in range(steps):
            heard = np.ascontiguousarray(sound[:, i * STEP : i * STEP + CONTEXT + STEP])
            out, state = self._network.run(None, {"input": heard, "state": state, "sr": np.array(RATE, np.int64)})
            odds[:, i] = out[:, 0]
        return [_per_frame(row, len(piece)) for row, piece in zip(odds, pieces, strict=True)]

    @cached_property
    def _network(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = (
            1  # one recording per process; processes share the cores
        )
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(network_file()), options, providers=["CPUExecutionProvider"])


def network_file() -> Path:
    """silero_vad.onnx inside the installed wheel."""
    spec = importlib.util.find_spec("silero_vad")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "data" / "silero_vad.onnx"
        if path.exists():
            return path
    raise AramegaError("segment.second_opinion needs silero-vad 6: pip install '.[second-opinion]' in aramega's clone")


def _per_frame(steps: Floats, samples: int) -> Floats:
    """Probabilities at the middles of 20 ms frames, from those at the middles of 32 ms steps."""
    frames = -(-samples // 320)
    middles = (np.arange(len(steps)) + 0.5) * STEP / RATE
    return np.asarray(np.interp((np.arange(frames) + 0.5) * FRAME, middles, steps), np.float32)
