"""Problems: what would keep the set from being published, gathered so that one run tells all."""

from __future__ import annotations

import difflib
from collections import Counter
from pathlib import Path

from aramega.display import first_few
from aramega.publish.stretch import Inventories
from aramega.records import AramegaError, ResolvedPassage


class Problems:
    """Clips that are missing, and labels that no inventory has."""

    def __init__(self, inventories: Inventories) -> None:
        self.inventories = inventories
        self._missing: list[str] = []
        self._strange: Counter[tuple[str, str]] = Counter()

    def size_of(self, clip: Path) -> int:
        try:
            return clip.stat().st_size
        except OSError:
            self._missing.append(clip.name)
            return 0

    def look_at(self, resolved: ResolvedPassage) -> None:
        for kind, labels in self.inventories.items():
            value = getattr(resolved, kind).value
            if value and value not in labels:
                self._strange[kind, value] += 1

    def check(self) -> None:
        if self._missing:
            raise AramegaError(
                f"{first_few(self._missing)}: not in the workspace's clips, so {len(self._missing)} rows would have no "
                "audio. Bring them back, or leave the passages out with --where."
            )
        for (kind, value), times in self._strange.items():
            labels = self.inventories[kind]
            near = difflib.get_close_matches(value, labels, n=1)
            hint = f" Did someone mean {near[0]}?" if near else ""
            raise AramegaError(
                f"{times} passages have the {kind} {value!r}, which label.{kind}s does not know "
                f"({', '.join(labels)}).{hint} Add it there, or correct the reviews."
            )
