"""Tallies: what a run of the fuzzer came to, by kind of mutant, and the table that says so."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.chaos.judges import Verdict


@dataclass(frozen=True)
class Peak:
    """How large a process and its largest child have been, in megabytes."""

    kind: str
    worker: int
    decoder: int


@dataclass
class Tally:
    """What came of the mutants of one kind."""

    kind: str
    valid: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_mutant: str = ""
    worker_peak: int = 0
    decoder_peak: int = 0
    violations: list[Verdict] = field(default_factory=list)

    @property
    def mutants(self) -> int:
        return self.valid + self.reasons.total() + len(self.violations)

    def add(self, verdict: Verdict) -> None:
        if verdict.seconds > self.slowest:
            self.slowest, self.slowest_mutant = verdict.seconds, verdict.mutant
        if verdict.violation:
            self.violations.append(verdict)
        elif verdict.reason:
            self.reasons[_alike(verdict.reason)] += 1
        else:
            self.valid += 1


def tally(said: Iterable[Verdict | Peak], tell: Callable[[Verdict], None] = lambda _: None) -> dict[str, Tally]:
    """Everything said, added up by kind; violations are told at once."""
    tallies: dict[str, Tally] = {}
    for one in said:
        kind = one.kind if isinstance(one, Peak) else one.mutant.partition(":")[0]
        own = tallies.setdefault(kind, Tally(kind))
        if isinstance(one, Peak):
            own.worker_peak, own.decoder_peak = max(own.worker_peak, one.worker), max(own.decoder_peak, one.decoder)
        else:
            own.add(one)
            if one.violation:
                tell(one)
    return tallies


def counted(said: Iterable[Verdict | Peak], begun: float) -> Iterator[Verdict | Peak]:
    """The same, with a word now and then of how far it is."""
    count = 0
    for one in said:
        count += isinstance(one, Verdict)
        if isinstance(one, Verdict) and count % 1000 == 0:
            print(f"{count:,} mutants, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        yield one


def show(tallies: dict[str, Tally], most: int = 8) -> str:
    """The table, and under it the most frequent reasons."""
    lines = ["| kind | mutants | valid | refused | violations | slowest s | worker MB | decoder MB |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for kind, one in tallies.items():
        counts = f"{one.mutants:,} | {one.valid:,} | {one.reasons.total():,} | {len(one.violations):,}"
        lines.append(
            f"| {kind} | {counts} | {one.slowest:.1f} ({one.slowest_mutant}) | {one.worker_peak} | {one.decoder_peak} |"
        )
    for kind, one in tallies.items():
        lines += ["", f"{kind}, refused because:"]
        lines += [f"  {times:6,}  {reason}" for reason, times in one.reasons.most_common(most)]
    return "\n".join(lines)


def _alike(reason: str) -> str:
    """The reason without what differs from file to file."""
    reason = re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "'…'", reason)
    return re.sub(r"0x[0-9a-f]+|[-+]?\d+(\.\d+)?", "N", reason)[:110]
