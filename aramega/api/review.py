"""Reviews: passages go to Label Studio, and what annotators did comes back.

The server's address is an argument or the option `review.url`; the token comes from LABEL_STUDIO_API_KEY or from
what `aramega review start` keeps. Progress and agreement are read from the workspace alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aramega.api.access import Access
from aramega.errors import AramegaError

if TYPE_CHECKING:
    from aramega.config import Config
    from aramega.labelstudio.client import LabelStudioClient
    from aramega.labelstudio.credentials import Credentials
    from aramega.labelstudio.files import Exported, Imported
    from aramega.labelstudio.form import Form
    from aramega.labelstudio.projects import Project
    from aramega.labelstudio.pull import PullSummary
    from aramega.labelstudio.push import PushRequest
    from aramega.labelstudio.uploads import PushSummary
    from aramega.settle.agreement import Agreement
    from aramega.settle.calibration import Calibration
    from aramega.settle.progress import ReviewProgress


@dataclass(frozen=True)
class RunningServer:
    """A Label Studio of the curator's own, while it runs."""

    url: str
    credentials: Credentials
    credentials_file: Path
    is_new: bool
    """Its password was made just now, and has never been shown."""
    wait: Callable[[], object]
    """Returns when the server ends."""


class Review:
    """A workspace's work in Label Studio: `ws.review.push(limit=100)`."""

    def __init__(self, workspace: Access, config: Config | None = None) -> None:
        self._workspace = workspace
        self._config = config or workspace.config

    def with_changes(self, file: Path | None, settings: Sequence[str], options: Mapping[str, object]) -> Review:
        """The same with other options, for as long as this object lives."""
        return Review(self._workspace, self._workspace.changed_config(file, settings, options))

    def push(self, request: PushRequest | None = None, *, url: str = "", dry_run: bool = False) -> PushSummary:
        """Send drafted passages, once each; again, and only what is new or changed is sent. A dry run only asks the
        server what is there."""
        from aramega.labelstudio.push import push
        from aramega.labelstudio.push_plan import plan_push

        workspace = self._workspace
        if dry_run:
            with workspace.reading() as store, self._server(url) as server:
                return plan_push(store, workspace.folder, server, request or self.request())
        with workspace.reading(files=True) as store, self._server(url) as server:
            return push(store, workspace.folder, server, request or self.request(), say=workspace.notify)

    def pull(self, *, project: str = "", url: str = "", everything: bool = False, dry_run: bool = False) -> PullSummary:
        """Take what annotators did since the last time; with `everything`, read all tasks again. A dry run counts what
        is new, and keeps none of it."""
        from aramega.labelstudio.pull import BEFORE_ALL, plan_pull, pull, pull_everything

        if dry_run:
            with self._workspace.reading() as store, self._server(url) as server:
                return plan_pull(store, server, self._project(project), since=BEFORE_ALL if everything else None)
        take = pull_everything if everything else pull
        with self._workspace.reading(files=True) as store, self._server(url) as server:
            return take(store, server, self._project(project), say=self._workspace.notify)

    def request(
        self,
        *,
        project: str = "",
        limit: int | None = None,
        passages: Sequence[str] | None = None,
        against: Path | None = None,
    ) -> PushRequest:
        """What `push` and `export_files` are asked for; the rest is as aramega.toml's [review] says."""
        from aramega.labelstudio.push import PushRequest
        from aramega.workspace import WorkspaceFolder

        options = self._config.review
        return PushRequest(
            project=self._project(project),
            where=options.where,
            limit=limit,
            template=options.template,
            audio=options.audio,
            overlap=options.overlap,
            annotators=options.annotators,
            gold=options.gold,
            passages=passages,
            against=WorkspaceFolder(against.expanduser().absolute()) if against else None,
        )

    def task_link(self, passage: str | None = None, *, project: str = "", url: str = "") -> str:
        """The address of one passage's task; of the most useful one where none is named."""
        from aramega.labelstudio.projects import find_task

        with self._project_of(project, url) as (server, opened):
            return f"{server.url}/projects/{opened.id}/data?task={find_task(server, opened, passage)}"

    def serve(
        self,
        started: Callable[[str, str], None],
        *,
        host: str = "127.0.0.1",
        port: int = 9090,
        connect_as: str = "",
        project: str = "",
        url: str = "",
    ) -> None:
        """Answer Label Studio's requests for drafts, and its webhooks, until interrupted.

        `started` is called with the project's title and our address. Beyond this machine it wants the environment
        variable ARAMEGA_SERVE_SECRET. With `connect_as`, Label Studio is told that it reaches us there.
        """
        from aramega.labelstudio.ml_backend import Backend, connect, make_server
        from aramega.labelstudio.redraft import Redrafter

        workspace, secret = self._workspace, os.environ.get("ARAMEGA_SERVE_SECRET", "")
        with workspace.reading(files=True) as store, self._project_of(project, url) as (server, opened):
            backend = Backend(store, server, opened, Redrafter(store, workspace.pipeline).redraft, secret)
            endpoint = make_server(backend, host, port)
            if connect_as:
                connect(server, opened, connect_as.rstrip("/"), secret)
            started(opened.title, f"http://{host}:{endpoint.server_port}")
            endpoint.serve_forever()

    def export_files(self, request: PushRequest | None = None, out: Path | None = None) -> Exported:
        """Write tasks as files for Label Studio's own import dialog."""
        from aramega.labelstudio.files import export_files

        workspace = self._workspace
        with workspace.reading(files=True) as store:
            return export_files(store, workspace.folder, out or workspace.path / "review", request or self.request())

    def import_files(
        self, files: Sequence[Path], *, url: str = "", people: Mapping[int, str] | None = None, dry_run: bool = False
    ) -> Imported:
        """Take reviews from files that Label Studio exported as JSON; `people` says who a number in them is. A dry run
        counts what is new, and keeps none of it."""
        from aramega.labelstudio.files import import_files, plan_import

        read = plan_import if dry_run else import_files
        with self._workspace.reading() as store:
            return read(store, files, url=url.rstrip("/"), people=dict(people or {}))

    def progress(self, where: str = "") -> ReviewProgress:
        """Who has done how much, how fast, and when the rest will be done."""
        from aramega.settle.progress import measure_workspace

        with self._workspace.reading() as store:
            return measure_workspace(store, where=where, random_share=self._config.check.random_share)

    def agreement(self, where: str = "", *, page: Path | None = None) -> Agreement:
        """How far annotators agree, with one another and with gold; `page` writes all disagreements as HTML."""
        from aramega.settle.agreement import measure_agreement
        from aramega.store.drafts import find_passages
        from aramega.store.reviews import load_reviews, reviewed_passages

        with self._workspace.reading() as store:
            chosen = set(find_passages(store, where))
            reviews = load_reviews(store, [passage for passage in reviewed_passages(store) if passage in chosen])
        agreement = measure_agreement(review for of_passage in reviews.values() for review in of_passage)
        if page:
            from aramega.report.agreement_page import write_page

            write_page(agreement, page)
        return agreement

    def calibrate(self, *, dry_run: bool = False) -> Calibration:
        """Learn from the reviews how likely a draft is accepted unchanged, and order the drafts by it; on a dry run,
        nothing is kept."""
        from aramega.settle.judging import judge_drafts
        from aramega.settle.reviewed_drafts import calibrate_workspace

        with self._workspace.reading() as store:
            calibration = calibrate_workspace(store, dry_run=dry_run)
            if not dry_run:
                judge_drafts(store, self._config.check)
        return calibration

    def compose_file(self) -> str:
        """A docker-compose file for a team's server."""
        from aramega.labelstudio.compose import compose_file

        return compose_file(self._workspace.folder)

    @contextmanager
    def running_server(self, port: int, *, with_serve: bool = False) -> Iterator[RunningServer]:
        """Run a Label Studio on this machine alone, in an environment of its own that is installed on first use."""
        from aramega.labelstudio import local_server as local
        from aramega.labelstudio.credentials import load_credentials, make_credentials, save_credentials

        folder = self._workspace.folder
        if not folder.database.exists():
            raise AramegaError(f"{folder.root} is not a workspace yet: aramega build-ssum FOLDER -w {folder.root}.")
        self._workspace.notify("installing Label Studio, if it is not there yet …")
        program = local.install_server()
        home, url = local.data_folder(folder), f"http://127.0.0.1:{port}"
        before = load_credentials(home)
        credentials = replace(before or make_credentials(url), url=url)
        home.mkdir(parents=True, exist_ok=True)
        file = save_credentials(home, credentials)
        self._workspace.notify("starting (the first time takes a minute) …")
        variables = local.server_variables(credentials, home, folder.root, os.environ)
        variables = local.let_it_call_us(variables) if with_serve else variables
        with local.running_server(program, port, variables, home / "label-studio.log") as process:
            yield RunningServer(url, credentials, file, before is None, process.wait)

    @contextmanager
    def _project_of(self, project: str, url: str) -> Iterator[tuple[LabelStudioClient, Project]]:
        from aramega.labelstudio.projects import need_project

        with self._server(url) as server:
            yield server, need_project(server, self._project(project))

    def _project(self, named: str) -> str:
        return named or self._config.review.project or f"aramega {self._workspace.path.name}"[:50]

    def _server(self, url: str) -> LabelStudioClient:
        from aramega.labelstudio.client import LabelStudioClient, checked_url
        from aramega.labelstudio.credentials import find_token

        if not find_spec("httpx"):
            raise AramegaError("httpx is not installed: pip install '.[review]' in aramega's clone.")
        address = checked_url(url or self._config.review.url)
        return LabelStudioClient(address, find_token(address))


def check_form(name: str) -> Form:
    """A labelling configuration, a file or one of ours by name, as push and pull would read it."""
    from aramega.labelstudio.form import load_template, read_form

    return read_form(load_template(name))
