"""aramega: from hours of Arabic broadcast to a human-reviewed speech-summarization dataset.

`import aramega as am` gives `open`, `create`, `merge`, `Workspace`, `Passages`, `PassageView` and `AramegaError`; what
each does is in `aramega.api`. They are imported when they are first asked for, so that importing aramega costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aramega.version import __version__

if TYPE_CHECKING:
    from aramega.api import AramegaError, Passages, PassageView, Workspace, create, merge, open

__all__ = ["AramegaError", "PassageView", "Passages", "Workspace", "__version__", "create", "merge", "open"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aramega' has no attribute {name!r}")
    from aramega import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__
