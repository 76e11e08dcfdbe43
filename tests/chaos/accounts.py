"""Accounts: what came of storms, one by one and in a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.weather import Engine, Kind, Storm


@dataclass
class Account:
    """What came of a storm."""

    storm: Storm
    struck: Counter[Kind] = field(default_factory=Counter)
    missed: Counter[Kind] = field(default_factory=Counter)
    """Blows that found nothing to hit before the run was over."""
    resumes: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def identical(self) -> bool:
        return not (self.twice or self.lost or self.different or self.troubles)

    def complaints(self) -> Iterable[str]:
        for name in ("twice", "lost", "different", "troubles"):
            yield from (f"{name}: {one}" for one in getattr(self, name))


def table(accounts: Sequence[Account]) -> str:
    """By engine and by kind of blow; then every difference, with the seed that shows it again."""
    head = "| | storms | blows struck | found nothing to hit | identical to calm | resumes | done twice | lost |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for engine in Engine:
        lines.append(_row(engine.value, [a for a in accounts if a.storm.engine is engine], set(Kind)))
    for kind in Kind:
        lines.append(_row(kind.value, [a for a in accounts if kind in a.storm.kinds], {kind}))
    lines.append(_row("**all**", accounts, set(Kind)))
    for account in accounts:
        complaints = [f"- {one}" for one in account.complaints()]
        lines += [f"\n{account.storm}", *complaints] if complaints else []
    return "\n".join(lines)


def _row(name: str, accounts: Sequence[Account], kinds: Collection[Kind]) -> str:
    numbers = (
        len(accounts),
        sum(account.struck[kind] for account in accounts for kind in kinds),
        sum(account.missed[kind] for account in accounts for kind in kinds),
        sum(account.identical for account in accounts),
        sum(account.resumes for account in accounts),
        sum(len(account.twice) for account in accounts),
        sum(len(account.lost) for account in accounts),
    )
    return f"| {name} | {' | '.join(map(str, numbers))} |"
