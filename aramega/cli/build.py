"""`aramega build-ssum`: run the build and show how it goes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.records import AramegaError

if TYPE_CHECKING:
    from aramega.build import Request
    from aramega.cli.show import Show
    from aramega.config import Config
    from aramega.workspace import Workspace

ALL_DONE, DONE_WITH_FAILURES = 0, 3

USUAL = Path("aramega-workspace")
"""Where a build works when it is not told otherwise."""

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders (searched through), globs, or manifests (.txt .csv .tsv .jsonl with a column `path` and, "
        "optionally, title, programme, channel, date, speaker, dialect, licence, url). "
        "Leave out to go on with what the workspace knows.",
    ),
]
WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The folder of this build; made if missing.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="A TOML file; else the workspace's own aramega.toml; else defaults."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Change one option, for example passages.max_seconds=90."),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="STAGE", help="Stop after this stage: ingest, segment or passages.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", "-n", min=1, help="Processes, about one core each. Default: the machine's cores."),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Open at most this many new files: a first look at a large archive."),
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output, for machines.")]


def build_ssum(
    sources: Sources = None,
    workspace: WorkspaceOption = USUAL,
    config: ConfigOption = None,
    settings: SetOption = None,
    until: UntilOption = None,
    workers: WorkersOption = None,
    limit: LimitOption = None,
    retry_failed: RetryOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> int:
    """Turn recordings into passages, resumably: run it again and only what is missing or changed is done.

    Exit codes: 0 all done, 3 done with failures, 2 wrong usage, 1 crashed, 130 interrupted.
    """
    from aramega.build import Request
    from aramega.cli.show import make_show
    from aramega.config import choose_config
    from aramega.workspace import Workspace

    _stop_politely_when_terminated()
    place = Workspace(workspace.absolute())
    chosen = choose_config(config, place.config, settings or [])
    show = make_show(quiet=quiet, as_json=as_json)
    return build_and_show(sources or [], place, chosen, Request(until, limit, retry_failed), workers or cores(), show)


def build_and_show(
    named: Sequence[str], place: Workspace, config: Config, request: Request, workers: int, show: Show
) -> int:
    """Take the workspace's lock, add what was named, build, and say what came of it."""
    from aramega.build import add_sources, building, check_request, run_build, summarize
    from aramega.engine.local import LocalEngine
    from aramega.sources import find_sources
    from aramega.store import Store

    check_request(place, config, request)
    sources = list(find_sources(named, config.ingest.extensions))
    if named and not sources:
        looked_for = ", ".join(config.ingest.extensions[:6])
        raise AramegaError(
            f"{', '.join(named)}: no recordings found (looked for {looked_for}, …; see ingest.extensions)."
        )
    if not named and not place.database.exists():
        raise AramegaError(
            f"{place.root} is not a workspace yet. Name the recordings: aramega build-ssum FOLDER -w DIR."
        )
    with building(place), Store.create_or_open(place) as store:
        add_sources(store, place, config, named, sources)
        begun = time.monotonic()
        show.start(store.bytes_to_ingest(request.limit))
        try:
            for news in run_build(store, place, config, LocalEngine(workers), request):
                show.news(news)
        finally:
            show.stop()
        summary = summarize(store, place, config, time.monotonic() - begun)
    show.summary(summary)
    return DONE_WITH_FAILURES if summary.failed else ALL_DONE


def cores() -> int:
    """The cores we may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stop_politely_when_terminated() -> None:
    """A cluster's SIGTERM is a Ctrl-C: finish the transaction, dismiss the workers, go."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
