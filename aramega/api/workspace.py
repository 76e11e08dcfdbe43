"""A workspace as Python users and the command line hold it.

- It holds a path, never a connection: methods open the database and close it.
- It prints nothing; `notify` is told in a line what happens on the way.
- What one does with Label Studio is at `.review`, what keeps a workspace in order over a year at `.upkeep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aramega.api.access import Access, ignore
from aramega.api.passages import Passages
from aramega.api.review import Review
from aramega.api.settings import Settings, flatten
from aramega.api.upkeep import Upkeep
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    from aramega.api.building import BuildPlan, BuildResult, EngineName
    from aramega.api.publishing import Publication
    from aramega.monitor.status import Status
    from aramega.monitor.watch import Moment
    from aramega.pipeline.plan import Progress
    from aramega.settle.policies import PolicyName
    from aramega.settle.resolve import Settlement

PreviewKind = Literal["mp3", "ogg"]


class Workspace(Access):
    """The folder of one build: recordings go in, passages with drafts and reviews come out."""

    def __init__(self, path: str | Path, *, notify: Callable[[str], None] = ignore) -> None:
        super().__init__(WorkspaceFolder(Path(path).expanduser().absolute()), notify)

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    @property
    def review(self) -> Review:
        """Label Studio: push, pull, serve, and reviews as files."""
        return Review(self)

    @property
    def upkeep(self) -> Upkeep:
        """Tidy up, back up, share the work, bring files home."""
        return Upkeep(self)

    # Build

    def kept_at(self, address: str) -> Workspace:
        """Have its clips kept at an address (s3://bucket/folder), too, from before it has any."""
        from aramega.workspace import note_files

        note_files(self.folder, address)
        return Workspace(self.path, notify=self.notify)

    def add(self, *sources: str | Path) -> list[str]:
        """Note files, folders, globs, addresses or manifests for the next build; what was passed over is said."""
        from aramega.api.building import add

        return add(self, [str(source) for source in sources])

    def build(
        self,
        *sources: str | Path,
        config: Settings | None = None,
        until: str | None = None,
        limit: int | None = None,
        retry_failed: bool = False,
        workers: int | None = None,
        engine: EngineName | None = None,
        ray_address: str | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> BuildResult:
        """Do what is missing or changed, and return when it is done. Call it again after a stop: it goes on.

        `on_progress` is called for each finished or failed item. `workers=1` works in this process, which a debugger
        can follow; None takes the machine's cores.
        """
        from aramega.api.building import BuildOptions, CallListener, build

        options = BuildOptions(
            sources=tuple(str(source) for source in sources),
            config=self.changed_config(options=flatten(config)),
            until=until,
            limit=limit,
            retry_failed=retry_failed,
            workers=workers,
            engine=engine or ("inline" if workers == 1 else "local"),
            ray_address=ray_address,
        )
        return build(self, options, CallListener(on_progress, self.notify))

    def plan_build(self, *sources: str | Path, config: Settings | None = None) -> BuildPlan:
        """What a build would do, and what its summaries would cost; nothing is done."""
        from aramega.api.building import BuildOptions, plan_build

        chosen = self.changed_config(options=flatten(config))
        return plan_build(self, BuildOptions(sources=tuple(map(str, sources)), config=chosen))

    # Look

    def passages(self, where: str = "") -> Passages:
        """The passages for which the SQL expression `where` is true; read one by one as you iterate."""
        return Passages(self.folder, where)

    def status(self) -> Status:
        """What is done, what is left, what failed and why."""
        from aramega.monitor.status import status

        with self.reading() as store:
            return status(store, self.pipeline)

    def look(self) -> Moment:
        """The status with the pace of a running build."""
        from aramega.monitor.watch import look

        with self.reading() as store:
            return look(store, self.folder)

    def watch(self, seconds: float = 2.0) -> Iterator[Moment]:
        """Look again and again."""
        from aramega.monitor.watch import watch

        return watch(self.folder, seconds)

    def report(self) -> Path:
        """Write report.html, one page that works offline, and return its path."""
        from aramega.report import write_report

        with self.reading() as store:
            return write_report(store, self.pipeline)

    def export(self, format: str, out: Path | None = None, *, unit: str | None = None) -> list[Path]:
        """Write the manifests that another tool reads (jsonl, rttm, textgrid, srt, audacity, lhotse, nemo)."""
        from aramega.export import export

        with self.reading(files=True) as store:
            self.notify_if_unfinished(store)
            return export(store, self.folder, format, out or self.path / "export" / format, unit=unit)

    def write_previews(self, format: PreviewKind = "mp3", out: Path | None = None) -> list[Path]:
        """Make a small copy of every clip, for browsers and mail."""
        from aramega.cores import count_cores
        from aramega.export.previews import write_previews

        folder = out or self.path / "previews"
        with self.reading(files=True) as store:
            self.notify_if_unfinished(store)
            return list(write_previews(store, self.folder, folder, format, workers=count_cores()))

    # Settle and publish

    def resolve(
        self,
        policy: PolicyName = "majority",
        *,
        referees: Sequence[str] = (),
        where: str = "",
        dry_run: bool = False,
    ) -> Settlement:
        """Settle drafts and reviews into one answer per field, and keep it in the workspace."""
        from aramega.api.settling import resolve

        return resolve(self, policy, referees=referees, where=where, dry_run=dry_run)

    def publish(
        self,
        to: str | Path | None = None,
        *,
        repo: str | None = None,
        config: Settings | None = None,
        tag: str = "",
        private: bool = False,
        gated: bool = False,
        create_pr: bool = False,
        withdrawn: str | Path | None = None,
        format: str = "parquet",
        force: bool = False,
        dry_run: bool = False,
    ) -> Publication:
        """Make a Hugging Face dataset in the folder `to`, or on the Hub as `repo`; a dry run only compares."""
        from aramega.api.publishing import HubOptions, PublishRequest, publish

        request = PublishRequest(
            config=self.changed_config(options=flatten(config)),
            to=Path(to) if to is not None else None,
            repo=repo,
            tag=tag,
            hub=HubOptions(private, gated, create_pr),
            withdrawn=Path(withdrawn) if withdrawn is not None else None,
            format=format,
            force=force,
        )
        return publish(self, request, dry_run=dry_run)
