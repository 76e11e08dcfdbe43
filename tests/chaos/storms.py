"""Storms: seeded builds that are struck down, run again until they are done, and held against a calm build.

    python -m tests.chaos.storms --runs 50 [--first-seed 1]
    python -m tests.chaos.storms --only SEED

A storm must end as if it had been calm: the same rows, clips and frames, nothing lost, nothing done twice, nothing
left lying about, no traceback, no process that outlives its build. What it cannot promise is the very same course:
when a blow falls is told to a share of a calm run's time, and what it hits is whatever is there then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from tests.chaos.accounts import Account, table
from tests.chaos.archive import build_options, make_archive, upload_archive
from tests.chaos.blows import Site, cannot_do
from tests.chaos.books import Books, Written, books, differences, kept_on, unexpected_failures, written
from tests.chaos.clusters import TwoRaylets
from tests.chaos.rude_s3 import BUCKET, RudeS3
from tests.chaos.weather import ON_RAY, Blow, Engine, Kind, Storm, plan_storm

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SAMPLE = REPOSITORY / "aramega" / "sample" / "broadcast.mp3"
MOST_RUNS = 6
"""A storm that is not settled after so many calm runs never will be."""
LINGER = 600.0
"""Seconds within which all processes of a build must be gone once it is; they take one or two."""
DONE, CRASHED, REFUSED, DONE_WITH_FAILURES, KILLED = 0, 1, 2, 3, -9


class Climate:
    """What all storms share: the archive, what a calm build makes of it and how long that takes, a cluster, a store."""

    def __init__(self, folder: Path, broadcast: Path = SAMPLE) -> None:
        self.folder = folder
        self.archive = make_archive(folder / "archive", broadcast)
        self._cluster: TwoRaylets | None = None
        self._s3: RudeS3 | None = None
        self._took: dict[tuple[Engine, bool, bool], float] = {}
        self._books: dict[tuple[bool, bool], Books] = {}

    def close(self) -> None:
        for one in (self._cluster, self._s3):
            if one:
                one.close()

    def site(self, folder: Path, storm: Storm) -> Site:
        """Surroundings for a storm of this kind."""
        if storm.engine is Engine.CLUSTER and not self._cluster:
            self._cluster = TwoRaylets()
        if storm.on_s3 and not self._s3:
            self._s3 = RudeS3()
            upload_archive(self.archive, self._s3.files(), f"{BUCKET}/in")
        return Site(
            folder,
            storm.engine,
            storm.kinds,
            self._cluster if storm.engine is Engine.CLUSTER else None,
            self._s3 if storm.on_s3 else None,
        )

    def calm(self, storm: Storm) -> tuple[Books, float]:
        """A calm build's books, and how long it takes on the storm's engine."""
        kind, setting = (storm.hears, storm.on_s3), (storm.engine, storm.hears, storm.on_s3)
        if setting not in self._took:
            folder = self.folder / f"calm {storm.engine.name} {kind}"
            site = self.site(folder, replace(storm, runs=()))
            with site.ready():
                begun = time.monotonic()
                line, told = self.line(storm, site), site.environment()
                done = subprocess.run(line, env=told, capture_output=True, text=True, check=False)
                assert done.returncode == DONE_WITH_FAILURES, done.stderr
                self._took[setting] = time.monotonic() - begun
                found = self.books(site)
                wrong = differences(self._books.setdefault(kind, found), found)
                assert not wrong, f"calm builds differ: {wrong}"
        return self._books[kind], self._took[setting]

    def books(self, site: Site) -> Books:
        """What there is, in the workspace and in the store."""
        there = kept_on(site.s3.files(), _kept_in(site)) if site.s3 else {}
        return {**books(site.workspace), **there}

    def line(self, storm: Storm, site: Site, *more: str) -> list[str]:
        """The command that builds, and that goes on with it."""
        named = self.archive / "on_s3.csv" if storm.on_s3 else self.archive
        line = [sys.executable, "-m", "aramega", "build-ssum", str(named), "-w", str(site.workspace), "--json"]
        line += build_options(self.archive, hears=storm.hears)
        line += ["--workers", "1" if storm.engine is Engine.LOCAL_1 else "2"]
        if storm.on_s3:
            line += ["--files", f"s3://{_kept_in(site)}"]
        if storm.engine in ON_RAY:
            line += ["--engine", "ray"]
        if site.cluster:
            line += ["--ray-address", site.cluster.address]
        return [*line, *more]


def _kept_in(site: Site) -> str:
    return f"{BUCKET}/kept/{site.workspace.parent.name.replace(' ', '-')}"


def ride_out(storm: Storm, climate: Climate) -> Account:
    """Let the storm rage, go on until the build is done, and look at what there is."""
    calm, calm_seconds = climate.calm(storm)
    account, begun = Account(storm), time.monotonic()
    with tempfile.TemporaryDirectory(dir=climate.folder) as folder:
        site = climate.site(Path(folder), storm)
        with site.ready():
            run = Runner(storm, climate, site, account, calm_seconds)
            for blows in storm.runs:
                run.once(blows)
            while not run.settled(calm) and account.resumes < len(storm.runs) + MOST_RUNS:
                run.once((), *(["--retry-failed"] if unexpected_failures(site.workspace, calm) else []))
            account.different += differences(calm, climate.books(site))
    account.seconds = time.monotonic() - begun
    return account


class Runner:
    """Runs the same build again and again, some of the times under blows, and keeps an eye on its books."""

    def __init__(self, storm: Storm, climate: Climate, site: Site, account: Account, calm_seconds: float) -> None:
        self.storm, self.climate, self.site, self.account = storm, climate, site, account
        self.calm_seconds = calm_seconds
        self._runs = 0
        self._last: int | None = None
        self._written: Written = {}
        self._told: Counter[tuple[str, str]] = Counter()

    def settled(self, calm: Books) -> bool:
        """Whether the last run was undisturbed to its end, and all that failed is what must fail."""
        return self._last in (DONE, DONE_WITH_FAILURES) and not unexpected_failures(self.site.workspace, calm)

    def once(self, blows: Sequence[Blow], *more: str) -> None:
        """One run, to its end, however that comes."""
        self._runs += 1
        self.account.resumes = self._runs - 1
        said, told = self.site.workspace.with_name("stderr"), self.site.workspace.with_name("stdout")
        with said.open("w") as errors, told.open("w") as news:
            line = self.climate.line(self.storm, self.site, *more)
            build = psutil.Popen(line, stdout=news, stderr=errors, env=self.site.environment())
            seen = self._strike(build, blows)
            code = self._wait(build, seen)
        self.site.clear()
        self._look(code, blows, said.read_text(errors="replace"), told)
        self._await_the_end(seen)
        self._last = None if blows else code

    def _strike(self, build: psutil.Popen, blows: Sequence[Blow]) -> set[psutil.Process]:
        """Let the blows fall, each when its time has come and there is something to hit; all processes seen."""
        begun, seen = time.monotonic(), set()
        for blow in blows:
            while build.poll() is None and time.monotonic() - begun < blow.at * self.calm_seconds:
                time.sleep(0.01)
            landed = False
            while not landed and build.poll() is None:
                seen.update(self.site.processes(build))
                landed = self.site.strike(blow, build)
                time.sleep(0.002)
            (self.account.struck if landed else self.account.missed)[blow.kind] += 1
        return seen

    def _wait(self, build: psutil.Popen, seen: set[psutil.Process]) -> int | None:
        limit = 1200 + 10 * self.calm_seconds
        begun = time.monotonic()
        while build.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                seen.update(self.site.processes(build))
            if time.monotonic() - begun > limit:
                self.account.troubles.append(f"run {self._runs} hung: not done after {limit:.0f} s")
                for process in (*build.children(recursive=True), build):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                build.wait()
                return None
            time.sleep(0.1)
        return int(build.returncode)

    def _look(self, code: int | None, blows: Sequence[Blow], said: str, told: Path) -> None:
        """What this run did to the books, and what it said."""
        kinds = {blow.kind for blow in blows}
        fine = {DONE, DONE_WITH_FAILURES} | ({KILLED} if Kind.DRIVER in kinds else set())
        fine |= {CRASHED} if Kind.DISK in kinds else set()
        fine |= {CRASHED, REFUSED} if Kind.RAYLET in kinds else set()
        if code is not None and code not in fine:
            self.account.troubles.append(f"run {self._runs} ended with {code}: {said[-400:]}")
        if "Traceback" in said:
            self.account.troubles.append(f"run {self._runs} showed a traceback: {said[-1500:]}")
        now = written(self.site.workspace)
        for key, when in self._written.items():
            if key not in now:
                self.account.lost.append(f"{key} after run {self._runs}")
            elif now[key] != when:
                self.account.twice.append(f"{key} in run {self._runs}")
        self._written = now
        for key in _done(told):
            self._told[key] += 1
            if self._told[key] == 2:
                self.account.twice.append(f"{key} told twice, by run {self._runs}")

    def _await_the_end(self, seen: set[psutil.Process]) -> None:
        """Workers and decoders go with their driver. On a cluster, raylets and their idle workers stay; Ray's agents,
        which look for a raylet that was killed only now and then, are its own to end."""
        ours = {p for p in seen if self.site.belongs(p) and not _is_rays_own(p)}
        _, alive = psutil.wait_procs(list(ours), timeout=LINGER)
        alive = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE and self.site.belongs(p)]
        if alive:
            self.account.troubles.append(
                f"still there after run {self._runs}: {[' '.join(p.cmdline())[:80] for p in alive]}"
            )


def _is_rays_own(process: psutil.Process) -> bool:
    try:
        return "Agent" in process.cmdline()[0] and process.cmdline()[0].startswith("ray::")
    except (psutil.Error, IndexError):
        return False


def _done(told: Path) -> Iterable[tuple[str, str]]:
    """What the build said it had done; its last line may be half a one."""
    for line in told.read_text(errors="replace").splitlines():
        with contextlib.suppress(ValueError):
            news = json.loads(line)
            if news.get("event") == "done":
                yield news["stage"], news["item"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="SEED")
    options = parser.parse_args()
    first, runs = (options.first_seed, options.runs) if options.only is None else (options.only, 1)
    left_out = cannot_do()
    for what, why in left_out.items():
        print(f"left out: {what.value}: {why}", file=sys.stderr)
    accounts = []
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Climate(Path(folder))) as climate:
        for seed in range(first, first + runs):
            account = ride_out(plan_storm(seed, left_out=left_out), climate)
            verdict = "identical" if account.identical else "DIFFERENT"
            print(f"{account.storm}: {verdict}, {account.resumes} resumes, {account.seconds:.0f} s", file=sys.stderr)
            print(*(f"- {complaint}\n" for complaint in account.complaints()), sep="", end="", file=sys.stderr)
            accounts.append(account)
    print(table(accounts))
    sys.exit(not all(account.identical for account in accounts))


if __name__ == "__main__":
    main()
