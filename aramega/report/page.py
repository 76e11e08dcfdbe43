"""The page: facts and previews into one HTML file that fetches nothing.

Style and script are put inline and named by their hash in the page's content security policy. So the
browser runs these two and nothing else, whatever a file name may hold, and asks no server for anything.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from markupsafe import Markup

from aramega import display
from aramega.config import Config, dump_toml
from aramega.display import clock, visible
from aramega.html import page_templates, policy_hash
from aramega.report import plots
from aramega.report.facts import Facts
from aramega.report.sample import Preview
from aramega.version import __version__

LIBRARIES = (
    *("numpy", "scipy", "soundfile", "pydub", "webrtcvad-wheels", "librosa", "silero-vad"),
    *("torch", "openai-whisper", "faster-whisper", "camel-tools", "openai", "transformers"),
)


def render_page(facts: Facts, previews: Sequence[Preview], config: Config) -> str:
    """The whole page as text."""
    environment = page_templates("aramega.report")
    shown = ("amount", "clock", "count", "number", "share", "visible", "visible_whole")
    environment.filters |= {name: getattr(display, name) for name in shown}
    environment.globals |= {
        "strip": _strip,
        "draw_histogram": plots.draw_histogram,
        "draw_segments": plots.draw_segments,
    }
    style, script = _inline("report.css"), _inline("report.js")
    page: str = environment.get_template("report.html.j2").render(
        facts=facts,
        status=facts.status,
        heard=list(zip(facts.sample, previews, strict=True)),
        drawn=[r for r in facts.recordings if r.spans],
        style=style,
        script=script,
        policy=_policy(style, script),
        changed=_changed_options(config),
        toml=dump_toml(config),
        libraries=_libraries(),
        version=__version__,
        written_at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
    return page


def _inline(name: str) -> Markup:
    # Ours, from the package: nothing of a recording goes in here.
    return Markup(resources.files("aramega.report").joinpath(name).read_text(encoding="utf-8"))  # noqa: S704


def _policy(style: str, script: str) -> str:
    """What the page may do: its own style and script, and media that it carries itself."""
    return (
        f"default-src 'none'; style-src {policy_hash(style)}; script-src {policy_hash(script)}; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _strip(told: Any) -> Markup:
    """A recording's timeline, with the same in words for who cannot see it."""
    r = told.recording
    label = (
        f"{visible(r.name)}, {clock(r.seconds)}: {clock(told.speech)} speech, {clock(told.music)} music, "
        f"{clock(told.silence)} silence or noise, {display.count(told.passages, 'passage')}"
    )
    return plots.draw_strip(told.spans, told.marked, r.seconds, label)


def _changed_options(config: Config) -> list[tuple[str, Any, Any]]:
    """Option, value and default, of what is not the default."""
    ours, theirs = config.model_dump(mode="json"), type(config)().model_dump(mode="json")
    return [
        (f"{section}.{key}", value, theirs[section][key])
        for section, options in ours.items()
        for key, value in options.items()
        if value != theirs[section][key]
    ]


def _libraries() -> list[tuple[str, str]]:
    """What was installed where the page was written."""
    found = [("aramega", __version__), ("Python", platform.python_version())]
    for name in LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
