"""Channels: what cancels, what is empty and what is two things at once never reaches the segmenter as an average."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from aramega.audio.channels import PART, ChannelCounts, Verdict, count, first_guess, judge, mix
from aramega.audio.decode import Decoder, probe

RATE = 16_000
Samples = npt.NDArray[np.int16]


def voice(seed: int, seconds: int = 60, *, talks: float = 0.7) -> npt.NDArray[np.float64]:
    """Syllables of noise in phrases with pauses between: as loud, and as much at work, as somebody who speaks."""
    random = np.random.default_rng(seed)
    syllables = np.repeat(random.uniform(0.1, 1, seconds * 5), RATE // 5)
    phrases = np.repeat(random.random(seconds) < talks, RATE)
    return random.normal(0, 3000, seconds * RATE) * syllables * phrases + random.normal(0, 5, seconds * RATE)


def stereo(left: npt.ArrayLike, right: npt.ArrayLike) -> Samples:
    return np.stack([np.asarray(left), np.asarray(right)], axis=1).clip(-32768, 32767).astype(np.int16)


def verdict(pairs: Samples) -> Verdict:
    return judge(2, "mean", "auto", mix(pairs, slice(0, None))[1])


A, B = voice(1), voice(2)
WIDE, HISS = np.random.default_rng(3).normal(0, 600, (2, A.size))
TURNS = np.repeat(np.arange(6) % 2 == 0, 10 * RATE)
TONE = 4000 * np.sign(np.sin(np.arange(A.size) * 0.8))

LAYOUTS = {
    "dual mono": (A, A, "mean"),
    "stereo": (A + WIDE, A + HISS, "mean"),
    "inverted": (A, -A, "mean"),
    "partly inverted": (A, np.where(np.arange(A.size) < 50 * RATE, A, -A), "mean"),
    "left only": (A, HISS / 100, "left"),
    "right only": (0 * A, A, "right"),
    "tone on the right": (A, TONE, "left"),
    "tone on the left": (TONE, A, "right"),
    "two speakers": (A * TURNS + HISS / 50, B * ~TURNS + WIDE / 50, "mean"),
    "two programmes": (A, B, "left"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_kind_of_stereo_is_told_and_has_its_downmix(layout: str) -> None:
    left, right, downmix = LAYOUTS[layout]
    assert verdict(stereo(left, right)) == Verdict(layout, downmix)  # type: ignore[arg-type]


def test_two_microphones_in_one_room_are_stereo_though_their_waveforms_differ() -> None:
    """A spaced pair: each hears the same voice by another way, loud and soft at the same time."""
    random = np.random.default_rng(4)
    loudness = np.abs(voice(1)) > 20
    assert verdict(stereo(*(random.normal(0, 3000, (2, A.size)) * loudness * np.abs(A) / 3000))).layout == "stereo"


def test_a_voice_of_another_level_upside_down_is_turned_over_too() -> None:
    mixed, counts = mix(stereo(A, -0.5 * A), slice(0, None))
    assert judge(2, "mean", "auto", counts).layout == "inverted"
    assert np.sqrt(np.mean(mixed.astype(float) ** 2)) == pytest.approx(0.75 * np.sqrt(np.mean(A**2)), rel=0.01)


def test_the_average_of_one_thing_twice_is_that_thing_and_of_its_inverse_too() -> None:
    pairs = stereo(A, A)
    assert np.array_equal(mix(pairs, slice(0, None))[0], pairs[:, 0])
    loudest = np.full(PART, -32768, np.int16)
    pairs[:PART] = np.stack([-(loudest + 1), loudest], axis=1)
    assert np.array_equal(mix(pairs, slice(0, None))[0][PART:], pairs[PART:, 0])
    assert mix(pairs, slice(0, None))[0][:PART].min() > 32000, "full scale upside down overflows nothing"


def test_where_the_phase_changes_midway_nothing_is_lost_on_either_side() -> None:
    cut = 20 * RATE
    left = A.astype(np.int16)
    mixed, _ = mix(stereo(left, np.concatenate([left[:cut], -left[cut:]])), slice(0, None))
    assert np.array_equal(mixed, left)


def test_silence_and_faint_noise_say_nothing_against_a_recording() -> None:
    assert verdict(np.zeros((10 * RATE, 2), np.int16)) == Verdict("stereo", "mean")
    faint = np.random.default_rng(5).normal(0, 10, (10 * RATE, 2)).astype(np.int16)
    assert verdict(faint) == Verdict("stereo", "mean")


def test_counts_of_ranges_add_up_to_the_counts_of_the_whole_whatever_is_decoded_about_them() -> None:
    pairs = stereo(A, np.where(TURNS, -A, B))
    whole = mix(pairs, slice(0, None))[1]
    third = 40 * PART
    ranges = [
        mix(pairs[: third + 7 * PART], slice(0, 40))[1],
        mix(pairs[third - PART :], slice(1, None))[1],
    ]
    total = sum(ranges, ChannelCounts())
    assert (total.opposed, total.unrelated, total.same, total.parts) == (
        whole.opposed,
        whole.unrelated,
        whole.same,
        whole.parts,
    )
    assert np.array_equal(total.levels, whole.levels)


def test_what_a_curator_asks_for_is_done_and_the_layout_is_told_all_the_same() -> None:
    counts = count(stereo(A, B), slice(0, None))
    assert judge(2, "mean", "mean", counts) == Verdict("two programmes", "mean")
    assert first_guess(2, "stereo", "right") == "right"
    assert first_guess(6, "5.1(side)", "auto") == "centre"
    assert first_guess(6, "5.1(side)", "mean") == "all"
    assert first_guess(4, "quad", "auto") == "all"
    assert first_guess(1, "mono", "left") == "only"


def decoded(path: Path, downmix: str = "mean") -> tuple[Samples, ChannelCounts]:
    with Decoder(str(path), probe(str(path)), downmix=downmix) as decoder:  # type: ignore[arg-type]
        samples = np.concatenate(list(decoder))
    return samples, decoder.channel_counts


def ffmpeg(*arguments: str) -> bytes:
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], capture_output=True, check=True).stdout


def level(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768 + 1e-9))


def test_a_phase_inverted_broadcast_is_as_loud_as_the_same_in_mono(broadcast: Path, tmp_path: Path) -> None:
    """By ffmpeg's average it is 31 dB softer and more."""
    path = tmp_path / "inverted.mp3"
    ffmpeg("-i", str(broadcast), "-af", "pan=stereo|c0=c0|c1=-1*c0", "-ar", "44100", "-b:a", "128k", str(path))
    mono, _ = decoded(broadcast, "only")
    ours, counts = decoded(path)
    theirs = np.frombuffer(ffmpeg("-i", str(path), "-ac", "1", "-ar", "16000", "-f", "s16le", "-"), "<i2")
    assert level(theirs) < level(mono) - 20
    assert level(ours) == pytest.approx(level(mono), abs=0.5)
    assert judge(2, "mean", "auto", counts).layout == "inverted"


@pytest.mark.parametrize("encoding", ["wav -c:a pcm_s16le", "flac", "mp3 -b:a 48k", "ogg", "wav -c:a pcm_f32le"])
def test_what_is_decoded_of_a_mono_file_has_the_hash_that_it_always_had(
    broadcast: Path, tmp_path: Path, encoding: str
) -> None:
    suffix, *options = encoding.split()
    path = tmp_path / f"mono.{suffix}"
    ffmpeg("-i", str(broadcast), "-t", "65", "-ar", "22050", *options, str(path))
    found = probe(str(path))
    guess = first_guess(found.channels, found.channel_layout, "auto")
    with Decoder(str(path), found, downmix=guess) as now, Decoder(str(path), found) as before:
        hashes = [hashlib.sha256(np.concatenate(list(each)).tobytes()).hexdigest() for each in (now, before)]
    assert hashes[0] == hashes[1], "as the older version's command gives them"
    if "f32" not in encoding:
        plain = ffmpeg(
            "-threads", "1", "-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", "16000", "-f", "s16le", "-"
        )
        assert hashes[0] == hashlib.sha256(plain).hexdigest()


def test_an_average_is_ffmpegs_own_to_the_last_step(broadcast: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.flac"
    ffmpeg("-i", str(broadcast), "-t", "40", "-af", "pan=stereo|c0=c0|c1=0.5*c0", str(path))
    ours, _ = decoded(path)
    theirs, _ = decoded(path, "")
    assert np.abs(ours.astype(int) - theirs).max() <= 2


def test_of_a_float_file_the_average_is_no_louder_than_its_channels(broadcast: Path, tmp_path: Path) -> None:
    """ffmpeg adds them up 3 dB louder, which clips."""
    path = tmp_path / "float.wav"
    ffmpeg("-i", str(broadcast), "-t", "40", "-ac", "2", "-c:a", "pcm_f32le", str(path))
    left, _ = decoded(path, "left")
    average, _ = decoded(path)
    assert np.abs(average.astype(int) - left).max() <= 1


def test_of_surround_sound_the_centre_is_taken_where_it_speaks(broadcast: Path, tmp_path: Path) -> None:
    music = "anoisesrc=d=40:r=16000:a=0.4:seed=7"
    pan = "[0:a][1:a]amerge=inputs=2,pan=5.1|FL=c1|FR=c1|FC={}*c0|LFE=0*c0|BL=0.5*c1|BR=0.5*c1"
    for share, layout in ((1, "centre voice"), (0, "surround")):
        path = tmp_path / f"{share}.flac"
        ffmpeg("-i", str(broadcast), "-f", "lavfi", "-i", music, "-filter_complex", pan.format(share), str(path))
        found = probe(str(path))
        assert first_guess(found.channels, found.channel_layout, "auto") == "centre"
        samples, counts = decoded(path, "centre")
        assert judge(6, "centre", "auto", counts).layout == layout
        if share:
            mono, _ = decoded(broadcast, "only")
            assert np.abs(samples.astype(int) - mono[: len(samples)]).max() <= 2
