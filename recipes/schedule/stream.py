"""Schedule: the iterator of batches that the trainer reads.

A batch is a function of a small state: the phase, what its quotas owe, and how many rows each deck has
dealt. Nothing is planned ahead and nothing random is kept, so a state is a few hundred integers, a run
resumes from any step at once, and every process that builds the same schedule gets the same batches.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from recipes.errors import RecipeError
from recipes.schedule.config import ScheduleConfig
from recipes.schedule.decks import Deck
from recipes.schedule.phases import Phase
from recipes.schedule.pick import pick_across_clusters, pick_by_repulsion, pick_farthest
from recipes.schedule.quotas import Quotas, lay_out_quotas
from recipes.schedule.space import cluster_rows, reduce_dimensions
from recipes.schedule.table import TEXT, ScheduleTable

STATE_VERSION = 1


@dataclass(frozen=True)
class Batch:
    """The examples of one optimizer step."""

    step: int
    phase: str
    indices: tuple[int, ...]
    phase_step: int = 0
    """Steps of its phase before it."""
    phase_steps: int = 0
    """The phase's length as planned; the last phase has whatever is left."""
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The weight of each task in the phase."""


class Schedule:
    """An iterator of batches; `phases` is all that tells one schedule from another."""

    def __init__(
        self,
        config: ScheduleConfig,
        phases: Sequence[Phase],
        table: ScheduleTable,
        embeddings: np.ndarray | None = None,
        *,
        seed: int,
    ) -> None:
        self.config = config
        self.phases = list(phases)
        self.table = table
        self.seed = seed
        self.step = 0
        self._decks: dict[str, Deck] = {}
        self._phase = 0
        self._phase_step = 0
        self._best: float | None = None
        self._stale = 0
        self._plateau = False
        self._quotas = [lay_out_quotas(phase, table, config.batch_size, self._deck) for phase in self.phases]
        self._identity = {"config": digest_of(config, self.phases, seed), "table": table.digest()}
        self._points: np.ndarray | None = None
        self._clusters: np.ndarray | None = None
        if self.needs_embeddings:
            self.replace_embeddings(embeddings)

    @property
    def needs_embeddings(self) -> bool:
        """Whether any phase picks by distance."""
        return any(phase.picker != "random" for phase in self.phases)

    @property
    def notes(self) -> list[str]:
        """Where the data cannot give what was asked for; worth showing before a run."""
        return [note for quotas in self._quotas for note in quotas.notes]

    def unjudged_phases(self, validated: Collection[str]) -> list[str]:
        """Phases with a patience that none of these tasks' validation can ever end."""
        return [
            phase.name
            for phase in self.phases
            if phase.patience and not set(phase.judged_by or phase.tasks) & set(validated)
        ]

    def deck_passes(self) -> dict[str, float]:
        """How often each deck has been gone through so far."""
        return {name: deck.passes for name, deck in self._decks.items()}

    def __len__(self) -> int:
        """Batches of the whole run, those drawn already among them."""
        return self.config.steps

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self.step >= self.config.steps:
            raise StopIteration
        self._advance_phase()
        phase = self.phases[self._phase]
        last = self._phase == len(self.phases) - 1
        batch = Batch(
            self.step,
            phase.name,
            tuple(self._draw(phase, self._quotas[self._phase]).tolist()),
            phase_step=self._phase_step,
            phase_steps=self.config.steps - self.step + self._phase_step if last else phase.steps,
            weights=phase.tasks,
        )
        self.step += 1
        self._phase_step += 1
        return batch

    def observe(self, losses: Mapping[str, float]) -> None:
        """Each task's validation loss; a phase with a patience ends when the mean of its own tasks stops getting lower.

        What other tasks lose or gain meanwhile is no reason to leave a phase or to stay in it.
        """
        if any(math.isnan(loss) for loss in losses.values()):
            raise RecipeError("schedule: a validation loss is NaN, which no plateau can be judged by")
        self._advance_phase()
        phase = self.phases[self._phase]
        own = [losses[task] for task in phase.judged_by or phase.tasks if task in losses]
        patience = phase.patience
        if not patience or not own:
            return
        metric = sum(own) / len(own)
        if self._best is None or metric < self._best - self.config.min_gain:
            self._best, self._stale = metric, 0
        else:
            self._stale += 1
            self._plateau = self._stale >= patience

    def replace_embeddings(self, embeddings: np.ndarray | None) -> None:
        """Pick by these from the next batch on; a resumed run must be given the same ones."""
        table = self.table
        if embeddings is None:
            pickers = sorted({phase.picker for phase in self.phases} - {"random"})
            raise RecipeError(
                f"schedule: {self.config.kind} picks rows by distance ({', '.join(pickers)}) and needs embeddings. "
                "Make them with recipes/embed.py, or choose a schedule without ADS."
            )
        if embeddings.ndim != 2 or len(embeddings) != len(table):
            raise RecipeError(
                f"schedule: embeddings of shape {embeddings.shape} for {len(table)} examples: not one row each. "
                "They belong to other data; run recipes/embed.py again."
            )
        heard = np.flatnonzero(table.modality != TEXT)
        self._points = reduce_dimensions(embeddings, heard, seed=self.seed)
        self._identity["embeddings"] = sample_digest(embeddings)
        if any(phase.picker == "clusters" for phase in self.phases):
            self._clusters = cluster_rows(self._points, heard, self.config.ads.clusters, seed=self.seed)

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides the batches to come, as JSON can hold it."""
        return {
            "version": STATE_VERSION,
            "identity": dict(self._identity),
            "step": self.step,
            "phase": self._phase,
            "phase_step": self._phase_step,
            "owed": [node.owed.tolist() for node in self._quotas[self._phase].tree.nodes()],
            "dealt": {name: deck.dealt for name, deck in self._decks.items() if deck.dealt},
            "filled": {name: deck.filled for name, deck in self._decks.items() if deck.filled},
            "plateau": {"best": self._best, "stale": self._stale, "reached": self._plateau},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where the state was taken; the next batches are exactly those that would have followed."""
        if state.get("version") != STATE_VERSION:
            raise RecipeError(f"schedule: state of version {state.get('version')}, this code reads {STATE_VERSION}")
        for what in ("table", "embeddings", "config"):
            if state["identity"].get(what) != self._identity.get(what):
                raise RecipeError(
                    f"schedule: the checkpoint was made with another {what}. To resume, give the same data, "
                    "embeddings, [schedule] and seed; to use these, start a new run."
                )
        self.step = state["step"]
        self._phase = state["phase"]
        self._phase_step = state["phase_step"]
        plateau = state["plateau"]
        self._best, self._stale, self._plateau = plateau["best"], plateau["stale"], plateau["reached"]
        for name, deck in self._decks.items():
            deck.dealt = state["dealt"].get(name, 0)
            deck.filled = state.get("filled", {}).get(name, 0)
        for quotas in self._quotas:
            for node in quotas.tree.nodes():
                node.owed[:] = 0
        for node, owed in zip(self._quotas[self._phase].tree.nodes(), state["owed"], strict=True):
            node.owed[:] = owed

    def _deck(self, name: str, rows: np.ndarray) -> Deck:
        """The deck of this name: phases that draw on the same rows go on where the last one stopped."""
        if name not in self._decks:
            self._decks[name] = Deck(name, rows, self.seed)
        return self._decks[name]

    def _advance_phase(self) -> None:
        """Enter the next phase if this one is over; the last phase takes whatever steps are left."""
        last = len(self.phases) - 1
        if self._phase < last and (self._plateau or self._phase_step >= self.phases[self._phase].steps):
            self._phase += 1
            self._phase_step = 0
            self._best, self._stale, self._plateau = None, 0, False

    def _draw(self, phase: Phase, quotas: Quotas) -> np.ndarray:
        """Deal candidates for each cell's places and pick among them."""
        places = quotas.tree.take(self.config.batch_size)
        drawn = np.flatnonzero(places)
        dealt = [(quotas.cells[i].placed, *offer) for i in drawn for offer in quotas.cells[i].deal(int(places[i]))]
        if phase.picker == "random":
            return np.concatenate([rows for _, rows, _ in dealt])
        placed = [rows for in_space, rows, _ in dealt if in_space]
        others = [rows for in_space, rows, _ in dealt if not in_space]
        if not placed:
            return np.concatenate(others)
        rows = np.concatenate(placed)
        cell = np.repeat(np.arange(len(placed)), [len(part) for part in placed])
        wanted = np.array([count for in_space, _, count in dealt if in_space])
        return np.concatenate([rows[self._pick(phase.picker, rows, cell, wanted)], *others])

    def _pick(self, picker: str, rows: np.ndarray, cell: np.ndarray, places: np.ndarray) -> np.ndarray:
        if picker == "clusters":
            assert self._clusters is not None
            return pick_across_clusters(self._clusters[rows], cell, places)
        assert self._points is not None
        pick = pick_farthest if picker == "farthest" else pick_by_repulsion
        return pick(self._points[rows], cell, places)


def digest_of(config: ScheduleConfig, phases: Sequence[Phase], seed: int) -> str:
    fixed = repr((config.batch_size, config.steps, config.min_gain, config.ads.clusters, seed))
    fixed += repr([sorted(deciding_fields(phase).items()) for phase in phases])
    return hashlib.blake2b(fixed.encode(), digest_size=8).hexdigest()


def deciding_fields(phase: Phase) -> dict[str, Any]:
    """The fields of a phase that decide batches; without a patience nothing is judged."""
    fields = asdict(phase)
    if not phase.patience:
        del fields["judged_by"]
    if not phase.guarantee:
        del fields["guarantee"]
    return fields


def sample_digest(embeddings: np.ndarray) -> str:
    """Of at most 4096 rows: enough to tell another model's embeddings, without reading a gigabyte."""
    rows = np.unique(np.linspace(0, len(embeddings) - 1, num=min(4096, len(embeddings))).astype(np.int64))
    sample = np.ascontiguousarray(embeddings[rows])
    shape = repr((embeddings.shape, str(embeddings.dtype))).encode()
    return hashlib.blake2b(shape + sample.tobytes(), digest_size=8).hexdigest()
