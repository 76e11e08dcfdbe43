"""Page: makes one HTML file of facts and previews that fetches nothing.

Sound and pictures travel inside it as well; `aramega.html` sees to it that nothing else runs or is fetched.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from markupsafe import Markup

from aramega import display
from aramega.config import Config, dump_toml
from aramega.display import clock, visible
from aramega.html import PageFiles, render
from aramega.report import plots
from aramega.report.facts import Facts
from aramega.report.reliability import draw_reliability
from aramega.report.sample import Preview
from aramega.version import __version__

LIBRARIES = (
    *("numpy", "scipy", "soundfile", "pydub", "webrtcvad-wheels", "librosa", "silero-vad"),
    *("torch", "openai-whisper", "faster-whisper", "camel-tools", "openai", "transformers"),
)

_SHOWN = ("amount", "clock", "count", "number", "share", "visible", "visible_whole")
REPORT = PageFiles(
    ("aramega.report", "report.html.j2"),
    styles=[("aramega.report", "report.css")],
    scripts=[("aramega.report", "report.js")],
    allows={"img-src": "data:", "media-src": "data:"},
    filters={name: getattr(display, name) for name in _SHOWN},
)


def render_page(facts: Facts, previews: Sequence[Preview], config: Config) -> str:
    """The whole page as text."""
    return render(
        REPORT,
        strip=_strip,
        draw_histogram=plots.draw_histogram,
        draw_segments=plots.draw_segments,
        draw_reliability=draw_reliability,
        facts=facts,
        status=facts.status,
        heard=list(zip(facts.sample, previews, strict=True)),
        drawn=[r for r in facts.recordings if r.spans],
        changed=_changed_options(config),
        toml=dump_toml(config),
        libraries=_libraries(),
        version=__version__,
        written_at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _strip(facts: Any) -> Markup:
    """A recording's timeline, with the same in words for who cannot see it."""
    r = facts.recording
    label = (
        f"{visible(r.name)}, {clock(r.seconds)}: {clock(facts.speech)} speech, {clock(facts.music)} music, "
        f"{clock(facts.silence)} silence or noise, {display.count(facts.passages, 'passage')}"
    )
    return plots.draw_strip(facts.spans, facts.marked, r.seconds, label)


def _changed_options(config: Config) -> list[tuple[str, Any, Any]]:
    """Option, value and default, of what is not the default."""
    ours, theirs = config.model_dump(mode="json"), type(config)().model_dump(mode="json")
    return [
        (f"{section}.{key}", value, theirs[section].get(key, ""))
        for section, options in ours.items()
        for key, value in options.items()
        if value != theirs[section].get(key)  # a plugin's table has no defaults here
    ]


def _libraries() -> list[tuple[str, str]]:
    """What was installed where the page was written."""
    installed = [("aramega", __version__), ("Python", platform.python_version())]
    for name in LIBRARIES:
        try:
            installed.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return installed
