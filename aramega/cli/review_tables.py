"""How progress, agreement and what was settled look on a terminal.

Arabic is printed in the order it is read, as terminals expect it; those that know both directions turn it, and we
never do it for them. Texts stand on lines of their own, so that turning one does not carry off a column. What comes
from files and servers is shown and never obeyed: no markup, no escape, no mark that turns a line around.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aramega.display import amount, count, share, visible
from aramega.settle.disagreement import farthest_pair
from aramega.settle.standing import TEXTS
from aramega.settle.word_diff import compare_words, list_changes

if TYPE_CHECKING:
    from rich.console import Console

    from aramega.settle.agreement import Agreement, FieldAgreement
    from aramega.settle.disagreement import Difference, Disagreement
    from aramega.settle.intervals import Interval
    from aramega.settle.progress import AnnotatorProgress, ReviewProgress
    from aramega.settle.rates import DraftRates
    from aramega.settle.resolve import Settlement

SHOWN_CHANGES = 4
"""Changes of a text that are shown of one disagreement; the page of `--html` has them all."""
SHOWN_PASSAGES = 10


def show_progress(progress: ReviewProgress) -> None:
    console = _console()
    done = f"{progress.reviewed:,} of {count(progress.passages, 'passage')} reviewed ({share(progress.reviewed, progress.passages)})"
    sound = f"{amount(progress.reviewed_hours * 3600)} of {amount(progress.hours * 3600)} of sound"
    _say(console, f"{done}, {sound}; {progress.several:,} by two people or more")
    forecast = progress.forecast
    pace = f"at {forecast.per_day:.1f} passages a day" if forecast.per_day else ""
    if forecast.done_on:
        _say(console, f"The {progress.left:,} left will be done about {forecast.done_on}, {pace} as in the last week")
    else:
        _say(console, f"No forecast: {forecast.why}")
    for line in _rate_lines(progress.rates):
        _say(console, line)
    if not progress.annotators:
        _say(console, "Nobody's work has been pulled yet: aramega review pull")
        return
    _table(console, "", tuple(_ANNOTATOR_COLUMNS), [_annotator_row(who) for who in progress.annotators])
    _say(
        console, "pace: minutes of work for a minute of sound, median. edited: share of the draft's characters changed."
    )


def _rate_lines(rates: DraftRates | None) -> Iterator[str]:
    """What a fair sample says of the drafts."""
    if not rates or not rates.accepted:
        return
    errors = [f"{text} CER {_figure(interval, 1, 100.0)}" for text, interval in rates.errors.items()]
    accepted = f"accepted unchanged {_figure(rates.accepted, 1, 100.0)}"
    yield f"Drafts, by {count(rates.reviews, 'review')} of passages drawn at random: {'; '.join([accepted, *errors])}"
    narrower = [f"{more:,} more reviews: ± {100 * half:.1f} points" for more, half in rates.narrower.items()]
    if narrower:
        yield f"What is accepted would be known closer after {', '.join(narrower)}"


_ANNOTATOR_COLUMNS: dict[str, Callable[[AnnotatorProgress], str]] = {
    "annotator": lambda who: who.annotator,
    "done": lambda who: f"{who.passages:,}" + (f" (+{who.begun} begun)" if who.begun else ""),
    "sound": lambda who: amount(who.hours * 3600),
    "pace": lambda who: _times(who.seconds_per_minute),
    "skipped": lambda who: _percent(who.skip_rate),
    "rejected": lambda who: _percent(who.reject_rate),
    "transcript edited": lambda who: _percent(who.transcript_distance),
    "summary edited": lambda who: _percent(who.summary_distance),
    "last active": lambda who: who.last_active[:16].replace("T", " "),
}


def _annotator_row(who: AnnotatorProgress) -> tuple[str, ...]:
    return tuple(cell(who) for cell in _ANNOTATOR_COLUMNS.values())


def show_agreement(agreement: Agreement, worst: int) -> None:
    console = _console()
    _say(
        console,
        f"{count(len(agreement.annotators), 'annotator')}, {count(agreement.passages, 'passage')} reviewed by two or more, "
        f"{agreement.gold_passages:,} with gold",
    )
    if not agreement.passages and not agreement.gold_passages:
        _say(console, "Agreement needs passages that two people reviewed: aramega review push --overlap 0.1")
        return
    _table(
        console, "Between annotators: texts", ("field", "passages", "WER", "CER", "chrF"), _text_rows(agreement.between)
    )
    _table(
        console,
        "Between annotators: labels",
        ("field", "passages", "same", "Cohen's kappa", "Krippendorff's alpha"),
        _label_rows(agreement.between),
    )
    heads = (
        "annotator",
        "against",
        "passages",
        "transcript CER",
        "summary CER",
        "dialect",
        "emotion",
        "verdict",
        "trust",
    )
    _table(console, "Each annotator", heads, _annotator_rows(agreement))
    _say(
        console,
        "In brackets: 95 % of resamples over passages; none under five passages. Labels of one annotator: share",
    )
    _say(console, "of the same answers. Kappa and alpha: 1 is full agreement, 0 what chance would give.")
    _show_disagreements(console, agreement.disagreements, worst)


def show_settlement(settlement: Settlement, workspace: Path, for_referee: Path | None) -> None:
    console = _console()
    _show_counts(console, settlement)
    if for_referee and settlement.for_referee:
        send = f"aramega review push {shlex.quote(str(workspace))} --project Referee --passages {shlex.quote(str(for_referee))}"
        print(f"\nTo send them to a referee: {send}")


def write_for_referee(settlement: Settlement, file: Path) -> None:
    """The passages a referee has to look at, one id a line."""
    file.write_text("".join(f"{passage}\n" for passage in settlement.for_referee), encoding="utf-8")


def _show_counts(console: Console, settlement: Settlement) -> None:
    _say(
        console,
        f"{count(settlement.passages, 'passage')} settled by {settlement.policy}, {settlement.changed:,} with another answer than before",
    )
    _say(
        console,
        f"{settlement.reviewed:,} reviewed, of which {settlement.accepted:,} accepted; "
        f"of the rest, {settlement.unreviewed_accepted:,} drafts that the checks did not reject",
    )
    _table(
        console,
        "Verified by a person",
        tuple(settlement.verified),
        [tuple(f"{number:,}" for number in settlement.verified.values())],
    )
    _table(
        console,
        "Not accepted",
        ("reason", "passages"),
        [(why, f"{number:,}") for why, number in settlement.reasons.items()],
    )
    _table(
        console,
        "Labels outside the inventory, not counted",
        ("label", "reviews"),
        [(label, f"{number:,}") for label, number in settlement.unknown_labels.items()],
    )
    _list(console, "For a referee", settlement.for_referee)
    _list(console, "Reviewed, but no longer in this workspace", settlement.without_passage)


# Agreement


def _text_rows(fields: Sequence[FieldAgreement]) -> list[tuple[str, ...]]:
    return [
        (f.field, f"{f.passages:,}", _rate(f, "wer"), _rate(f, "cer"), _figure(f.figures.get("chrf"), 1, 1.0))
        for f in fields
        if f.field in TEXTS
    ]


def _label_rows(fields: Sequence[FieldAgreement]) -> list[tuple[str, ...]]:
    return [
        (f.field, f"{f.passages:,}", _rate(f, "same"), *(_figure(f.figures.get(n), 2, 1.0) for n in ("kappa", "alpha")))
        for f in fields
        if f.field not in TEXTS
    ]


def _annotator_rows(agreement: Agreement) -> list[tuple[str, ...]]:
    rows = []
    for who in agreement.annotators:
        trust = agreement.trust.get(who)
        for against, fields in (("others", agreement.with_others[who]), ("gold", agreement.with_gold[who])):
            if not fields:
                continue
            named = {f.field: f for f in fields}
            cers = [_rate(named.get(name), "cer") for name in ("transcript", "summary")]
            same = [_rate(named.get(name), "same") for name in ("dialect", "emotion", "verdict")]
            most = max(f.passages for f in fields)
            rows.append(
                (
                    who,
                    against,
                    f"{most:,}",
                    *cers,
                    *same,
                    "–" if trust is None or against == "others" else f"{trust:.2f}",
                )
            )
    return rows


def _show_disagreements(console: Console, disagreements: Sequence[Disagreement], worst: int) -> None:
    if not disagreements:
        _say(console, "\nNo disagreements.")
        return
    shown = disagreements[:worst]
    _say(console, f"\nDisagreements, the worst first ({len(shown)} of {len(disagreements):,})")
    for number, disagreement in enumerate(shown, start=1):
        _say(console, f"\n{number}. {disagreement.passage}, {_percent(disagreement.score)} apart")
        for place in disagreement.places:
            _say(console, f"   {visible(place)}")
        for difference in disagreement.differences:
            _show_difference(console, difference)


def _show_difference(console: Console, difference: Difference) -> None:
    if difference.field not in TEXTS:
        answers = ", ".join(f"{visible(who)} says {visible(what)}" for who, what in difference.answers.items())
        _say(console, f"   {difference.field}: {answers}")
        return
    first, second = farthest_pair(difference.answers)
    changes = list_changes(compare_words(difference.answers[first], difference.answers[second]))
    _say(console, f"   {difference.field}, {_percent(difference.score)} apart:")
    for ours, theirs in changes[:SHOWN_CHANGES]:
        _say(console, f"     {visible(first)}: {visible(ours or '(nothing)')}")
        _say(console, f"     {visible(second)}: {visible(theirs or '(nothing)')}")
    if len(changes) > SHOWN_CHANGES:
        _say(console, f"     and {len(changes) - SHOWN_CHANGES} more places")


# Cells and lines


def _rate(field: FieldAgreement | None, name: str) -> str:
    return _figure(field.figures.get(name) if field else None, 1, 100.0)


def _figure(interval: Interval | None, digits: int, times: float) -> str:
    """`4.2 % [1.0–8.1]`, or a dash where it is not defined."""
    if interval is None:
        return "–"
    value = f"{interval.value * times:.{digits}f}" + (" %" if times == 100 else "")
    if interval.low is None or interval.high is None:
        return value
    dash = "–" if interval.low >= 0 else " to "  # a dash before a minus would be read as one
    return f"{value} [{interval.low * times:.{digits}f}{dash}{interval.high * times:.{digits}f}]"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _times(seconds_per_minute: float | None) -> str:
    return "–" if seconds_per_minute is None else f"{seconds_per_minute / 60:.1f} ×"


def _list(console: Console, title: str, passages: Sequence[str]) -> None:
    if passages:
        _say(console, f"\n{title}: {len(passages):,}")
        for passage in passages[:SHOWN_PASSAGES]:
            _say(console, f"  {visible(passage)}")
        if len(passages) > SHOWN_PASSAGES:
            _say(console, f"  and {len(passages) - SHOWN_PASSAGES:,} more; --json has them all")


def _table(console: Console, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table, unless there is nothing in it; the first column to the left, numbers to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    console.print(table)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    """As wide as the terminal; for a file or a pipe, wide enough for every table."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=180)
