"""The ledger of a project: which passage is which task, as the server has it and not as we remember it.

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

from aramega.labelstudio.client import Place, Unreachable
from aramega.labelstudio.projects import Held, count_tasks, drafted_by_people, drop_tasks, held_tasks, touched_among
from aramega.labelstudio.tasks import Task

Batch = Mapping[str, Task]
"""Tasks by passage."""
TRIES = 8
"""Imports of one batch that may break off before we give up: a server that is up and yet cannot, with a full disk."""


@dataclass
class Ledger:
    """All tasks of one project, by passage."""

    place: Place
    project: int
    held: dict[str, Held] = field(default_factory=dict)
    latest: int = 0
    """The greatest task number we know of."""
    strangers: list[Held] = field(default_factory=list)
    """Tasks that someone made by hand, or edited to speak of another passage."""
    _sent_last: int = -1
    """The greatest number we were given ourselves."""
    dropped: int = 0
    kept_doubles: list[tuple[str, int, int]] = field(default_factory=list)
    """Passages with a second task that someone has worked in: passage, task that counts, the other one."""

    def read(self) -> None:
        """Everything from the beginning."""
        self.held.clear()
        self.strangers.clear()
        self.kept_doubles.clear()
        self.latest = 0
        self._look()

    def bring(self, batch: Batch) -> None:
        """See to it that each passage of the batch has its task, whatever happens to the server meanwhile."""
        left = {p: task for p, task in batch.items() if p not in self.held}
        tries = 0
        while left:
            tries += 1
            try:
                sent = self._import(left)
            except Unreachable:
                if tries == TRIES:
                    raise
                self.place.get("api/version")  # waits, and gives up when patience ends
                self._look()
            else:
                self._note(left, sent)
            left = {p: task for p, task in left.items() if p not in self.held}

    def settle(self) -> None:
        """A last look: if the server has another number of tasks than we know, find out why."""
        known = len(self.held) + len(self.kept_doubles) + len(self.strangers)
        if count_tasks(self.place, self.project) != known:
            self.read()

    def mark_begun(self) -> None:
        """Tasks that someone has begun and not submitted are touched, too; counters do not tell."""
        begun = drafted_by_people(self.place, self.project)
        for passage, held in self.held.items():
            if held.task in begun and not held.touched:
                self.held[passage] = replace(held, touched=True)

    def _import(self, batch: Batch) -> list[int]:
        path = f"api/projects/{self.project}/import"
        answer = self.place.send("POST", path, params={"return_task_ids": True}, json=list(batch.values()))
        return [int(task) for task in answer.get("task_ids") or ()]

    def _note(self, batch: Batch, sent: list[int]) -> None:
        """Take down what we sent; look closer if the answer is odd, or if we were not alone."""
        if len(sent) != len(batch) or not self._were_alone(sent):
            return self._look()
        for task, (passage, made) in zip(sorted(sent), batch.items(), strict=True):
            data = made["data"]
            self.held[passage] = Held(task, passage, data["draft"], data["audio"], touched=False, predicted=True)
        self.latest = self._sent_last = max(sent)

    def _were_alone(self, sent: list[int]) -> bool:
        """Whether nobody else made tasks since we last looked. Numbers are given to all projects of a server from
        one row: where ours go on from our last one without a gap, that is known without asking."""
        goes_on = self.latest == self._sent_last and max(sent) - self._sent_last == len(sent)
        return goes_on or count_tasks(self.place, self.project, after=self.latest) == len(sent)

    def _look(self) -> None:
        """List what we do not know yet, and settle doubles."""
        doubles: list[tuple[Held, Held]] = []
        for new in held_tasks(self.place, self.project, after=self.latest):
            self.latest = max(self.latest, new.task)
            known = self.held.get(new.passage)
            if not new.ours:
                self.strangers.append(new)
            elif known is None:
                self.held[new.passage] = new
            elif known.task != new.task:
                doubles.append((known, new))
        if doubles:
            self._drop(doubles)

    def _drop(self, doubles: list[tuple[Held, Held]]) -> None:
        """Delete the later task of each passage, unless there is work in it."""
        numbers = [later.task for _, later in doubles]
        worked = touched_among(self.place, self.project, numbers)
        empty = [number for number in numbers if number not in worked]
        if empty:
            drop_tasks(self.place, self.project, empty)
        self.dropped += len(empty)
        self.kept_doubles += [
            (first.passage, first.task, later.task) for first, later in doubles if later.task in worked
        ]
