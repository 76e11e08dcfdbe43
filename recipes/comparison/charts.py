"""Charts as plain SVG: lines with a band, axes that read well, colours that follow light and dark.

SVG by hand rather than a plotting library's: a few kilobytes, sharp on a phone, and its colours are the
page's own variables, which a picture made elsewhere can't follow into dark mode. The colours are Okabe and
Ito's, told apart by colour-blind readers too, and every line has a dash pattern of its own besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from recipes.comparison.curves import Curve

# Small, so that the text stays readable where a phone shrinks the whole.
WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2", "1 2", "12 4", "4 4 1 4")
MOST_POINTS = 240
Place = Callable[[float], float]

STYLE = """
.chart{--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#a14a80;--c4:#8a6d00;--c5:#3a8fb7;--c6:#555;--c7:#b8442f;
--ink:#1d2430;--faint:#d8dde5;font:13px system-ui,sans-serif}
@media (prefers-color-scheme:dark){.chart{--c0:#56b4e9;--c1:#ff9b54;--c2:#3ddcaa;--c3:#e39bc6;--c4:#f0d55c;
--c5:#9fd6f2;--c6:#bbb;--c7:#ff8f7a;--ink:#e6e9ef;--faint:#39414e}}
.chart text{fill:var(--ink)} .chart .grid{stroke:var(--faint);stroke-width:1} .chart .band{opacity:.16}
.chart .line{fill:none;stroke-width:2;stroke-linejoin:round}
"""


def line_chart(curves: Sequence[Curve], *, title: str, y_label: str, order: Sequence[str]) -> str:
    """One chart; `order` fixes each contender's colour over all charts of a page."""
    steps = np.concatenate([curve.steps for curve in curves])
    values = np.concatenate([np.concatenate([curve.low, curve.high]) for curve in curves])
    x_ticks = nice_ticks(float(steps.min()), float(steps.max()), 5)
    y_ticks = nice_ticks(float(values.min()), float(values.max()), 6)
    x_low, x_high = float(steps.min()), max(float(steps.max()), float(steps.min()) + 1)
    y_low, y_high = min(y_ticks[0], float(values.min())), max(y_ticks[-1], float(values.max()))

    def x(step: float) -> float:
        return LEFT + (step - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
    ]
    for tick in y_ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in x_ticks:
        if x_low <= tick <= x_high:
            parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">step</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text transform="rotate(-90)" x="{-middle}" y="13" text-anchor="middle">{escape(y_label)}</text>')
    for curve in curves:
        number = order.index(curve.contender)
        parts += _drawn(thinned(curve), x, y, color=f"var(--c{number % 8})", dash=DASHES[number % 8])
    return "".join(parts) + "</svg>"


def legend(order: Sequence[str]) -> str:
    """Name and line of every contender, as HTML that wraps on a narrow screen."""
    items = (
        f'<span class="key"><svg class="chart" width="34" height="10" viewBox="0 0 34 10" aria-hidden="true">'
        f'<path class="line" stroke="var(--c{i % 8})" stroke-dasharray="{DASHES[i % 8]}" d="M1 5H33"/></svg>'
        f"{escape(name)}</span>"
        for i, name in enumerate(order)
    )
    return f'<p class="legend">{"".join(items)}</p>'


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from at most `low` to at least `high`: steps of 1, 2 or 5 times a power of ten."""
    if high <= low:
        low, high = (low - abs(low) / 2, low + abs(low) / 2) if low else (0.0, 1.0)
    raw = (high - low) / max(1, about - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def thinned(curve: Curve) -> Curve:
    """At most so many points as a screen can show: a mean, and the range of what it stands for."""
    if len(curve.steps) <= MOST_POINTS:
        return curve
    cuts = np.array_split(np.arange(len(curve.steps)), MOST_POINTS)
    return Curve(
        curve.contender,
        np.array([curve.steps[cut].mean() for cut in cuts]),
        np.array([curve.mean[cut].mean() for cut in cuts]),
        np.array([curve.low[cut].mean() for cut in cuts]),
        np.array([curve.high[cut].mean() for cut in cuts]),
    )


def _drawn(curve: Curve, x: Place, y: Place, *, color: str, dash: str) -> list[str]:
    """One curve as SVG: its band, then its line."""
    top = [(x(s), y(v)) for s, v in zip(curve.steps, curve.high, strict=True)]
    bottom = [(x(s), y(v)) for s, v in zip(curve.steps, curve.low, strict=True)]
    middle = [(x(s), y(v)) for s, v in zip(curve.steps, curve.mean, strict=True)]
    parts = []
    if not np.array_equal(curve.low, curve.high):
        parts.append(f'<path class="band" fill="{color}" d="{_path([*top, *reversed(bottom)])}Z"/>')
    if len(middle) == 1:
        parts.append(f'<circle cx="{middle[0][0]:.1f}" cy="{middle[0][1]:.1f}" r="4" fill="{color}"/>')
    parts.append(f'<path class="line" stroke="{color}" stroke-dasharray="{dash}" d="{_path(middle)}"/>')
    return parts


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
