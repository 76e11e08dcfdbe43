"""Settling reviews by a policy, with labels brought to the workspace's inventories."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aramega.api.access import Access
from aramega.backends.labelers import EMOTIONS, REGIONS, Names
from aramega.settle.policies import Policy, PolicyName
from aramega.settle.resolve import Settlement, resolve_workspace


def resolve(workspace: Access, policy: PolicyName, *, referees: Sequence[str], where: str, dry_run: bool) -> Settlement:
    """Settle the passages for which `where` is true; on a dry run, nothing is kept."""
    with workspace.reading() as store:
        inventory = workspace.config.label
        labels = {
            "dialect": _nearest_label(Names(inventory.dialects, REGIONS, inventory.names)),
            "emotion": _nearest_label(Names(inventory.emotions, EMOTIONS, inventory.names)),
        }
        wanted = Policy(policy, referees=frozenset(referees), labels=labels)
        return resolve_workspace(store, wanted, where=where, dry_run=dry_run)


def _nearest_label(names: Names) -> Callable[[str], str]:
    """Annotators' labels are brought to the inventory as models' are."""
    return lambda label: next((score.label for score in names.scores({label: 1.0})), "")
