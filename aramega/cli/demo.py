"""`aramega demo`: the whole way a machine can go, on four minutes of made-up broadcast that come with the package.

With the extras `draft` and `publish` it ends with drafts and with a dataset folder; without them it shows what the
package does by itself, and says so.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aramega.cli.build import ALL_DONE, build_and_show, cores, make_engine

if TYPE_CHECKING:
    from aramega.config import Config
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

_TOY = {"transcribe.model": "demo", "transcribe.pack": False}
"""The toy reads one segment well and several in a window badly: docs and its recipe say how well."""


def demo(
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="The folder to build in.")] = Path(
        "demo-workspace"
    ),
) -> int:
    """Build a small dataset from a sample broadcast, and say where its report is."""
    from aramega.cli.show import make_show
    from aramega.config import choose_config
    from aramega.pipeline import Pipeline
    from aramega.pipeline.build import Request
    from aramega.report import write_report
    from aramega.sample import MANIFEST
    from aramega.store import Store
    from aramega.workspace import WorkspaceFolder

    place = WorkspaceFolder(workspace.absolute())
    drafts = find_spec("whisper") is not None
    config = choose_config(None, place.config, options=_TOY if drafts else {})
    pipeline = Pipeline.from_config(config, place)
    show = make_show(quiet=False, as_json=False)
    engine = make_engine("local", cores(), config)
    code = build_and_show([str(MANIFEST)], pipeline, Request(), engine, show)
    with Store.open(place) as store:
        page = write_report(store, pipeline)
        dataset = _publish(store, place, config) if drafts and find_spec("pyarrow") else None
    print(f"The report: {page.as_uri()}")
    if dataset:
        print(f'The dataset, which no person has reviewed: load_dataset("{dataset}", "ssum")')
    if drafts:
        print("Its transcripts are by a toy that knows a few hundred words; for real work: --asr-model large-v3-turbo.")
    else:
        print(
            "For transcripts and summaries as well: pip install '.[draft,publish]' in aramega's clone, then run it again."
        )
    return code or ALL_DONE


def _publish(store: Store, place: WorkspaceFolder, config: Config) -> Path:
    """What a stranger would load, in a folder beside the clips."""
    from aramega.publish import PublishJob, publish
    from aramega.publish.folder import FolderTarget

    folder = place.root / "dataset"
    publish(store, place, PublishJob(config.publish, config.label, FolderTarget(folder)))
    return folder
