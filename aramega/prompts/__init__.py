"""Prompts: what is asked of a language model, in Arabic, in files that a curator may copy and edit.

A prompt is TOML with a name, a version and three texts: `system` (the rules), `user` (the material) and
`repair` (what is said to an answer that was not accepted). What stands in braces is filled in. Material, which is
whatever was said in a broadcast or written about it, may stand in `user` only: it never speaks with the rules'
voice. How it is quoted there is `backends.llm.quoting`'s business.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from aramega.records import AramegaError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_ABOUT = ("title", "programme", "channel", "date")
_REQUIRED = {"summary": "transcript", "merge": "summaries", "overview": "passages", "hear": ""}
_LIMITS = {
    "summary": ("max_sentences", "max_words", "max_topics"),
    "merge": ("max_sentences", "max_words", "max_topics"),
    "overview": ("max_sentences", "max_words", "max_chapters"),
    "hear": ("max_sentences", "max_words", "max_topics"),
}
"""By the kind of prompt: the material it is for, and the numbers it may be told."""


@dataclass(frozen=True)
class Prompt:
    """A prompt that was checked: every placeholder is known, and the one it is for is there."""

    name: str
    version: int
    system: str
    user: str
    repair: str

    @property
    def tag(self) -> str:
        """Name, version and the beginning of the hash of all its text: what a summary is said to be made with."""
        content = json.dumps([self.name, self.version, self.system, self.user, self.repair], ensure_ascii=False)
        return f"{self.name}@{self.version}#{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def load_prompt(kind: str, path: str = "") -> Prompt:
    """The curator's prompt, or the package's own of that kind if no file is named."""
    return _parse(prompt_text(kind, path), kind, path or f"aramega/prompts/{kind}.toml")


def prompt_text(kind: str, path: str = "") -> str:
    """The file as it is: what a curator copies to begin with."""
    if not path:
        return (files("aramega.prompts") / f"{kind}.toml").read_text(encoding="utf-8")
    try:
        return Path(path).read_text(encoding="utf-8-sig")  # Windows editors put a byte-order mark before Arabic
    except FileNotFoundError:
        raise AramegaError(f"{path}: no such prompt file. Put it back, or give another with --prompt.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AramegaError(f"{path}: the prompt cannot be read ({error}). Save it as UTF-8 text.") from None


def fill(template: str, values: Mapping[str, str]) -> str:
    """In one pass, so that what is filled in is not searched for placeholders; braces of JSON stay. A line whose
    placeholders are all empty is left out: a broadcast of no known programme has no line for it."""
    lines = (line for line in template.split("\n") if not _is_empty(line, values))
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), "\n".join(lines))


@cache
def _parse(text: str, kind: str, where: str) -> Prompt:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AramegaError(f"{where}: not valid TOML: {error}.") from None
    wanted: dict[str, type] = {"name": str, "version": int, "system": str, "user": str, "repair": str}
    for key, kind_of_value in wanted.items():
        if key not in values:
            raise AramegaError(f"{where}: a prompt needs `{key}`. It has: {', '.join(values) or 'nothing'}.")
        if not isinstance(values[key], kind_of_value) or isinstance(values[key], bool):
            raise AramegaError(f"{where}: `{key}` is {values[key]!r}; give {_ARTICLES[kind_of_value]}.")
    if unknown := [key for key in values if key not in wanted]:
        raise AramegaError(f"{where}: unknown key `{unknown[0]}`; known here: {', '.join(wanted)}.")
    _check_placeholders(values, kind, where)
    texts = {key: values[key].strip() for key in ("system", "user", "repair")}
    return Prompt(values["name"].strip(), values["version"], **texts)


_ARTICLES: dict[type, str] = {str: "a text in quotes", int: "a whole number"}


def _check_placeholders(values: Mapping[str, Any], kind: str, where: str) -> None:
    material, limits = _REQUIRED[kind], _LIMITS[kind]
    allowed = {"system": limits, "user": (material, *_ABOUT, *limits), "repair": ("error",)}
    for part, names in allowed.items():
        for name in dict.fromkeys(PLACEHOLDER.findall(values[part])):
            if part == "system" and name in (material, *_ABOUT):
                raise AramegaError(
                    f"{where}: {{{name}}} stands in `system`. Move it to `user`: what was said in a broadcast must not "
                    "speak with the rules' voice."
                )
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = (
                    f"did you mean {{{near[0]}}}?" if near else f"known here: {', '.join(f'{{{k}}}' for k in names)}."
                )
                raise AramegaError(f"{where}: unknown placeholder {{{name}}} in `{part}`; {hint}")
    for part, name in (("user", material), ("repair", "error")):
        if name and f"{{{name}}}" not in values[part]:
            raise AramegaError(f"{where}: the placeholder {{{name}}} is missing from `{part}`.")


def _is_empty(line: str, values: Mapping[str, str]) -> bool:
    named = PLACEHOLDER.findall(line)
    return bool(named) and not any(values.get(name, name) for name in named)
