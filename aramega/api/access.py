"""Access: a workspace's folder, its options and its database, opened for as long as a method runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from aramega.config import Config, choose_config
from aramega.errors import AramegaError
from aramega.workspace import WorkspaceFolder

if TYPE_CHECKING:
    from aramega.pipeline import Pipeline
    from aramega.store import Store


def ignore(_: str) -> None:
    """What `notify` is where nobody listens."""


@dataclass(frozen=True)
class Access:
    """What every part of the API works with."""

    folder: WorkspaceFolder
    notify: Callable[[str], None] = ignore
    """Is told in a line what happens on the way."""

    @property
    def path(self) -> Path:
        return self.folder.root

    @property
    def config(self) -> Config:
        """The options it was last built with, as its aramega.toml says."""
        return choose_config(None, self.folder.config)

    def changed_config(
        self,
        file: Path | None = None,
        settings: Sequence[str] = (),
        options: Mapping[str, object] = MappingProxyType({}),
    ) -> Config:
        """Those options, or another file's, with `section.key=value` texts and typed values by `section.key` over
        them; nothing is kept until a build is made with it."""
        return choose_config(file, self.folder.config, settings, options)

    @property
    def pipeline(self) -> Pipeline:
        """The stages of those options; what is wrong with a plugin is said, and a build's `check` raises it."""
        from aramega.pipeline import Pipeline

        pipeline = Pipeline.from_config(self.config, self.folder)
        for problem in pipeline.problems:
            self.notify(problem)
        return pipeline

    def existing(self) -> WorkspaceFolder:
        """The folder, if it is a workspace that was built."""
        if not self.folder.database.exists():
            raise AramegaError(f"{self.path}: not a workspace (it has no aramega.db). `aramega build-ssum` makes one.")
        return self.folder

    @contextmanager
    def reading(self, *, files: bool = False, frames: bool = False) -> Iterator[Store]:
        """The open database; with `files` or `frames`, after those that an address keeps were brought here."""
        from aramega.store import Store

        if not self.folder.database.exists() and self.folder.config.exists():
            raise AramegaError(
                f"{self.path}: not a workspace yet (it has no aramega.db). `aramega build-ssum FOLDER -w {self.path}` begins."
            )
        with Store.open(self.folder) as store:
            if files or frames:
                self._bring_files(store, frames=frames)
            yield store

    def _bring_files(self, store: Store, *, frames: bool) -> None:
        if not self.folder.files:
            return
        from aramega.maintenance.remote_files import bring_home

        brought = bring_home(store, self.folder, frames=frames).brought
        if brought:
            self.notify(f"{brought:,} files brought from {self.folder.files}.")

    def notify_if_unfinished(self, store: Store) -> None:
        """What is not up to date with the options is shown as it was; that should surprise nobody."""
        from aramega.pipeline.build import count_pending

        left = count_pending(store, self.pipeline)
        if any(left.values()):
            what = ", ".join(f"{stage}: {number}" for stage, number in left.items() if number)
            self.notify(f"not all is built ({what} to do). `aramega build-ssum -w {self.path}` goes on.")
