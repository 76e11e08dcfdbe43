"""`aramega demo`: the whole way a machine can go, on four minutes of made-up broadcast that come with the package.

With the extras `draft` and `publish` it ends with drafts and with a dataset folder; without them it shows what the
package does by itself, and says so.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import build_and_show, exit_code_of
from aramega.cli.command import command
from aramega.cli.options import AsJson
from aramega.cli.output import print_json

if TYPE_CHECKING:
    from aramega.api import Workspace

_TOY = {"transcribe.model": "demo", "transcribe.pack": False}
"""The toy reads one segment well and several in a window badly: docs and its recipe say how well."""


@command("demo", panel="Build", example="aramega demo", workspace="no")
def demo(
    into: Annotated[Path, typer.Option("--workspace", "-w", help="The folder to build in.")] = Path("demo-workspace"),
    as_json: AsJson = False,
) -> int:
    """Build a small dataset from a sample broadcast, and say where its report is."""
    from aramega.api import Workspace
    from aramega.api.building import BuildOptions
    from aramega.cli.output import note
    from aramega.sample import MANIFEST

    workspace, drafts = Workspace(into, notify=note), find_spec("whisper") is not None
    config = workspace.changed_config(options=_TOY if drafts else {})
    result = build_and_show(workspace, BuildOptions(config, (str(MANIFEST),)), quiet=as_json)
    report = workspace.report().as_uri()
    print(f"The report: {report}", file=sys.stderr if as_json else sys.stdout)
    dataset = _publish(workspace) if drafts and find_spec("pyarrow") else None
    content = {"report": report, "dataset": dataset, **asdict(result.summary)}
    print_json(content) if as_json else _show(dataset, drafts=drafts)
    return exit_code_of(result)


def _publish(workspace: Workspace) -> Path:
    """What a stranger would load, in a folder beside the clips."""
    dataset = workspace.path / "dataset"
    workspace.publish(dataset)
    return dataset


def _show(dataset: Path | None, *, drafts: bool) -> None:
    if not drafts:
        print(
            "For transcripts and summaries as well: pip install '.[draft,publish]' in aramega's clone, then run it again."
        )
        return
    if dataset:
        print(f'The dataset, which no person has reviewed: load_dataset("{dataset}", "ssum")')
    print("Its transcripts are by a toy that knows a few hundred words; for real work: --asr-model large-v3-turbo.")
