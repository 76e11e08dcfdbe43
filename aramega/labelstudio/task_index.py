"""TaskIndex: the tasks of a project by passage, read from the server, and imports that never make a task twice.

Imports can go wrong in three ways: the server dies before it has done anything, it dies after it has and before it
said so, or another curator imports the same passages at the same time. One habit covers all three. Task numbers
only grow, so after every import we ask whether anything arrived since the last number we know besides what we sent;
if so, or if no answer came, we list it. What arrived is there, what did not is sent again, and of two tasks for one
passage the one with the lowest number stays. Two curators follow the same rule, the later of them sees both tasks,
and neither ever deletes the lowest. A doubled task that someone has already worked in is left, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aramega.labelstudio.client import LabelStudioClient, Unreachable
from aramega.labelstudio.projects import (
    RemoteTask,
    count_tasks,
    drafted_by_people,
    drop_tasks,
    list_remote_tasks,
    touched_among,
)
from aramega.labelstudio.tasks import Task

Batch = Mapping[str, Task]
"""Tasks by passage."""
TRIES = 8
"""Imports of one batch that may break off before we give up: a server that is up and yet cannot, with a full disk."""


@dataclass
class TaskIndex:
    """Reads the tasks of one project, imports new ones, and removes second tasks of a passage."""

    client: LabelStudioClient
    project: int
    by_passage: dict[str, RemoteTask] = field(default_factory=dict)
    latest: int = 0
    """The greatest task number we know of."""
    strangers: list[RemoteTask] = field(default_factory=list)
    """Tasks that someone made by hand, or edited to speak of another passage."""
    _sent_last: int = -1
    """The greatest task number of our own last import; -1 before it."""
    dropped: int = 0
    kept_doubles: list[tuple[str, int, int]] = field(default_factory=list)
    """Passages with a second task that someone has worked in: passage, task that counts, the other one."""

    def read(self) -> None:
        """Read all tasks of the project anew; of two for one passage, delete the later."""
        self._forget()
        self._list_new()

    def look(self) -> None:
        """Read all tasks of the project anew and delete none: `dropped` is how many `read` would."""
        self._forget()
        doubles = self._take_new()
        worked = touched_among(self.client, self.project, [later.task for _, later in doubles])
        self._count_doubles(doubles, worked)

    def import_batch(self, batch: Batch) -> None:
        """Import the batch until each of its passages has a task, also when the server breaks off in between."""
        left = {p: task for p, task in batch.items() if p not in self.by_passage}
        tries = 0
        while left:
            tries += 1
            try:
                sent = self._import(left)
            except Unreachable:
                if tries == TRIES:
                    raise
                self.client.get("api/version")  # waits, and gives up when patience ends
                self._list_new()
            else:
                self._add_sent(left, sent)
            left = {p: task for p, task in left.items() if p not in self.by_passage}

    def check_count(self) -> None:
        """Read everything anew if the server has another number of tasks than we know of."""
        ours = len(self.by_passage) + len(self.kept_doubles) + len(self.strangers)
        if count_tasks(self.client, self.project) != ours:
            self.read()

    def mark_begun(self) -> None:
        """Mark as touched what someone has begun and not submitted; the server's counters do not show it."""
        begun = drafted_by_people(self.client, self.project)
        for passage, remote in self.by_passage.items():
            if remote.task in begun and not remote.touched:
                self.by_passage[passage] = replace(remote, touched=True)

    def _import(self, batch: Batch) -> list[int]:
        path = f"api/projects/{self.project}/import"
        answer = self.client.send("POST", path, params={"return_task_ids": True}, json=list(batch.values()))
        return [int(task) for task in answer.get("task_ids") or ()]

    def _add_sent(self, batch: Batch, sent: list[int]) -> None:
        """Add the tasks we sent; list the new ones instead if the answer is odd, or if others sent some meanwhile."""
        if len(sent) != len(batch) or not self._were_alone(sent):
            return self._list_new()
        for number, (passage, task) in zip(sorted(sent), batch.items(), strict=True):
            data = task["data"]
            self.by_passage[passage] = RemoteTask(
                number, passage, data["draft"], data["audio"], touched=False, predicted=True
            )
        self.latest = self._sent_last = max(sent)

    def _were_alone(self, sent: list[int]) -> bool:
        """Whether nobody else made tasks since we last looked. Numbers are given to all projects of a server from
        one row: where ours go on from our last one without a gap, that is known without asking."""
        goes_on = self.latest == self._sent_last and max(sent) - self._sent_last == len(sent)
        return goes_on or count_tasks(self.client, self.project, after=self.latest) == len(sent)

    def _forget(self) -> None:
        self.by_passage.clear()
        self.strangers.clear()
        self.kept_doubles.clear()
        self.latest = 0

    def _list_new(self) -> None:
        """Add the tasks we do not know yet; of two for one passage, delete the later."""
        if doubles := self._take_new():
            self._drop(doubles)

    def _take_new(self) -> list[tuple[RemoteTask, RemoteTask]]:
        """Add the tasks we do not know yet; of those whose passage has a task already, give both."""
        doubles: list[tuple[RemoteTask, RemoteTask]] = []
        for new in list_remote_tasks(self.client, self.project, after=self.latest):
            self.latest = max(self.latest, new.task)
            first = self.by_passage.get(new.passage)
            if not new.ours:
                self.strangers.append(new)
            elif first is None:
                self.by_passage[new.passage] = new
            elif first.task != new.task:
                doubles.append((first, new))
        return doubles

    def _drop(self, doubles: list[tuple[RemoteTask, RemoteTask]]) -> None:
        """Delete the later task of each passage, unless there is work in it."""
        numbers = [later.task for _, later in doubles]
        worked = touched_among(self.client, self.project, numbers)
        empty = [number for number in numbers if number not in worked]
        if empty:
            drop_tasks(self.client, self.project, empty)
        self._count_doubles(doubles, worked)

    def _count_doubles(self, doubles: list[tuple[RemoteTask, RemoteTask]], worked: set[int]) -> None:
        self.dropped += len([later for _, later in doubles if later.task not in worked])
        self.kept_doubles += [
            (first.passage, first.task, later.task) for first, later in doubles if later.task in worked
        ]
