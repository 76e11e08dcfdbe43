"""Spreading a corrected passage over its segments: no word lost, doubled or moved, and every word where it was said."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aramega.records import Line, Region, Segment
from aramega.settle.realign import LONGEST_STRETCH, spread_regions, spread_transcript, spread_words
from tests.support.workspaces import segments_at

NEWS = "أعلنت وزارة الصحة اليوم"
PRICE = "بتكلفة 250 مليون دولار"
SPORT = "فاز المنتخب الوطني مساء"

# Few different words, so that the same one stands in several places: the hard case for an alignment.
WORDS = st.sampled_from("قال في من الوزير اليوم والوزير قالت ، 3 weekend".split())
TEXTS = st.lists(WORDS, max_size=25)


def in_segments(*texts: str, seconds: float = 8.0) -> tuple[list[Segment], list[Line]]:
    """Segments one after the other, with a draft in each."""
    segments = segments_at("0" * 16, [(i * seconds, i * seconds + seconds - 0.5) for i in range(len(texts))])
    return segments, [Line(s.id, text, s.start, s.end) for s, text in zip(segments, texts, strict=True)]


def corrected(*drafts: str, to: str) -> list[str]:
    """What each segment's line becomes."""
    return [line.text for line in spread_transcript(*in_segments(*drafts), to)]


def test_an_untouched_transcript_stays_where_it_was() -> None:
    assert corrected(NEWS, PRICE, SPORT, to=f"{NEWS} {PRICE} {SPORT}") == [NEWS, PRICE, SPORT]


def test_diacritics_hamzas_and_digits_do_not_hide_that_a_word_is_the_same() -> None:
    assert corrected("اعلنت الوزارة", "250 مليون", to="أَعلنتِ الوِزارةُ ٢٥٠ مليون") == ["أَعلنتِ الوِزارةُ", "٢٥٠ مليون"]


def test_a_corrected_word_at_a_segments_edge_stays_on_its_side() -> None:
    """Neither side has an anchor at the edge; the letters tell which word stands for which."""
    assert corrected("قال الوزيد", "بتكلفه مليون", to="قال الوزير بالتكلفة مليون") == ["قال الوزير", "بالتكلفة مليون"]


def test_a_word_that_was_torn_in_two_is_mended_where_most_of_it_was() -> None:
    assert corrected("قال المست", "شفى جديد اليوم", to="قال المستشفى جديد اليوم") == ["قال المستشفى", "جديد اليوم"]


def test_what_nothing_was_heard_of_goes_to_the_segments_in_which_nothing_was_heard() -> None:
    assert corrected(NEWS, "", SPORT, to=f"{NEWS} {PRICE} {SPORT}") == [NEWS, PRICE, SPORT]


def test_without_any_draft_words_go_by_the_length_of_the_segments() -> None:
    long = spread_words([[], []], [30.0, 10.0], ["كلمة"] * 40)
    assert [len(words) for words in long] == [30, 10]


def test_new_words_between_two_segments_go_to_the_slower_one() -> None:
    assert corrected("نعم", SPORT, to=f"نعم صحيح {SPORT}") == ["نعم صحيح", SPORT]


def test_a_deleted_segment_is_empty_and_the_others_keep_their_words() -> None:
    assert corrected(NEWS, PRICE, SPORT, to=f"{NEWS} {SPORT}") == [NEWS, "", SPORT]


def test_an_empty_correction_empties_every_line() -> None:
    assert corrected(NEWS, PRICE, to=" ") == ["", ""]


def test_a_passage_without_a_transcript_or_without_segments_is_no_accident() -> None:
    segments, _ = in_segments("", "")
    assert [line.text for line in spread_transcript(segments, [], "نعم لا")] == ["نعم", "لا"]
    assert spread_transcript([], [], NEWS) == ()
    assert spread_regions([], [], [Region(0, 1, NEWS)]) == ()


def test_a_text_of_thousands_of_other_words_is_still_parted() -> None:
    words = [f"كلمة{i}" for i in range(20 * LONGEST_STRETCH)]
    parts = spread_words([NEWS.split(), PRICE.split()], [8.0, 8.0], words)
    assert parts[0] + parts[1] == words


@given(drafts=st.lists(TEXTS, min_size=1, max_size=6), words=TEXTS)
def test_the_lines_together_are_the_humans_words_whatever_was_done(drafts: list[list[str]], words: list[str]) -> None:
    segments, lines = in_segments(*map(" ".join, drafts))
    made = spread_transcript(segments, lines, "  ".join(words))
    assert [line.segment for line in made] == [s.id for s in segments]
    assert " ".join(line.text for line in made).split() == words


@st.composite
def edited_inside(draw: st.DrawFn) -> tuple[list[list[str]], int, list[str]]:
    """Segments of words that occur once, one of which is edited anyhow between its first and its last word."""
    sizes = draw(st.lists(st.integers(3, 8), min_size=1, max_size=5))
    drafts = [[f"كلمة{number}{chr(0x0628 + i)}" for i in range(size)] for number, size in enumerate(sizes)]
    which = draw(st.integers(0, len(drafts) - 1))
    return drafts, which, [drafts[which][0], *draw(TEXTS), drafts[which][-1]]


@given(edited_inside())
def test_segments_nobody_touched_keep_exactly_their_words(case: tuple[list[list[str]], int, list[str]]) -> None:
    drafts, which, now = case
    wanted = [*drafts[:which], now, *drafts[which + 1 :]]
    assert spread_words(drafts, [5.0] * len(drafts), [w for words in wanted for w in words]) == wanted


def test_a_split_region_is_one_line_again_and_a_moved_one_brings_its_edges() -> None:
    segments, lines = in_segments(NEWS, PRICE)
    regions = [Region(4.0, 7.8, "الصحة اليوم"), Region(0.1, 4.0, "أعلنت وزارة"), Region(8.2, 15.4, PRICE)]
    made = spread_regions(segments, lines, regions)
    assert [line.text for line in made] == [NEWS, PRICE]
    assert [(line.start, line.end) for line in made] == [(0.1, 7.8), (8.2, 15.4)]


def test_a_region_over_two_segments_is_spread_over_them_and_leaves_their_edges() -> None:
    segments, lines = in_segments(NEWS, PRICE)
    made = spread_regions(segments, lines, [Region(0.0, 15.5, f"{NEWS} بتكلفة 260 مليون دولار")])
    assert [line.text for line in made] == [NEWS, "بتكلفة 260 مليون دولار"]
    assert [(line.start, line.end) for line in made] == [(s.start, s.end) for s in segments]


def test_a_deleted_region_leaves_an_empty_line_and_one_in_a_pause_goes_to_the_nearest() -> None:
    segments, lines = in_segments(NEWS, PRICE, SPORT)
    made = spread_regions(segments, lines, [Region(7.7, 7.9, "آه"), Region(16.0, 23.5, SPORT)])
    assert [line.text for line in made] == ["", "آه", SPORT]


TIMES = st.floats(0, 40, allow_nan=False).map(lambda t: round(t, 2))


@given(
    drafts=st.lists(TEXTS, min_size=1, max_size=5),
    edges=st.lists(TIMES, min_size=2, max_size=9, unique=True).map(sorted),
    texts=st.lists(TEXTS, min_size=8, max_size=8),
)
def test_regions_that_do_not_overlap_keep_their_words_in_order(
    drafts: list[list[str]], edges: list[float], texts: list[list[str]]
) -> None:
    regions = [Region(a, b, " ".join(t)) for a, b, t in zip(edges, edges[1:], texts, strict=False)]
    made = spread_regions(*in_segments(*map(" ".join, drafts)), regions)
    assert " ".join(line.text for line in made).split() == [w for r in regions for w in r.text.split()]


@given(
    drafts=st.lists(TEXTS, min_size=1, max_size=5),
    regions=st.lists(st.builds(lambda a, b, t: Region(min(a, b), max(a, b), " ".join(t)), TIMES, TIMES, TEXTS)),
)
def test_regions_that_overlap_lose_and_double_no_word(drafts: list[list[str]], regions: list[Region]) -> None:
    made = spread_regions(*in_segments(*map(" ".join, drafts)), regions)
    wanted = Counter(word for region in regions for word in region.text.split())
    assert Counter(word for line in made for word in line.text.split()) == wanted
