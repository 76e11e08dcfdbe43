"""`aramega demo`: the whole way a machine can go, on four minutes of made-up broadcast that come with the package.

With the extras `draft` and `publish` it ends with drafts and with a dataset folder; without them it shows what the
package does by itself, and says so.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import build_and_show
from aramega.cli.command import command

if TYPE_CHECKING:
    from aramega.api import Workspace

_TOY = {"transcribe.model": "demo", "transcribe.pack": False}
"""The toy reads one segment well and several in a window badly: docs and its recipe say how well."""


@command("demo", panel="Build", example="aramega demo", workspace="no")
def demo(
    into: Annotated[Path, typer.Option("--workspace", "-w", help="The folder to build in.")] = Path("demo-workspace"),
) -> int:
    """Build a small dataset from a sample broadcast, and say where its report is."""
    from aramega.api import Workspace
    from aramega.api.building import BuildOptions
    from aramega.cli.output import note
    from aramega.sample import MANIFEST

    workspace, drafts = Workspace(into, notify=note), find_spec("whisper") is not None
    config = workspace.changed_config(options=_TOY if drafts else {})
    code = build_and_show(workspace, BuildOptions(config, (str(MANIFEST),)))
    print(f"The report: {workspace.report().as_uri()}")
    _publish(workspace, drafts=drafts)
    return code


def _publish(workspace: Workspace, *, drafts: bool) -> None:
    """What a stranger would load, in a folder beside the clips, where there is something to publish."""
    if not drafts:
        print(
            "For transcripts and summaries as well: pip install '.[draft,publish]' in aramega's clone, then run it again."
        )
        return
    if find_spec("pyarrow"):
        dataset = workspace.path / "dataset"
        workspace.publish(dataset)
        print(f'The dataset, which no person has reviewed: load_dataset("{dataset}", "ssum")')
    print("Its transcripts are by a toy that knows a few hundred words; for real work: --asr-model large-v3-turbo.")
