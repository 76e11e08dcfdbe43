"""`aramega build-ssum`, for short `build`: run the build and show how it goes."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aramega.cli.command import Changes, command
from aramega.cli.config_options import ConfigOption
from aramega.cli.exit_codes import ALL_DONE, COME_BACK_LATER, DONE_WITH_FAILURES
from aramega.stages.names import OUR_STAGES

if TYPE_CHECKING:
    from aramega.api import Workspace
    from aramega.api.building import BuildOptions, BuildResult

DRAFTS = "Drafts"

OPTIONS = (
    ConfigOption(
        "transcribe.model",
        "--asr-model",
        "NAME|PATH",
        DRAFTS,
        "Draft transcripts with this Whisper: large-v3-turbo, medium, …, a checkpoint file or folder, "
        "endpoint:MODEL@URL, faster-whisper:NAME, or `subtitles` for those beside the recordings. Without it the build ends with passages.",
        names_file=True,
    ),
    ConfigOption("transcribe.language", "--language", "CODE", DRAFTS),
    ConfigOption("transcribe.device", "--device", panel=DRAFTS, help="Where models run.", also=("label.device",)),
    ConfigOption(
        "summarize.backend",
        "--summarizer",
        "BACKEND",
        DRAFTS,
        "extractive (the default: no model), openai:MODEL@URL (any OpenAI-compatible endpoint; its key is read from "
        "OPENAI_API_KEY), or hf:FOLDER.",
    ),
    ConfigOption("summarize.prompt", "--prompt", "FILE", DRAFTS, "A summary prompt of your own; see docs/drafts.md."),
    ConfigOption("summarize.max_tokens_total", "--max-tokens-total", "N", DRAFTS),
    ConfigOption(
        "summarize.max_cost",
        "--max-cost",
        "AMOUNT",
        DRAFTS,
        "Stop before they cost more; needs summarize.price_in and price_out.",
    ),
    ConfigOption(
        "overview.enabled",
        "--summarize-recordings",
        panel=DRAFTS,
        help="Summarize whole recordings too, with chapters.",
    ),
    ConfigOption(
        "label.dialect_model",
        "--dialect-model",
        "FOLDER",
        DRAFTS,
        "A transformers audio classifier that tells dialects.",
        names_file=True,
    ),
    ConfigOption(
        "label.emotion_model",
        "--emotion-model",
        "FOLDER",
        DRAFTS,
        "A transformers audio classifier that tells emotions.",
        names_file=True,
    ),
)

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders (searched through), globs, any of them in an object store (s3://bucket/folder, gs://, hf://), "
        "or manifests (.txt .csv .tsv .jsonl with a column `path` and, optionally, title, programme, "
        "channel, date, speaker, dialect, licence, url). Leave out to go on with what the workspace knows.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="STAGE",
        help=f"Stop after this stage: {', '.join(OUR_STAGES)}, or a plugin's.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-n", min=1, help="Processes, about one core each. Default: the machine's cores."),
]
Engine = Annotated[
    Literal["local", "ray", "inline"],
    typer.Option(
        "--engine",
        help="Where stages run: in processes of this machine, on the actors of a Ray cluster, or in this process, one item "
        "after the other, which a debugger can follow.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray-address", metavar="HOST:PORT|auto", help="The cluster; else one of this machine for this run."),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", min=1, help="Open at most this many new files: a first look at a large archive."),
]
Retry = Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what there is to do and what the summaries would cost, and do nothing."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJsonLines = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output, for machines.")]
Files = Annotated[
    str | None,
    typer.Option(
        "--files",
        metavar="ADDRESS",
        help="Keep clips and frame tables at this address, too (s3://bucket/folder), for workers on machines that do "
        "not see the workspace. Said once, at a workspace's beginning.",
    ),
]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Serve Prometheus metrics while the build runs; on this machine alone unless HOST is given, say 0.0.0.0.",
    ),
]
MetricsFile = Annotated[
    Path | None,
    typer.Option("--metrics-file", metavar="FILE.prom", help="Write them, too, for node-exporter to collect."),
]


@command(
    "build-ssum",
    panel="Build",
    example="aramega build-ssum recordings -w news --asr-model large-v3-turbo",
    workspace="-w",
    options=OPTIONS,
)
def build_ssum(
    workspace: Workspace,
    changes: Changes,
    sources: Sources = None,
    until: Until = None,
    workers: Workers = None,
    engine: Engine = "local",
    ray_address: RayAddress = None,
    files: Files = None,
    limit: Limit = None,
    retry_failed: Retry = False,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: AsJsonLines = False,
    metrics: Metrics = None,
    metrics_file: MetricsFile = None,
) -> int:
    """Turn recordings into drafted passages, resumably: run it again and only what is missing or changed is done.

    Exit codes: 0 all done, 3 done with failures, 75 stopped short (a budget, a server that is down), 2 wrong usage,
    1 crashed, 130 interrupted.
    """
    from aramega.api.building import BuildOptions

    config = workspace.changed_config(changes.file, changes.settings, changes.options)
    run = (until, limit, retry_failed, workers, engine, ray_address, metrics, metrics_file)
    options = BuildOptions(config, tuple(sources or ()), *run)
    if dry_run:
        return _show_plan(workspace, options, as_json=as_json)
    chosen = workspace.kept_at(files) if files else workspace
    return exit_code_of(build_and_show(chosen, options, quiet=quiet, as_json=as_json))


def build_and_show(
    workspace: Workspace, options: BuildOptions, *, quiet: bool = False, as_json: bool = False
) -> BuildResult:
    """Build, and show how it goes and what came of it."""
    from aramega.api.building import build
    from aramega.cli.build_progress import make_display

    _stop_politely_when_terminated()
    display = make_display(quiet=quiet, as_json=as_json)
    result = build(workspace, options, display)
    display.summary(result.summary)
    return result


def exit_code_of(result: BuildResult) -> int:
    """What stopped short is for another run, whatever failed besides."""
    if result.stopped:
        return COME_BACK_LATER
    return DONE_WITH_FAILURES if result.failed else ALL_DONE


def _show_plan(workspace: Workspace, options: BuildOptions, *, as_json: bool) -> int:
    from aramega.api.building import plan_build
    from aramega.cli.build_progress import show_plan
    from aramega.cli.output import print_json

    plan = plan_build(workspace, options)
    print_json(plan, indent=None) if as_json else show_plan(plan, options.config)
    return ALL_DONE


def _stop_politely_when_terminated() -> None:
    """A cluster's SIGTERM is a Ctrl-C: finish the transaction, dismiss the workers, go."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
