"""A small model that hears speech and music: mel spectra in, two probabilities per instant out.

webrtcvad calls all music speech and silero-vad costs more than the rest of the build together. This is the middle:
six dilated convolutions of 32 channels over 40 mel bands, 2.6 s of sound to either side, in plain numpy. One layer
finds edges and partials within 120 ms, each next one looks twice as far, so that rhythm, held notes and the
syllables of speech are told apart by how the spectrum moves rather than by its level.

It was fitted by `benchmarks/train_speech_model.py` on made-up sound: espeak-ng's, flite's and festival's voices,
recorded Arabic words of twelve speakers (Arabic Speech Commands, CC BY 4.0), those words slowed, chanted and given
other throats, in rooms and halls, over music, birds and choirs; music from synthesis and from sampled instruments,
songs, noise. "Speech" there includes a voice that recites alone, a voice over a music bed and the short gaps between
words. Where it errs: a song may be taken for speech where the voice stands out, and a reading for a song where a choir
is as loud; a lone instrument that slides like a voice (a solo fiddle, a wah-wah) may be taken for speech; shouted or
cartoonish short cries and talk buried under loud music may be lost.
silero-vad, fitted on thousands of hours, knows real voices and real music better; this model knows edges better.
Its probabilities are a measure, not a decision: thresholds, durations and doubt are `stages/segment`'s.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CHANNELS = 32
FIRST_TAPS = 6
DILATIONS = (1, 2, 4, 8, 16, 32)
CONTEXT = 2 + 2 * sum(DILATIONS)
"""Frames of sound the model wants before and after those it judges."""
NO_SOUND = -140.0
"""Decibels to give as context where the recording has not begun or is over."""

WEIGHTS = Path(__file__).with_name("speech_model.npz")


def speech_and_music(mels: Floats) -> tuple[Floats, Floats]:
    """Probabilities of speech, one per frame, and of music, one per two frames.

    `mels` are decibels of an even number of frames with `CONTEXT` frames more at either end.
    """
    weights = _weights()
    sound = normalise(mels)
    taps = np.lib.stride_tricks.sliding_window_view(sound.reshape(-1), FIRST_TAPS * sound.shape[1])
    hidden = taps[:: 2 * sound.shape[1]] @ weights["first"]
    hidden += weights["first_bias"]
    np.maximum(hidden, 0, out=hidden)
    for i, d in enumerate(DILATIONS):
        near = np.concatenate((hidden[: -2 * d], hidden[d:-d], hidden[2 * d :]), axis=1)
        change = near @ weights[f"block{i}"]
        change += weights[f"block{i}_bias"]
        np.maximum(change, 0, out=change)
        change += hidden[d:-d]
        hidden = change
    logits = hidden @ weights["head"] + weights["head_bias"]
    odds = np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
    return odds[:, :2].reshape(-1), odds[:, 2].copy()


def normalise(mels: Floats) -> Floats:
    """Decibels to the model's scale. Below -100 dB per band lies only the rounding of 16-bit samples."""
    return np.asarray((np.maximum(mels, -100) + 65) / 20, np.float32)


@cache
def _weights() -> dict[str, Floats]:
    """The weights, laid out for `rows @ matrix`."""
    with np.load(WEIGHTS) as stored:
        weights = {name: stored[name].astype(np.float32) for name in stored.files}
    for name, value in weights.items():
        if value.ndim == 3:  # (out, in, taps) as fitted
            weights[name] = np.ascontiguousarray(value.transpose(2, 1, 0).reshape(-1, value.shape[0]))
        elif value.ndim == 2:
            weights[name] = np.ascontiguousarray(value.T)
    return weights
