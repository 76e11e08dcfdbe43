"""The page of disagreements: what annotators differ on, word by word, for whoever talks it over with them.

One file that works offline, runs no script and asks no server for anything. What annotators and servers wrote is
text and nothing else: the template escapes it, marks that turn a line around are shown, and only web addresses
become links.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from markupsafe import Markup

from aramega.display import visible_whole
from aramega.html import page_templates, policy_hash
from aramega.settle.agreement import Agreement
from aramega.settle.disagreement import Difference, farthest_pair
from aramega.settle.standing import TEXTS
from aramega.settle.word_diff import compare_words, mark_changes
from aramega.workspace import whole_file


def write_page(agreement: Agreement, path: Path) -> None:
    """Write the page to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(render_page(agreement), encoding="utf-8")


def render_page(agreement: Agreement) -> str:
    environment = page_templates("aramega.labelstudio")
    environment.filters["see"] = visible_whole
    # Ours, from the package: nothing an annotator wrote goes in here.
    style = Markup(resources.files("aramega.labelstudio").joinpath("agreement.css").read_text(encoding="utf-8"))  # noqa: S704
    page: str = environment.get_template("agreement.html.j2").render(
        agreement=agreement,
        texts=TEXTS,
        side_by_side=side_by_side,
        is_link=is_link,
        style=style,
        style_hash=policy_hash(style),
    )
    return page


def side_by_side(difference: Difference) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """The two texts that are the farthest apart: who wrote it, and its stretches with whether the other lacks them."""
    one, other = farthest_pair(difference.answers)
    ours, theirs = mark_changes(compare_words(difference.answers[one], difference.answers[other]))
    yield one, ours
    yield other, theirs


def is_link(place: str) -> bool:
    """Anything but a web address (javascript:, file:) is shown and not followed."""
    return place.startswith(("https://", "http://"))
