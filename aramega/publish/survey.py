"""The survey: one walk through the workspace that makes every row once and decides which may be published.

Rows go to a *spool*, a file of JSON lines beside what is being published, and only a few numbers of each
stay in memory; whoever needs the rows again (the index, the shards) reads them back from there. So the
database is read once, memory stays flat, and whatever would keep the set from being published (a missing
clip, a label nobody knows) is found before the first shard is written.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from aramega.config import PublishConfig
from aramega.publish.anonymous import Pseudonyms, public_reason
from aramega.publish.as_json import to_json, whole_draft
from aramega.publish.columns import cached_names
from aramega.publish.leaks import signature_of
from aramega.publish.licences import spdx_like
from aramega.publish.materials import Material, read_materials
from aramega.publish.rows import ROW_TYPES, read_row
from aramega.publish.splits import Member
from aramega.publish.stretch import Inventories, passage_stretch, public_stretch, segment_stretches
from aramega.publish.withdrawn import names_of
from aramega.records import AramegaError, Recording, ResolvedPassage
from aramega.settle.agreement import PeerReviews
from aramega.settle.personal import stays_withheld
from aramega.settle.policies import current_answer
from aramega.settle.standing import has_unresolved_reviews
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.recordings import list_passages, list_recordings
from aramega.workspace import WorkspaceFolder

VERIFIED = ("transcript", "summary", "dialect", "emotion")
WITHHELD = "withheld: flagged for personal data, and not cleared by a referee"


@dataclass(frozen=True, slots=True)
class Kept:
    """What must be remembered of a passage while the set is made; its rows are in the spool, at `offset`."""

    id: str
    recording: str
    offset: int
    seconds: float
    clip_bytes: int
    text_bytes: int
    segments: int
    summarized: bool
    """It has a summary, and so a row in `ssum`."""
    dialect: int
    emotion: int
    verified: bool
    """A person stands behind transcript and summary."""
    content: str
    signature: bytes
    left_out: str = ""
    """Why it is in `raw` only."""


@dataclass
class Survey:
    spool: Path
    kept: list[Kept] = field(default_factory=list)
    recordings: dict[str, Recording] = field(default_factory=dict)
    """Those with anything to publish."""
    funnel: Counter[str] = field(default_factory=Counter)
    withdrawn: list[str] = field(default_factory=list)
    withdrawn_not_met: list[str] = field(default_factory=list)
    """Withdrawn names that no recording here goes by: a slip of the pen, or something that is long gone."""
    licences: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    peers: PeerReviews = field(default_factory=PeerReviews)
    """What annotators said of all these passages, published or not."""
    unresolved: int = 0
    """Passages with a review that was not there when they were last resolved: what it says is not published yet."""
    silent_transcripts: int = 0
    """Corrected transcripts that were not laid back onto their segments."""

    def read(self, kept: Iterable[Kept]) -> Iterator[tuple[Kept, dict[str, Any]]]:
        """The rows of these passages, from the spool."""
        with self.spool.open("rb") as file:
            for one in kept:
                file.seek(one.offset)
                yield one, json.loads(file.readline())


def survey(
    store: Store,
    workspace: WorkspaceFolder,
    options: PublishConfig,
    inventories: Inventories,
    spool: Path,
    *,
    withdrawn: Mapping[str, str],
    names: Pseudonyms,
) -> Survey:
    """Make the rows of every passage that may be seen at all, and say of the others why not."""
    wanted = set(find_passages(store, options.where)) if options.where else None
    allowed = {spdx_like(name) for name in options.licences}
    found = Survey(spool)
    problems = Problems(inventories)
    not_met = set(withdrawn)
    with store.snapshot(), spool.open("wb") as file:
        for recording in list_recordings(store):
            licence = spdx_like(recording.metadata.licence)
            kept_before = len(found.kept)
            if named := withdrawn.keys() & set(names_of(recording)):
                not_met -= named
                found.withdrawn.append(recording.id)
                found.funnel["withdrawn"] += len(list_passages(store, recording.id))
                continue
            if allowed and licence not in allowed:
                found.funnel[f"licence {licence}"] += len(list_passages(store, recording.id))
                continue
            for material in read_materials(store, recording):
                if wanted is not None and material.drafted.id not in wanted:
                    found.funnel["not asked for (--where)"] += 1
                    continue
                found.peers.add(material.reviews)
                found.unresolved += has_unresolved_reviews(material.reviews, material.resolved)
                if material.drafted.draft.transcript is None and material.resolved is None:
                    found.funnel["no transcript yet"] += 1
                    continue
                if stays_withheld(material.reviews, material.resolved):
                    found.funnel[WITHHELD] += 1
                    continue
                _spool_one(material, workspace, options, found, problems, file, names)
            if len(found.kept) > kept_before:
                found.recordings[recording.id] = recording
                if any(not one.left_out for one in found.kept[kept_before:]):
                    found.licences[licence].append(recording.name)
    problems.check()
    found.withdrawn_not_met = sorted(not_met)
    return found


def _spool_one(
    material: Material,
    workspace: WorkspaceFolder,
    options: PublishConfig,
    found: Survey,
    problems: Problems,
    file: Any,
    names: Pseudonyms,
) -> None:
    drafted = material.drafted
    resolved = current_answer(drafted, material.resolved)
    stretch = passage_stretch(drafted, resolved, problems.inventories)
    row = read_row(ROW_TYPES.passage, stretch)
    left_out = why_left_out(resolved, row.seconds, options)
    segments = [] if left_out else [read_row(ROW_TYPES.segment, segment) for segment in segment_stretches(stretch)]
    clip_bytes = 0
    if not left_out:
        problems.look_at(resolved)
        clip_bytes = problems.size_of(workspace.root / drafted.passage.clip)
        found.silent_transcripts += not segments and bool(drafted.segments)
    draft = whole_draft(drafted.draft) if "raw" in options.configurations else None
    raw = read_row(ROW_TYPES.raw, public_stretch(stretch, material.reviews, names, draft))
    line = to_json(
        {
            "passage": fingerprinted(row),
            "segments": list(map(fingerprinted, segments)),
            "raw": fingerprinted(raw),
            "clip": drafted.passage.clip,
            "start": drafted.passage.start,
        }
    ).encode()
    found.kept.append(
        Kept(
            id=drafted.id,
            recording=drafted.recording.id,
            offset=file.tell(),
            seconds=row.seconds,
            clip_bytes=clip_bytes,
            text_bytes=len(line),
            segments=len(segments),
            summarized=bool(row.summary),
            dialect=-1 if row.dialect is None else row.dialect,
            emotion=-1 if row.emotion is None else row.emotion,
            verified=resolved.transcript.verified and resolved.summary.verified,
            content=blake2b(line, digest_size=8).hexdigest(),
            signature=b"" if left_out else signature_of(row.transcription or ""),
            left_out=left_out,
        )
    )
    file.write(line + b"\n")
    if left_out:
        found.funnel[left_out] += 1


def fingerprinted(row: object) -> dict[str, Any]:
    """A row's values in the order that fingerprints of published versions were made in: `clip` last of where it is from."""
    return {name: getattr(row, name) for name in _fingerprinted_names(type(row))}  # type: ignore[arg-type]


@cache
def _fingerprinted_names(row: Hashable) -> tuple[str, ...]:
    names = cached_names(row)
    after = names.index("licence") + 1
    place = [name for name in names[:after] if name != "clip"]
    return (*place, *(["clip"] if "clip" in names else []), *names[after:])


def why_left_out(resolved: ResolvedPassage, seconds: float, options: PublishConfig) -> str:
    """Why a passage is no row of the set; empty where it is one."""
    if not resolved.accepted:
        reason = public_reason(resolved)
        return ": ".join(filter(None, ("rejected by reviewers", reason))) if resolved.reviews else reason
    if not resolved.transcript.value.strip():
        return "empty transcript"
    if seconds < options.min_seconds:
        return f"shorter than {options.min_seconds:g} s"
    if options.max_seconds and seconds > options.max_seconds:
        return f"longer than {options.max_seconds:g} s"
    verified = {name: getattr(resolved, name).verified for name in VERIFIED}
    enough = {
        "none": True,
        "any": any(verified.values()),
        "text": verified["transcript"] and verified["summary"],
        "all": all(verified.values()),
    }
    return "" if enough[options.min_verification] else f"not verified enough (wanted: {options.min_verification})"


def members(found: Survey, inventories: Inventories) -> list[Member]:
    """The recordings with what the splits should spread evenly."""
    hours: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in found.kept:
        if one.left_out:
            continue
        dialect = inventories["dialect"][one.dialect] if one.dialect >= 0 else "unknown"
        length = "short" if one.seconds < 30 else "middling" if one.seconds < 75 else "long"
        for stratum in ("", f"dialect {dialect}", f"length {length}", f"verified {one.verified}"):
            hours[one.recording][stratum] += one.seconds / 3600
    return [
        Member(number, known.metadata.speaker, known.metadata.programme, hours[number])
        for number, known in found.recordings.items()
    ]


class Problems:
    """What would keep the set from being published, gathered so that one run tells all."""

    def __init__(self, inventories: Inventories) -> None:
        self.inventories = inventories
        self._missing: list[str] = []
        self._strange: Counter[tuple[str, str]] = Counter()

    def size_of(self, clip: Path) -> int:
        try:
            return clip.stat().st_size
        except OSError:
            self._missing.append(clip.name)
            return 0

    def look_at(self, resolved: ResolvedPassage) -> None:
        for kind, labels in self.inventories.items():
            value = getattr(resolved, kind).value
            if value and value not in labels:
                self._strange[kind, value] += 1

    def check(self) -> None:
        if self._missing:
            raise AramegaError(
                f"{_some(self._missing)}: not in the workspace's clips, so {len(self._missing)} rows would have no "
                "audio. Bring them back, or leave the passages out with --where."
            )
        for (kind, value), times in self._strange.items():
            labels = self.inventories[kind]
            near = difflib.get_close_matches(value, labels, n=1)
            hint = f" Did someone mean {near[0]}?" if near else ""
            raise AramegaError(
                f"{times} passages have the {kind} {value!r}, which label.{kind}s does not know "
                f"({', '.join(labels)}).{hint} Add it there, or correct the reviews."
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
