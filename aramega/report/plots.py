"""Plots: draws histograms, and what a recording is made of, as inline SVG.

Positions are percentages and text is set in pixels, so one drawing serves a phone and a wide screen
without small print. Colours are classes; the style sheet gives each a light and a dark one. A strip is
drawn on a fixed number of columns, whatever its length, so its size in bytes is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from aramega.display import clock, number
from aramega.records import Passage, Segment, Span
from aramega.report.histograms import Histogram, ticks

COLUMNS = 1000
KINDS = ("silence", "music", "speech")
LANES = {"speech": (0, 28), "music": (6, 16)}
"""Top and height of each kind: told apart by height too, not by colour alone. Silence is the bare ground."""
NARROWEST = 2.0
"""Columns; passages narrower than this are drawn together with the next."""
CLOCK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)


def draw_strip(spans: Sequence[Span], passages: Sequence[Passage], seconds: float, label: str) -> Markup:
    """One recording from left to right: passages above, speech and music below, and a clock."""
    lanes = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(
            kind, _boxes(_runs(rasterize(spans, seconds), KINDS.index(kind)), *LANES[kind])
        )
        for kind in LANES
    )
    marks = Markup('<path class="passage" d="{}"/>').format(_boxes(merge_passages(passages, seconds), 0, 6))
    return Markup(
        '<svg class="strip" role="img" aria-label="{label}" width="100%" height="58">'
        '<svg width="100%" height="6" viewBox="0 0 {columns} 6" preserveAspectRatio="none">{marks}</svg>'
        '<rect class="ground" y="9" width="100%" height="28" rx="3"/>'
        '<svg y="9" width="100%" height="28" viewBox="0 0 {columns} 28" preserveAspectRatio="none">{lanes}</svg>'
        "{axis}</svg>"
    ).format(label=label, columns=COLUMNS, marks=marks, lanes=lanes, axis=_clock_axis(seconds))


def rasterize(spans: Iterable[Span], seconds: float) -> npt.NDArray[np.int8]:
    """For each column, the kind that fills most of it, as its place in KINDS."""
    filled = np.zeros((len(KINDS), COLUMNS))
    for span in spans:
        start, end = span.start / seconds * COLUMNS, min(COLUMNS, span.end / seconds * COLUMNS)
        first, last = int(start), min(COLUMNS - 1, int(end))
        lane = filled[KINDS.index(span.kind)]
        if first >= last:
            lane[last] += end - start
            continue
        lane[first] += first + 1 - start
        lane[first + 1 : last] += 1
        lane[last] += end - last
    loudest: npt.NDArray[np.int8] = filled.argmax(axis=0).astype(np.int8)
    return loudest


def merge_passages(passages: Iterable[Passage], seconds: float) -> list[tuple[float, float]]:
    """Passages in columns, with a gap between neighbours; what is too narrow to see joins the next."""
    merged: list[tuple[float, float]] = []
    for passage in passages:
        start, end = (round(t / seconds * COLUMNS, 1) for t in (passage.start, passage.end))
        if merged and merged[-1][1] - merged[-1][0] < NARROWEST and start - merged[-1][1] < NARROWEST:
            start = merged.pop()[0]
        merged.append((start, end))
    return [(start, max(start + 0.6, end - 0.8)) for start, end in merged]


def _runs(columns: npt.NDArray[np.int8], kind: int) -> Iterator[tuple[float, float]]:
    """Where `kind` begins and ends."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (columns == kind).astype(np.int8), [0]))))
    yield from ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _boxes(runs: Iterable[tuple[float, float]], top: int, height: int) -> str:
    return "".join(f"M{a:g} {top}h{b - a:.4g}v{height}h{a - b:.4g}z" for a, b in runs)


def _clock_axis(seconds: float) -> Markup:
    """Ticks at round times, few enough for a phone; none so near the end that it would be cut off."""
    step = next((s for s in CLOCK_STEPS if seconds / s <= 5), CLOCK_STEPS[-1])
    at = [i * step for i in range(int(seconds // step) + 1) if i * step <= 0.93 * seconds]
    return Markup("").join(
        Markup(
            '<line class="tick" x1="{x:.2f}%" x2="{x:.2f}%" y1="37" y2="42"/><text x="{x:.2f}%" y="54" class="{side}">{text}</text>'
        ).format(x=100 * t / seconds, side="first" if t == 0 else "middle", text=clock(t))
        for t in at
    )


def draw_segments(segments: Sequence[Segment], passage: Passage) -> Markup:
    """Where the segments of one passage lie, for under its picture."""
    scale = COLUMNS / passage.seconds
    boxes = _boxes((((s.start - passage.start) * scale, (s.end - passage.start) * scale) for s in segments), 0, 5)
    return Markup(
        '<svg class="segments" aria-hidden="true" width="100%" height="5" viewBox="0 0 {} 5" preserveAspectRatio="none">'
        '<path class="speech" d="{}"/></svg>'
    ).format(COLUMNS, boxes)


def draw_histogram(histogram: Histogram) -> Markup:
    """Bars with both axes, and a line at the median. Hovering over a bar tells its numbers."""
    top = max(histogram.bars)
    rows = [t for t in ticks(0, top, 4) if t <= top]
    grid = Markup("").join(_grid_line(value, top, rows) for value in rows)
    wide = COLUMNS / len(histogram.bars)
    bars = Markup("").join(_bar(histogram, i, wide, top) for i in range(len(histogram.bars)))
    return Markup(
        '<svg class="histogram" role="img" aria-label="{label}" width="100%" height="190">{grid}'
        '<svg y="{top}" width="100%" height="{height}" viewBox="0 0 {columns} {height}" preserveAspectRatio="none">{bars}</svg>'
        "{axis}{median}</svg>"
    ).format(
        label=describe(histogram),
        grid=grid,
        top=TOP,
        height=HEIGHT,
        columns=COLUMNS,
        bars=bars,
        axis=_value_axis(histogram),
        median=_median(histogram),
    )


TOP, HEIGHT = 22, 140
"""The bars' place in a histogram, in pixels: above it the median's label, below it the axis."""


def describe(histogram: Histogram) -> str:
    """What the picture shows, in words."""
    h = histogram
    return (
        f"Histogram of {h.title.lower()}: half lie below {number(h.median, h.digits, h.unit)}, "
        f"four in five between {number(h.tenth, h.digits, h.unit)} and {number(h.nine_tenths, h.digits, h.unit)}."
    )


def _bar(histogram: Histogram, place: int, wide: float, top: float) -> Markup:
    value = histogram.bars[place]
    if not value:
        return Markup("")
    height = max(1.0, value / top * HEIGHT)
    low = histogram.low + place * histogram.step
    spoken = (
        f"{value:,.0f} {histogram.weighed_in}"
        if histogram.weighed_in in ("segments", "passages")
        else f"{value:,.2g} {histogram.weighed_in}"
    )
    return Markup(
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{:g} to {:g} {}: {}</title></rect>'
    ).format(
        place * wide + 0.08 * wide,
        HEIGHT - height,
        0.84 * wide,
        height,
        round(low, 3),
        round(low + histogram.step, 3),
        histogram.unit,
        spoken,
    )


def _grid_line(value: float, top: float, rows: Sequence[float]) -> Markup:
    y = TOP + HEIGHT * (1 - value / top)
    digits = 0 if max(rows) >= 4 or all(v == int(v) for v in rows) else 1 if max(rows) >= 0.4 else 2
    text = f"{value:,.{digits}f}" if value else ""
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/><text class="row" x="0" y="{t:.1f}">{text}</text>'
    ).format(y=y, t=y - 3, text=text)


def _value_axis(histogram: Histogram) -> Markup:
    shown = ticks(histogram.low, histogram.high, 7)
    return Markup("").join(
        Markup('<text class="{side}" x="{x:.2f}%" y="{y}">{text}</text>').format(
            side="first" if x < 4 else "last" if x > 96 else "middle",
            x=x,
            y=TOP + HEIGHT + 17,
            text=f"{value:g}".replace("-", "−"),
        )
        for value, x in ((v, 100 * (v - histogram.low) / (histogram.high - histogram.low)) for v in shown)
    )


def _median(histogram: Histogram) -> Markup:
    x = min(100.0, max(0.0, 100 * (histogram.median - histogram.low) / (histogram.high - histogram.low)))
    side = "first" if x < 20 else "last" if x > 80 else "middle"
    return Markup(
        '<line class="median" x1="{x:.2f}%" x2="{x:.2f}%" y1="{top}" y2="{bottom}"/>'
        '<text class="median {side}" x="{x:.2f}%" y="13">median {value}</text>'
    ).format(
        x=x,
        top=TOP - 4,
        bottom=TOP + HEIGHT,
        side=side,
        value=number(histogram.median, histogram.digits, histogram.unit).replace("-", "−"),
    )
