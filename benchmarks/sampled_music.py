"""Random pieces of music played by sampled instruments, to fit the speech model on.

A piece is a tempo, a scale and a few parts (drums, bass, chords, melody, arpeggio, held notes), each with an
instrument of the General MIDI set, written as a MIDI file and played by fluidsynth with a soundfont
(Debian: fluidsynth, fluid-soundfont-gm, which is MIT-licensed). Synthesised waves alone do not teach
a model what a bowed string, a brass section or a drum kit in a room sounds like.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 16_000
TICKS = 96  # per beat
SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 1, 4, 5, 7, 8, 11),
    (0, 2, 4, 7, 9),
    (0, 2, 3, 5, 7, 9, 10),
)
EFFECTS = range(120, 128)  # applause, gunshot, telephone, seashore: not music

Event = tuple[int, bytes]  # (tick, message)


def piece(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """A random piece, from its first note on."""
    tempo = rng.uniform(60, 180)
    beats = int(seconds * tempo / 60) + 2
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "p.mid", Path(folder) / "p.wav"
        midi.write_bytes(midi_file(compose(rng, beats), tempo))
        reverb = str(float(rng.random() < 0.7))
        command = [
            "fluidsynth",
            "-q",
            "-ni",
            "-g",
            "0.6",
            "-r",
            "16000",
            "-o",
            f"synth.reverb.active={int(float(reverb))}",
        ]
        subprocess.run([*command, "-F", wav, SOUNDFONT, midi], check=True, capture_output=True)
        audio, _ = sf.read(wav, dtype="float32", always_2d=True)
    audio = audio.mean(axis=1)
    loud = np.flatnonzero(np.abs(audio) > 1e-4)
    audio = audio[loud[0] :] if len(loud) else audio
    return np.pad(audio, (0, max(0, int(seconds * RATE) - len(audio))), mode="wrap")[: int(seconds * RATE)]


def compose(rng: np.random.Generator, beats: int) -> list[Event]:
    events: list[Event] = []
    scale, root = SCALES[rng.integers(len(SCALES))], int(rng.integers(36, 48))
    chords = rng.choice([0, 3, 4, 5, 1], rng.integers(2, 5))
    makers = [bass, harmony, melody, arpeggio, held]
    for channel in range(int(rng.choice([1, 1, 2, 3, 4, 5]))):
        program = int(rng.choice([p for p in range(128) if p not in EFFECTS]))
        events.append((0, bytes([0xC0 | channel, program])))
        maker = makers[rng.integers(len(makers))]
        for at, length, degree, velocity in maker(rng, beats, chords):
            key = root + int(scale[degree % len(scale)] + 12 * (degree // len(scale)))
            events += _note(channel, at, length, int(np.clip(key, 20, 105)), velocity)
    if rng.random() < 0.5:
        events += drums(rng, beats)
    return sorted(events, key=lambda e: e[0])


Notes = list[tuple[float, float, int, int]]  # beat, beats, scale degree, velocity


def bass(rng: np.random.Generator, beats: int, chords: np.ndarray) -> Notes:
    step, octave = rng.choice([0.5, 1, 2]), int(rng.choice([0, 7]))
    return [
        (b, step * 0.9, int(chords[int(b) // 4 % len(chords)]) + octave, int(rng.integers(70, 110)))
        for b in np.arange(0, beats, step)
    ]


def harmony(rng: np.random.Generator, beats: int, chords: np.ndarray) -> Notes:
    step, short = rng.choice([0.5, 1, 2, 4]), rng.uniform(0.3, 1.0)
    return [
        (b, step * short, int(chords[int(b) // 4 % len(chords)]) + third + 14, int(rng.integers(50, 90)))
        for b in np.arange(0, beats, step)
        for third in (0, 2, 4)
        if rng.random() < 0.9
    ]


def melody(rng: np.random.Generator, beats: int, chords: np.ndarray) -> Notes:
    notes: Notes = []
    at, degree, short = 0.0, 14 + int(rng.integers(0, 10)), rng.uniform(0.4, 1.1)
    while at < beats:
        length = float(rng.choice([0.25, 0.5, 0.5, 1, 1, 2]))
        degree = int(np.clip(degree + rng.integers(-3, 4), 7, 30))
        if rng.random() > 0.12:
            notes.append((at, length * short, degree, int(rng.integers(60, 120))))
        at += length
    return notes


def arpeggio(rng: np.random.Generator, beats: int, chords: np.ndarray) -> Notes:
    step, order = rng.choice([0.25, 0.5, 1 / 3]), rng.permutation([0, 2, 4, 7])
    return [
        (b, step, int(chords[int(b) // 4 % len(chords)]) + int(order[i % 4]) + 14, int(rng.integers(50, 100)))
        for i, b in enumerate(np.arange(0, beats, step))
    ]


def held(rng: np.random.Generator, beats: int, chords: np.ndarray) -> Notes:
    step = float(rng.choice([2, 4, 8]))
    return [
        (b, step, int(chords[int(b) // 4 % len(chords)]) + t + 14, 70)
        for b in np.arange(0, beats, step)
        for t in (0, 4, 9)
    ]


def drums(rng: np.random.Generator, beats: int) -> list[Event]:
    """A pattern of one bar of sixteenths on the percussion channel."""
    events: list[Event] = []
    kit = [(36, 0.3), (38, 0.2), (42, 0.6), (int(rng.integers(35, 82)), 0.25), (int(rng.integers(35, 82)), 0.15)]
    patterns = [(key, rng.random(16) < share) for key, share in kit]
    for sixteenth in range(beats * 4):
        for key, hits in patterns:
            if hits[sixteenth % 16]:
                events += _note(9, sixteenth / 4, 0.2, key, int(rng.integers(60, 120)))
    return events


def _note(channel: int, at: float, length: float, key: int, velocity: int) -> list[Event]:
    start, end = round(at * TICKS), round((at + length) * TICKS)
    return [(start, bytes([0x90 | channel, key, velocity])), (max(end, start + 1), bytes([0x80 | channel, key, 0]))]


def midi_file(events: list[Event], tempo: float) -> bytes:
    """A type 0 MIDI file."""
    track = b"\x00\xff\x51\x03" + round(60e6 / tempo).to_bytes(3, "big")
    at = 0
    for tick, message in events:
        track += _variable_length(tick - at) + message
        at = tick
    track += b"\x00\xff\x2f\x00"
    header = (
        b"MThd" + (6).to_bytes(4, "big") + (0).to_bytes(2, "big") + (1).to_bytes(2, "big") + TICKS.to_bytes(2, "big")
    )
    return header + b"MTrk" + len(track).to_bytes(4, "big") + track


def _variable_length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(out[::-1])
