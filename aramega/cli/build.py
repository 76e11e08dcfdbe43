"""`aramega build-ssum`: run the build and show how it goes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aramega.errors import AramegaError
from aramega.store.sources import bytes_to_ingest

if TYPE_CHECKING:
    from aramega.cli.show import Show
    from aramega.config import Config
    from aramega.engine import Engine
    from aramega.pipeline import Pipeline
    from aramega.pipeline.build import Request

ALL_DONE, DONE_WITH_FAILURES = 0, 3

USUAL = Path("aramega-workspace")
"""Where a build works when it is not told otherwise."""

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders (searched through), globs, any of them in an object store (s3://bucket/folder, gs://, hf://), "
        "or manifests (.txt .csv .tsv .jsonl with a column `path` and, optionally, title, programme, "
        "channel, date, speaker, dialect, licence, url). Leave out to go on with what the workspace knows.",
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
    str | None,
    typer.Option(
        "--until",
        metavar="STAGE",
        help="Stop after this stage: ingest, segment, passages, transcribe, summarize, label or check.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", "-n", min=1, help="Processes, about one core each. Default: the machine's cores."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine", metavar="local|ray", help="Where stages run: on this machine, or on the actors of a Ray cluster."
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="HOST:PORT|auto", help="The cluster; else one of this machine for this run."),
]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Open at most this many new files: a first look at a large archive."),
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what there is to do and what the summaries would cost, and do nothing."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output, for machines.")]
FilesOption = Annotated[
    str | None,
    typer.Option(
        "--files",
        metavar="ADDRESS",
        help="Keep clips and frame tables at this address, too (s3://bucket/folder), for workers on machines that do "
        "not see the workspace. Said once, at a workspace's beginning.",
    ),
]
MetricsOption = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve Prometheus metrics while the build runs; on this machine alone unless HOST is given, say 0.0.0.0.",
    ),
]
MetricsFileOption = Annotated[
    Path | None,
    typer.Option("--metrics-file", metavar="FILE.prom", help="Write them, too, for node-exporter to collect."),
]


def _draft(name: str, metavar: str, help: str) -> Any:
    return typer.Option(name, metavar=metavar, help=help, rich_help_panel="Drafts")


AsrModel = Annotated[
    str | None,
    _draft(
        "--asr-model",
        "NAME|PATH",
        "Draft transcripts with this Whisper: large-v3-turbo, medium, …, a checkpoint file, faster-whisper:NAME, or "
        "`subtitles` for those beside the recordings. Without it the build ends with passages.",
    ),
]
Language = Annotated[str | None, _draft("--language", "CODE", "What is spoken, or `auto`; ar unless told otherwise.")]
Summarizer = Annotated[
    str | None,
    _draft(
        "--summarizer",
        "BACKEND",
        "extractive (the default: no model), openai:MODEL@URL (any OpenAI-compatible endpoint; its key is read from "
        "OPENAI_API_KEY), or hf:FOLDER.",
    ),
]
PromptFile = Annotated[str | None, _draft("--prompt", "FILE", "A summary prompt of your own; see docs/drafts.md.")]
MaxTokens = Annotated[int | None, _draft("--max-tokens-total", "N", "Stop before the summaries use more tokens.")]
MaxCost = Annotated[
    float | None,
    _draft("--max-cost", "AMOUNT", "Stop before they cost more; needs summarize.price_in and price_out."),
]
WholeRecordings = Annotated[
    bool | None,
    typer.Option(
        "--summarize-recordings/--no-summarize-recordings",
        help="Summarize whole recordings too, with chapters.",
        rich_help_panel="Drafts",
    ),
]
DialectModel = Annotated[
    str | None, _draft("--dialect-model", "FOLDER", "A transformers audio classifier that tells dialects.")
]
EmotionModel = Annotated[
    str | None, _draft("--emotion-model", "FOLDER", "A transformers audio classifier that tells emotions.")
]
Device = Annotated[str | None, _draft("--device", "auto|cuda|mps|cpu", "Where models run.")]


def build_ssum(
    sources: Sources = None,
    workspace: WorkspaceOption = USUAL,
    config: ConfigOption = None,
    settings: SetOption = None,
    until: UntilOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = "local",
    ray_address: RayOption = None,
    files: FilesOption = None,
    limit: LimitOption = None,
    retry_failed: RetryOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    metrics: MetricsOption = None,
    metrics_file: MetricsFileOption = None,
    asr_model: AsrModel = None,
    language: Language = None,
    summarizer: Summarizer = None,
    prompt: PromptFile = None,
    max_tokens_total: MaxTokens = None,
    max_cost: MaxCost = None,
    summarize_recordings: WholeRecordings = None,
    dialect_model: DialectModel = None,
    emotion_model: EmotionModel = None,
    device: Device = None,
) -> int:
    """Turn recordings into drafted passages, resumably: run it again and only what is missing or changed is done.

    Exit codes: 0 all done, 3 done with failures or stopped short (a budget, a server that is down), 2 wrong usage,
    1 crashed, 130 interrupted.
    """
    from aramega.cli.show import make_show
    from aramega.cli.telling import serve_metrics
    from aramega.config import choose_config
    from aramega.pipeline import Pipeline
    from aramega.pipeline.build import Request
    from aramega.workspace import WorkspaceFolder, note_files

    _stop_politely_when_terminated()
    place = WorkspaceFolder(workspace.absolute())
    named = {
        "transcribe.model": _anywhere(asr_model),
        "transcribe.language": language,
        "transcribe.device": device,
        "summarize.backend": summarizer,
        "summarize.prompt": prompt,
        "summarize.max_tokens_total": max_tokens_total,
        "summarize.max_cost": max_cost,
        "overview.enabled": summarize_recordings,
        "label.dialect_model": _anywhere(dialect_model),
        "label.emotion_model": _anywhere(emotion_model),
        "label.device": device,
    }
    options = {key: value for key, value in named.items() if value is not None}
    chosen = choose_config(config, place.config, settings or [], options)
    request = Request(limit, retry_failed)
    if dry_run:
        from aramega.cli.dry_run import say_what_is_left

        return say_what_is_left(sources or [], Pipeline.from_config(chosen, place, until))
    if files:
        place = note_files(place, files)
    show = make_show(quiet=quiet, as_json=as_json)
    runs = make_engine(engine, workers or cores(), chosen, ray_address)
    with serve_metrics(place, metrics, metrics_file, quiet=quiet):
        pipeline = Pipeline.from_config(chosen, place, until)
        return build_and_show(sources or [], pipeline, request, runs, show, metrics_file)


def make_engine(name: str, workers: int, config: Config, ray_address: str | None = None) -> Engine:
    """The engine of that name."""
    if name == "local":
        from aramega.engine.local import LocalEngine

        return LocalEngine(workers)
    if name == "ray":
        from aramega.engine.ray import RayEngine, check_ray

        check_ray()
        return RayEngine(workers, config.engine, ray_address)
    raise AramegaError(f"--engine {name}: there are local and ray.")


def _anywhere(name: str | None) -> str | None:
    """A file's absolute path, since the workspace keeps the option and a later run may start in another folder."""
    if not name:
        return name
    prefix, colon, rest = name.rpartition(":")
    path = Path(rest).expanduser()
    return f"{prefix}{colon}{path.absolute()}" if path.exists() and ("/" in rest or path.is_file()) else name


def build_and_show(
    named: Sequence[str],
    pipeline: Pipeline,
    request: Request,
    engine: Engine,
    show: Show,
    metrics_file: Path | None = None,
) -> int:
    """Take the workspace's lock, add what was named, build, and say what came of it."""
    from aramega.cli.telling import make_reporter
    from aramega.pipeline.build import add_sources, building, run_build, summarize
    from aramega.sources import find_sources
    from aramega.store import Store

    place, config = pipeline.workspace, pipeline.config
    pipeline.check()
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
        show.notes(add_sources(store, pipeline, named, sources))
        begun, stopped = time.monotonic(), False
        show.start(bytes_to_ingest(store, request.limit))
        try:
            with make_reporter(store, pipeline, engine, metrics_file) as reporter:
                for news in run_build(store, pipeline, engine, request):
                    show.news(news)
                    reporter.note(news)
                    if not news:
                        show.look(engine.statuses())
                        reporter.look(engine.statuses())
                    stopped = stopped or any(one.stopped for one in news)
        finally:
            show.stop()
        summary = summarize(store, pipeline, time.monotonic() - begun)
    show.summary(summary)
    return DONE_WITH_FAILURES if summary.failed or stopped else ALL_DONE


def cores() -> int:
    """The cores we may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stop_politely_when_terminated() -> None:
    """A cluster's SIGTERM is a Ctrl-C: finish the transaction, dismiss the workers, go."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
