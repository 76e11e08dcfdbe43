"""The frame table: the same for the same sound, however it is fed, and sane for the strangest sound."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.audio.frames import BLOCK, CHUNK_BLOCKS, JUDGED_FRAMES, FrameAnalyzer
from aramega.audio.mel import HOP
from aramega.audio.table import FrameTable, join_stretches
from tests.support import synth

RATE = synth.RATE


def table_of(audio: np.ndarray, block: int = 30 * RATE) -> FrameTable:
    analyzer = FrameAnalyzer()
    for start in range(0, len(audio), block):
        analyzer.feed(audio[start : start + block])
    return analyzer.finish()


def columns(table: FrameTable) -> dict[str, np.ndarray]:
    own = {f.name: getattr(table, f.name) for f in dataclasses.fields(table)}
    landmarks = own.pop("landmarks")
    arrays = {name: column for name, column in own.items() if name not in ("seconds", "measures")}
    return {**arrays, "landmark_frames": landmarks.frames, "landmark_bits": landmarks.bits}


def assert_same(one: FrameTable, other: FrameTable) -> None:
    assert (one.seconds, one.measures) == (other.seconds, other.measures)
    for (name, column), same in zip(columns(one).items(), columns(other).values(), strict=True):
        np.testing.assert_array_equal(column, same, err_msg=name)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Longer than one minute that the model hears at once, and no multiple of anything."""
    rng = np.random.default_rng(5)
    pieces = [synth.scaled(synth.melody(rng, 20.0), 0.1), synth.coloured(rng, 31.7, 0.5) * 0.02]
    pieces.append(synth.scaled(synth.drums(rng, 15.0), 0.1)[:-77])
    return np.concatenate(pieces).astype(np.float32)


@pytest.fixture(scope="module")
def expected(sound: np.ndarray) -> FrameTable:
    return table_of(sound)


@settings(max_examples=12, deadline=None)
@given(sizes=st.lists(st.one_of(st.integers(1, 700), st.integers(1, 20 * RATE)), min_size=1, max_size=8))
def test_the_size_of_the_pieces_fed_changes_nothing(sound: np.ndarray, expected: FrameTable, sizes: list[int]) -> None:
    analyzer, at, turn = FrameAnalyzer(), 0, 0
    while at < len(sound):
        size = sizes[turn % len(sizes)] if turn < 400 else 7 * RATE
        analyzer.feed(sound[at : at + size])
        at, turn = at + size, turn + 1
    assert_same(analyzer.finish(), expected)


@pytest.fixture(scope="module")
def half_an_hour() -> np.ndarray:
    """Two chunks and a bit, with sound at their borders."""
    rng = np.random.default_rng(8)
    piece = np.concatenate(
        [
            synth.scaled(synth.melody(rng, 13.0), 0.1),
            synth.coloured(rng, 7.7, 0.5) * 0.02,
            synth.scaled(synth.drums(rng, 9.0), 0.2),
        ]
    )
    return np.resize(piece, round(1267.3 * RATE)).astype(np.float32)


@pytest.mark.parametrize("spare", [BLOCK, 0, 100])
def test_stretches_heard_apart_join_without_a_seam(half_an_hour: np.ndarray, spare: int) -> None:
    """To the last bit; also where the recording ends within the block after a stretch."""
    chunk = CHUNK_BLOCKS * BLOCK
    audio = half_an_hour if spare == BLOCK else half_an_hour[: 2 * chunk + spare]
    stretches = []
    for first, end in ((0, 1), (1, 2), (2, None)):
        analyzer = FrameAnalyzer(first * CHUNK_BLOCKS, None if end is None else end * CHUNK_BLOCKS)
        analyzer.feed(audio[max(0, first * chunk - BLOCK) : None if end is None else end * chunk + BLOCK])
        stretches.append(analyzer.stretch())
    assert_same(join_stretches(stretches), table_of(audio))


def test_one_sample_at_a_time_gives_the_same_table(sound: np.ndarray) -> None:
    short = sound[: RATE // 2]
    assert_same(table_of(short, block=1), table_of(short))


@pytest.mark.parametrize("extra", [-1, 0, 1, 95, 96, 97])
def test_lengths_about_the_inner_block_lose_no_sample(sound: np.ndarray, extra: int) -> None:
    audio = sound[: BLOCK + extra]
    table = table_of(audio, block=5000)
    assert table.seconds == len(audio) / RATE
    assert len(table.speech) == len(table.level) == -(-len(audio) // HOP)
    assert_same(table, table_of(audio))


def test_what_comes_later_does_not_change_what_the_model_said_long_before(sound: np.ndarray) -> None:
    quarter = table_of(np.concatenate((sound[: 40 * RATE], np.zeros(40 * RATE, np.float32))))
    whole = table_of(sound)
    np.testing.assert_array_equal(quarter.speech[: 37 * 50], whole.speech[: 37 * 50])


def test_minutes_meet_without_a_seam(sound: np.ndarray) -> None:
    """The same sound, shifted so that it lies elsewhere against the model's minutes, is judged the same."""
    shift = 13 * 50  # frames
    shifted = table_of(np.concatenate((np.zeros(shift * HOP, np.float32), sound)))
    straight = table_of(sound)
    edge = 150
    difference = np.abs(straight.speech[edge:].astype(int) - shifted.speech[shift + edge :].astype(int))
    assert len(straight.speech) > JUDGED_FRAMES
    assert difference.max() <= 1


def test_a_saved_table_has_the_same_bytes_each_time_and_loads_as_it_was(expected: FrameTable, tmp_path) -> None:
    expected.save(tmp_path / "one.part")
    expected.save(tmp_path / "two.part")
    assert (tmp_path / "one.part").read_bytes() == (tmp_path / "two.part").read_bytes()
    assert_same(FrameTable.load(tmp_path / "one.part"), expected)


def test_an_hour_fits_in_six_tenths_of_a_megabyte(expected: FrameTable) -> None:
    held = sum(column.nbytes for column in columns(expected).values())
    assert held * 3600 / expected.seconds < 650_000


def test_nothing_at_all_gives_an_empty_table() -> None:
    table = FrameAnalyzer().finish()
    assert table.seconds == 0
    assert all(len(column) == 0 for column in columns(table).values())
    assert table.measures.loudness_lufs is None


def test_a_fifth_of_a_second_is_enough() -> None:
    table = table_of(np.full(RATE // 5, 0.1, np.float32))
    assert table.seconds == pytest.approx(0.2)
    assert len(table.speech) == 10


def test_digital_silence_is_neither_speech_nor_music() -> None:
    table = table_of(np.zeros(20 * RATE, np.float32))
    assert table.speech.max() < 64
    assert table.music.max() < 128
    assert table.level.max() == 0
    assert not table.gate_frames(0, len(table.speech)).any()


def test_samples_that_are_no_numbers_become_silence_and_are_counted() -> None:
    rng = np.random.default_rng(1)
    clean = (rng.standard_normal(14 * RATE) * 0.05).astype(np.float32)
    broken, silenced = clean.copy(), clean.copy()
    wrong = rng.choice(len(clean), 300, replace=False)
    broken[wrong] = np.array([np.nan, np.inf, -np.inf] * 100, np.float32)
    silenced[wrong] = 0
    table = table_of(broken)
    assert table.measures.nonfinite_samples == 300
    assert_same(dataclasses.replace(table, measures=table_of(silenced).measures), table_of(silenced))


def test_a_full_scale_square_wave_is_clipped_and_no_speech() -> None:
    square = np.sign(np.sin(2 * np.pi * 200 * np.arange(10 * RATE) / RATE) + 1e-9).astype(np.float32)
    table = table_of(square)
    assert table.measures.clipped_share == 1.0
    assert table.measures.peak_dbfs == pytest.approx(0, abs=1e-6)
    assert (table.speech >= 128).mean() < 0.05


def test_samples_beyond_full_scale_are_taken_as_they_are() -> None:
    table = table_of(np.sin(np.arange(5 * RATE) / 5).astype(np.float32) * 1.5)
    assert table.measures.peak_dbfs == pytest.approx(20 * np.log10(1.5), abs=0.01)


def test_webrtcvads_verdicts_line_up_with_the_frames() -> None:
    """Speech-like noise from second 6 to 9 opens the gate there and nowhere else."""
    rng = np.random.default_rng(2)
    audio = np.zeros(15 * RATE, np.float32)
    audio[6 * RATE : 9 * RATE] = synth.scaled(synth.singing(rng, 3.0), 0.2)
    table = table_of(audio)
    gate = table.gate_frames(0, len(table.speech))
    assert gate[6 * 50 + 5 : 9 * 50 - 5].mean() > 0.8
    assert not gate[: 6 * 50 - 3].any()
    assert not gate[10 * 50 :].any()
