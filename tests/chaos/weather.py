"""What storms are made of, and what a seed makes of it: pure, so that a storm can be told again by its number.

A storm is an engine, a place for the workspace, and one or two runs with blows falling on them; the runs that
follow are calm. When a blow falls is told as a share of a calm run's time, so that a slow machine has the same
storms as a quick one.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Engine(Enum):
    """Where the stages run."""

    LOCAL_1 = "local, 1 worker"
    LOCAL_2 = "local, 2 workers"
    RAY = "ray on this machine"
    CLUSTER = "ray, two raylets"


class Kind(Enum):
    """A kind of blow."""

    WORKER = "SIGKILL of a worker"
    DECODER = "SIGKILL of a decoder"
    PAUSE = "SIGSTOP of a worker, SIGCONT a second later"
    DRIVER = "SIGKILL of the driver"
    RAYLET = "SIGKILL of a raylet"
    DISK = "full disk"
    CLOCK = "clock set back two days"
    S3_ERRORS = "S3 answers 503"
    S3_SLOW = "S3 answers slowly"
    S3_BROKEN = "S3 breaks off its answers"


_LATEST = {Kind.DECODER: 0.4}
"""Later there are no decoders: ingest comes first."""

ON_RAY = frozenset({Engine.RAY, Engine.CLUSTER})
WEIGHTS = {Engine.LOCAL_1: 4, Engine.LOCAL_2: 6, Engine.RAY: 3, Engine.CLUSTER: 5}
BLOWS: dict[Engine, tuple[Kind, ...]] = {
    Engine.LOCAL_1: (Kind.WORKER, Kind.DECODER, Kind.PAUSE, Kind.DRIVER, Kind.DISK, Kind.CLOCK),
    Engine.LOCAL_2: (Kind.WORKER, Kind.DECODER, Kind.PAUSE, Kind.DRIVER, Kind.DISK, Kind.CLOCK),
    Engine.RAY: (Kind.WORKER, Kind.DECODER, Kind.PAUSE, Kind.DRIVER, Kind.RAYLET, Kind.DISK),
    # The only engine whose raylet can go without the driver: most of its storms should see that.
    Engine.CLUSTER: (Kind.WORKER, Kind.DECODER, Kind.DRIVER, Kind.RAYLET, Kind.RAYLET, Kind.DISK),
}
"""Ray keeps times of its own and is not made to live under a false clock: there it is left out."""
ON_S3 = (Kind.S3_ERRORS, Kind.S3_SLOW, Kind.S3_BROKEN)
MAY_USE_S3 = frozenset({Engine.LOCAL_1, Engine.LOCAL_2, Engine.RAY})
"""A cluster of its own has an environment of its own, and no credentials in it."""


@dataclass(frozen=True)
class Blow:
    kind: Kind
    at: float
    """When, as a share of a calm run's time."""
    chance: float
    """Between 0 and 1: which worker, which raylet, how full."""


@dataclass(frozen=True)
class Storm:
    seed: int
    engine: Engine
    hears: bool
    """Whether the recording without subtitles is heard by Whisper, or fails for want of a text."""
    runs: tuple[tuple[Blow, ...], ...]
    """The blows on each of the runs that are not calm."""
    on_s3: bool = False
    """Whether the recordings come from an object store, and clips and frames go there."""

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(blow.kind for run in self.runs for blow in run)

    def __str__(self) -> str:
        runs = " | ".join(", ".join(f"{b.kind.value} at {b.at:.0%}" for b in run) for run in self.runs)
        return f"storm {self.seed}: {self.engine.value}{', Whisper' if self.hears else ''}{', S3' if self.on_s3 else ''}: {runs}"


def plan_storm(seed: int, *, left_out: Collection[Kind | Engine] = ()) -> Storm:
    """The storm of that number, of what this machine can do."""
    rng = random.Random(seed)
    engines = [engine for engine in Engine if engine not in left_out]
    engine = rng.choices(engines, [WEIGHTS[e] for e in engines])[0]
    hears = rng.random() < 0.4
    runs = tuple(_plan_run(rng, engine, left_out) for _ in range(rng.choice((1, 1, 2))))
    storm = Storm(seed, engine, hears, runs)
    return _move_to_s3(storm) if engine in MAY_USE_S3 and not {*ON_S3} & {*left_out} else storm


def _move_to_s3(storm: Storm) -> Storm:
    """A third of the storms that can, with the store in trouble in each run. Drawn apart, so that all else of a storm
    is the same where there is no S3."""
    rng = random.Random(f"S3 {storm.seed}")
    if rng.random() > 1 / 3:
        return storm
    runs = tuple((*run, Blow(rng.choice(ON_S3), rng.uniform(0.0, 0.6), rng.random())) for run in storm.runs)
    ordered = tuple(_until_the_driver_falls(sorted(run, key=lambda blow: blow.at)) for run in runs)
    return replace(storm, runs=ordered, on_s3=True)


def _plan_run(rng: random.Random, engine: Engine, left_out: Collection[Kind | Engine]) -> tuple[Blow, ...]:
    kinds = [kind for kind in BLOWS[engine] if kind not in left_out]
    chosen = rng.sample(kinds, rng.choice((1, 2, 2, 3)))
    blows = (Blow(kind, rng.uniform(0.05, _LATEST.get(kind, 1.0)), rng.random()) for kind in dict.fromkeys(chosen))
    return _until_the_driver_falls(sorted(blows, key=lambda blow: blow.at))


def _until_the_driver_falls(blows: Sequence[Blow]) -> tuple[Blow, ...]:
    """What would come after that would hit nothing."""
    fatal = next((i for i, blow in enumerate(blows) if blow.kind is Kind.DRIVER), len(blows))
    return tuple(blows[: fatal + 1])
