"""Options as Python users write them: one table per section, as in aramega.toml."""

from __future__ import annotations

from collections.abc import Mapping

from aramega.errors import AramegaError

Settings = Mapping[str, Mapping[str, object]]
"""`{"passages": {"max_seconds": 90}}`."""


def flatten(settings: Settings | None) -> dict[str, object]:
    """The same by `section.key`; the values stay what they are."""
    flat: dict[str, object] = {}
    for section, options in (settings or {}).items():
        if not isinstance(options, Mapping):
            raise AramegaError(
                f'config: {section!r} is {options!r}. Give a table for each section: {{"passages": {{"max_seconds": 90}}}}.'
            )
        flat |= {f"{section}.{key}": value for key, value in options.items()}
    return flat
