"""Frame tables made by hand, to test decisions without any sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aramega.audio.table import FrameTable
from aramega.records import Measures

FPS = 50
QUIET, LOUD = 75, 195  # half decibels over -127.5: -90 and -30 dBFS
MEASURES = Measures(loudness_lufs=None, peak_dbfs=-20.0, clipped_share=0.0, bandwidth_hz=8000.0, dc_offset=0.0)


def table(
    seconds: float,
    speech: Iterable[tuple[float, float]] = (),
    music: Iterable[tuple[float, float]] = (),
    *,
    gate_open: bool = True,
) -> FrameTable:
    """A recording where speech and music are certain and loud where said, and nothing sounds elsewhere."""
    frames = int(np.ceil(seconds * FPS - 1e-9))
    odds, level = np.zeros(frames, np.uint8), np.full(frames, QUIET, np.uint8)
    tune = np.zeros(-(-frames // 4), np.uint8)
    for a, b in speech:
        odds[round(a * FPS) : round(b * FPS)] = 255
        level[round(a * FPS) : round(b * FPS)] = LOUD
    for a, b in music:
        tune[round(a * FPS / 4) : round(b * FPS / 4)] = 255
        level[round(a * FPS) : round(b * FPS)] = LOUD
    gate = np.full(-(-frames // 12), 255 if gate_open else 0, np.uint8)
    tenths, rows = -(-frames // 5), -(-frames // 100)
    return FrameTable(
        seconds=seconds,
        measures=MEASURES,
        speech=odds,
        level=level,
        music=tune,
        gate=gate,
        loudness=level[::5][:tenths].copy(),
        bands=np.zeros((rows, 32), np.uint8),
    )
