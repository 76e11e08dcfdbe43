"""HTML: one file a page, with its style and script inside, and a policy that lets nothing else run.

Whatever is put into a template is text, whoever wrote it. Style and script come from our packages and from nowhere
else, go inline, and are named by their hashes in the content security policy: the browser runs these and nothing that
a title or a transcript may hold, and fetches nothing that the page did not ask for by name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@dataclass(frozen=True)
class PageFiles:
    """What a page is made of: files in our packages, each named as (package, file)."""

    template: tuple[str, str]
    styles: Sequence[tuple[str, str]]
    scripts: Sequence[tuple[str, str]] = ()
    allows: Mapping[str, str] = field(default_factory=dict)
    """What it may do besides, as its policy says it: {"media-src": "data:"}."""
    filters: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def render(files: PageFiles, **values: object) -> str:
    """The whole page as text. The template finds `policy`, `style` and `script` beside the values."""
    style, script = _joined(files.styles), _joined(files.scripts)
    environment = _templates(files.template[0])
    environment.filters |= files.filters
    page: str = environment.get_template(files.template[1]).render(
        **values, style=style, script=script, policy=content_policy(style, script, files.allows)
    )
    return page


def content_policy(style: str, script: str, allows: Mapping[str, str]) -> str:
    """What a browser lets the page do: nothing, but for its own style and script, and what is allowed by name."""
    sources = {"default-src": "'none'", "style-src": _hash(style)}
    if script:
        sources["script-src"] = _hash(script)
    sources |= {**allows, "base-uri": "'none'", "form-action": "'none'"}
    return "; ".join(f"{name} {source}" for name, source in sources.items())


def as_data_block(facts: Mapping[str, Any]) -> Markup:
    """JSON for a block that no browser executes. It holds no `<` at all, so that nothing in it can end the block."""
    from markupsafe import Markup

    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _templates(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _joined(files: Sequence[tuple[str, str]]) -> Markup:
    from markupsafe import Markup

    # Ours, from our packages: nothing that came from outside goes in here.
    return Markup("\n".join(resources.files(p).joinpath(name).read_text(encoding="utf-8") for p, name in files))  # noqa: S704


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
