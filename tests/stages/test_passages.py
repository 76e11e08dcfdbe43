"""Passages: whatever the pauses, each is within its limits, in order, whole, and cut where it should be."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from aramega.config import PassagesConfig
from aramega.records import Segment, Span, stretch_id
from aramega.stages.passages import breathing_rooms, clip_bounds, plan_passages

LIMITS = PassagesConfig()
APART = PassagesConfig(join_within=0)


def speech(*stretches: tuple[float, float]) -> list[Segment]:
    return [Segment(stretch_id("r", a, b), "r", a, b) for a, b in stretches]


def plan(
    segments: Sequence[Segment], spans: Sequence[Span], options: PassagesConfig, seconds: float | None = None
) -> list[Sequence[Segment]]:
    """Of a recording that ends with its last segment, unless it is said to be longer."""
    return plan_passages(segments, spans, options, seconds or (segments[-1].end if segments else 0.0))


@st.composite
def segment_runs(draw: st.DrawFn) -> list[Segment]:
    """Any row of segments: each 0.2 to 30 s, after any pause from none to 8 s."""
    at, made = 0, []
    for pause, length in draw(st.lists(st.tuples(st.integers(0, 8_000), st.integers(200, 30_000)), max_size=40)):
        at += pause
        made.append(((at) / 1000, (at + length) / 1000))
        at += length
    return speech(*made)


@given(segment_runs())
def test_passages_hold_whole_segments_in_order_without_gaps_inside(segments: list[Segment]) -> None:
    position = {s.id: i for i, s in enumerate(segments)}
    taken = [[position[s.id] for s in run] for run in plan(segments, (), LIMITS)]
    flat = [i for run in taken for i in run]
    assert flat == sorted(set(flat))
    assert all(run == list(range(run[0], run[-1] + 1)) for run in taken)


@given(segment_runs())
def test_clips_keep_to_the_limits_and_never_overlap(segments: list[Segment]) -> None:
    seconds = segments[-1].end + 0.05 if segments else 0.0
    rooms = breathing_rooms(segments, seconds)
    bounds = [clip_bounds(run, rooms, LIMITS) for run in plan(segments, (), LIMITS, seconds)]
    for start, end in bounds:
        assert 0 <= start < end <= seconds + 1e-9
        assert LIMITS.min_seconds - 2 * LIMITS.margin <= end - start <= LIMITS.max_seconds + 1e-9
    assert all(a[1] <= b[0] for a, b in pairwise(bounds))


@given(segment_runs())
def test_no_passage_bridges_a_long_pause_that_it_need_not(segments: list[Segment]) -> None:
    """With joining off none does; with it on, only where speech would be left out else, and never a longer one."""
    for run in plan(segments, (), APART):
        assert all(b.start - a.end < LIMITS.max_pause for a, b in pairwise(run))
    for run in plan(segments, (), LIMITS):
        pauses = [i for i, (a, b) in enumerate(pairwise(run), 1) if b.start - a.end >= LIMITS.max_pause]
        assert all(run[i].start - run[i - 1].end <= LIMITS.join_within for i in pauses)
        if len(pauses) == 1:
            lengths = [part[-1].end - part[0].start for part in (run[: pauses[0]], run[pauses[0] :])]
            assert min(lengths) + 2 * LIMITS.margin < LIMITS.min_seconds


@given(segment_runs())
def test_joining_never_leaves_out_more_speech(segments: list[Segment]) -> None:
    def held(options: PassagesConfig) -> float:
        return sum(s.seconds for run in plan(segments, (), options) for s in run)

    assert held(LIMITS) >= held(APART) - 0.1


@given(segment_runs())
def test_speech_is_left_out_only_where_no_passage_could_hold_it(segments: list[Segment]) -> None:
    """A segment long enough for a passage by itself is always in one."""
    kept = {s.id for run in plan(segments, (), LIMITS) for s in run}
    assert all(s.id in kept for s in segments if s.seconds >= LIMITS.min_seconds)


def lengths(runs: Sequence[Sequence[Segment]]) -> list[int]:
    return [len(run) for run in runs]


def test_the_cut_falls_on_the_longest_pause() -> None:
    """Twelve ten-second segments, half a second apart but for one pause of 1.5 s after the fifth."""
    stretches, at = [], 0.0
    for i in range(12):
        stretches.append((at, at + 10))
        at += 10 + (1.5 if i == 4 else 0.3)
    assert lengths(plan(speech(*stretches), (), LIMITS)) == [5, 7]


def test_a_late_long_pause_leaves_no_orphan() -> None:
    """125 s of speech whose best pause comes ten seconds before the end: a greedy cut there would strand them."""
    stretches, at = [], 0.0
    for i in range(12):
        stretches.append((at, at + 10))
        at += 10 + (1.4 if i == 10 else 0.4)
    runs = plan(speech(*stretches), (), LIMITS)
    assert sum(lengths(runs)) == 12


def test_music_ends_a_passage_even_in_a_short_gap() -> None:
    segments = speech((0, 20), (22, 42))
    assert lengths(plan(segments, (), LIMITS)) == [2]
    assert lengths(plan(segments, [Span(20.2, 21.9, "music")], LIMITS)) == [1, 1]


def test_speech_too_short_for_a_passage_is_left_out() -> None:
    assert plan(speech((0, 8), (20, 28)), (), LIMITS) == []


def test_phrases_of_a_slow_reader_are_joined_across_long_pauses() -> None:
    """Each of them is too short, and the pauses would end a news story."""
    phrases = speech((0, 9), (14, 22), (27, 34))
    assert plan(phrases, (), APART) == []
    assert lengths(plan(phrases, (), LIMITS)) == [3]


def test_a_short_run_is_joined_to_its_neighbour_across_doubtful_music() -> None:
    segments = speech((0, 9), (12, 40), (43, 75))
    music = [Span(9.2, 11.8, "music"), Span(40.2, 42.8, "music")]
    assert lengths(plan(segments, music, APART)) == [1, 1]
    joined = plan(segments, music, LIMITS)
    assert lengths(joined) == [2, 1], "what is long enough by itself stays apart"


def test_a_short_run_beside_a_full_passage_is_joined_by_cutting_that_one_elsewhere() -> None:
    full = [(10 * i, 10 * i + 9.8) for i in range(12)]
    assert lengths(plan(speech(*full, (127, 132)), (), LIMITS)) == [7, 6]


def test_a_clip_takes_its_air_from_the_pause_and_not_from_its_neighbour() -> None:
    segments = speech((0.05, 20), (20.1, 40))
    rooms = breathing_rooms(segments, 60.0)
    assert clip_bounds(segments[:1], rooms, LIMITS) == (0.0, 20.05)
    assert clip_bounds(segments[1:], rooms, LIMITS) == (20.05, 40.15)


def test_a_recording_short_by_a_breath_takes_more_of_the_air_around_its_speech():
    segments, seconds = speech((2.0, 8.6), (9.5, 16.6)), 17.763
    [run] = plan(segments, (), LIMITS, seconds)
    start, end = clip_bounds(run, breathing_rooms(segments, seconds), LIMITS)
    assert round(end - start, 3) == LIMITS.min_seconds
    assert start < 2.0
    assert end > 16.6


def test_air_is_taken_from_the_silence_of_the_run_alone_and_only_a_breath_of_it():
    assert plan(speech((2.0, 16.6)), (), LIMITS, 16.7) != []
    assert plan(speech((0.1, 14.7)), (), LIMITS, 14.8) == [], "there is no such air"
    assert plan(speech((10.0, 23.0)), (), LIMITS, 60.0) == [], "too short by more than a breath"
    cramped = speech((0.0, 30.0), (36.2, 50.8), (57.0, 90.0))
    bounds = [clip_bounds(run, breathing_rooms(cramped, 90.0), APART) for run in plan(cramped, (), APART, 90.0)]
    assert all(a[1] <= b[0] for a, b in pairwise(bounds))
    assert len(bounds) == 3


def test_a_run_that_begins_the_recording_takes_its_air_after_itself():
    segments = speech((0.0, 13.7), (17.7, 47.7))
    (run, *_) = plan(segments, (), APART, 60.0)
    assert clip_bounds(run, breathing_rooms(segments, 60.0), APART) == (0.0, 15.0)
