"""Agreement page: shows what annotators differ on, word by word, for whoever talks it over with them.

One file that works offline, runs no script and asks no server for anything. What annotators and servers wrote is
text and nothing else: the template escapes it, marks that turn a line around are shown, and only web addresses
become links.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aramega.display import visible_whole
from aramega.html import PageFiles, render
from aramega.settle.agreement import Agreement
from aramega.settle.disagreement import Difference, farthest_pair
from aramega.settle.standing import TEXTS
from aramega.settle.word_diff import compare_words, mark_changes
from aramega.workspace import whole_file

PAGE = PageFiles(
    ("aramega.report", "agreement.html.j2"),
    styles=[("aramega.report", "agreement.css")],
    filters={"see": visible_whole},
)


def write_page(agreement: Agreement, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(render_page(agreement), encoding="utf-8")


def render_page(agreement: Agreement) -> str:
    return render(PAGE, agreement=agreement, texts=TEXTS, side_by_side=side_by_side, is_link=is_link)


def side_by_side(difference: Difference) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """The two texts that are the farthest apart: who wrote it, and its stretches with whether the other lacks them."""
    first, second = farthest_pair(difference.answers)
    ours, theirs = mark_changes(compare_words(difference.answers[first], difference.answers[second]))
    yield first, ours
    yield second, theirs


def is_link(place: str) -> bool:
    """Anything but a web address (javascript:, file:) is shown and not followed."""
    return place.startswith(("https://", "http://"))
