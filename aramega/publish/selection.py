"""The selection: one walk through the workspace that makes every row once and decides which may be published.

Rows go to the row cache, and only a few numbers of each passage stay in memory. So the database is read once, in one
snapshot, and whatever would keep the set from being published (a missing clip, a label that no inventory has) is found
before the first shard is written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from aramega.config import PublishConfig
from aramega.publish.anonymous import Pseudonyms, public_reason
from aramega.publish.as_json import whole_draft
from aramega.publish.configurations import CONFIGURATIONS
from aramega.publish.fingerprints import content_of, values_in_order
from aramega.publish.index_rows import index_row
from aramega.publish.leaks import signature_of
from aramega.publish.licences import spdx_like
from aramega.publish.materials import Material, read_materials
from aramega.publish.problems import Problems
from aramega.publish.row_cache import RowCache, RowCacheWriter
from aramega.publish.rows import ROW_TYPES, PassageRow, RawRow, SegmentRow, read_row
from aramega.publish.splits import Member
from aramega.publish.stretch import Inventories, passage_stretch, public_stretch, segment_stretches
from aramega.publish.tables import PASSAGES, SEGMENTS, index_rows, passage_rows, raw_rows, segment_rows
from aramega.publish.withdrawn import names_of
from aramega.records import Recording, ResolvedPassage
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
class SelectedPassage:
    """What must be remembered of a passage while the set is made; its rows are in the row cache."""

    id: str
    recording: str
    number: int
    """Of its rows in the cache."""
    first_segment: int
    """The number of its first segment's row."""
    segments: int
    seconds: float
    clip_bytes: int
    text_bytes: int
    summarized: bool
    """It has a summary, and so a row in `ssum`."""
    dialect: int
    emotion: int
    verified: bool
    """A person stands behind transcript and summary."""
    content: str
    """A hash of all that its rows say."""
    signature: bytes
    left_out: str = ""
    """Why it is in `raw` only."""


@dataclass
class Selection:
    """Every passage that may be seen at all, and how many may not, and why."""

    cache: RowCache
    passages: list[SelectedPassage] = field(default_factory=list)
    recordings: dict[str, Recording] = field(default_factory=dict)
    """Those with anything to publish."""
    funnel: Counter[str] = field(default_factory=Counter)
    """Passages that are not published, by reason."""
    withdrawn: list[str] = field(default_factory=list)
    unknown_withdrawals: list[str] = field(default_factory=list)
    """Withdrawn names that no recording here goes by: a slip of the pen, or something that is long gone."""
    licences: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    peers: PeerReviews = field(default_factory=PeerReviews)
    """What annotators said of all these passages, published or not."""
    unresolved: int = 0
    """Passages with a review that was not there when they were last resolved: what it says is not published yet."""
    without_lines: int = 0
    """Corrected transcripts that were not laid back onto their segments."""


@dataclass(frozen=True)
class SelectionRules:
    """What decides which passages are selected, and how people appear in their rows."""

    options: PublishConfig
    inventories: Inventories
    withdrawn: Mapping[str, str]
    """Names of recordings, and why they were withdrawn."""
    pseudonyms: Pseudonyms
    format: str = "parquet"


def select_passages(store: Store, workspace: WorkspaceFolder, rules: SelectionRules, cache: Path) -> Selection:
    """Make the rows of every passage that may be seen at all, and say of the others why not."""
    with store.snapshot(), RowCacheWriter(cache) as writer:
        selector = _Selector(store, workspace, rules, writer)
        for recording in list_recordings(store):
            selector.select(recording)
    selector.problems.check()
    names = {name for recording in selector.withdrawn for name in names_of(recording)}
    selector.selection.unknown_withdrawals = sorted(set(rules.withdrawn) - names)
    return selector.selection


class _Selector:
    """Walks through the recordings of one snapshot."""

    def __init__(self, store: Store, workspace: WorkspaceFolder, rules: SelectionRules, writer: RowCacheWriter) -> None:
        options = rules.options
        self.store = store
        self.workspace = workspace
        self.rules = rules
        self.writer = writer
        self.selection = Selection(RowCache(writer.folder))
        self.problems = Problems(rules.inventories)
        self.withdrawn: list[Recording] = []
        self._segments = 0
        self._where = set(find_passages(store, options.where)) if options.where else None
        self._licences = {spdx_like(name) for name in options.licences}
        self._indexed = [
            configuration
            for name, configuration in CONFIGURATIONS.items()
            if name in options.configurations and not configuration.view_of
        ]

    def select(self, recording: Recording) -> None:
        """Take in a recording's passages."""
        selection, licence = self.selection, spdx_like(recording.metadata.licence)
        if self.rules.withdrawn.keys() & set(names_of(recording)):
            self.withdrawn.append(recording)
            selection.withdrawn.append(recording.id)
            selection.funnel["withdrawn"] += len(list_passages(self.store, recording.id))
            return
        if self._licences and licence not in self._licences:
            selection.funnel[f"licence {licence}"] += len(list_passages(self.store, recording.id))
            return
        before = len(selection.passages)
        for material in read_materials(self.store, recording):
            if reason := self._why_unseen(material):
                selection.funnel[reason] += 1
            else:
                self._add(material)
        added = selection.passages[before:]
        if added:
            selection.recordings[recording.id] = recording
        if any(not passage.left_out for passage in added):
            selection.licences[licence].append(recording.name)

    def _why_unseen(self, material: Material) -> str:
        """Why nothing of a passage may be seen, not even in `raw`; empty where something may."""
        drafted, resolved = material.drafted, material.resolved
        if self._where is not None and drafted.id not in self._where:
            return "not asked for (--where)"
        self.selection.peers.add(material.reviews)
        self.selection.unresolved += has_unresolved_reviews(material.reviews, resolved)
        if drafted.draft.transcript is None and resolved is None:
            return "no transcript yet"
        return WITHHELD if stays_withheld(material.reviews, resolved) else ""

    def _add(self, material: Material) -> None:
        """Make the passage's rows and keep them in the cache."""
        drafted, options = material.drafted, self.rules.options
        resolved = current_answer(drafted, material.resolved)
        stretch = passage_stretch(drafted, resolved, self.rules.inventories)
        row = read_row(ROW_TYPES.passage, stretch)
        left_out = why_left_out(resolved, row.seconds, options)
        segments = [] if left_out else [read_row(ROW_TYPES.segment, segment) for segment in segment_stretches(stretch)]
        draft = whole_draft(drafted.draft) if "raw" in options.configurations else None
        raw = read_row(ROW_TYPES.raw, public_stretch(stretch, material.reviews, self.rules.pseudonyms, draft))
        clip_bytes = 0
        if left_out:
            self.selection.funnel[left_out] += 1
        else:
            self.problems.look_at(resolved)
            clip_bytes = self.problems.size_of(self.workspace.root / drafted.passage.clip)
            self.selection.without_lines += not segments and bool(drafted.segments)
        content = content_of(row, segments, raw, drafted.passage.clip, drafted.passage.start)
        self.selection.passages.append(
            SelectedPassage(
                id=drafted.id,
                recording=drafted.recording.id,
                number=self.writer.count(PASSAGES),
                first_segment=self._segments,
                segments=len(segments),
                seconds=row.seconds,
                clip_bytes=clip_bytes,
                text_bytes=len(content),
                summarized=bool(row.summary),
                dialect=-1 if row.dialect is None else row.dialect,
                emotion=-1 if row.emotion is None else row.emotion,
                verified=resolved.transcript.verified and resolved.summary.verified,
                content=blake2b(content, digest_size=8).hexdigest(),
                signature=b"" if left_out else signature_of(row.transcription or ""),
                left_out=left_out,
            )
        )
        self._segments += len(segments)
        self._cache(material, row, segments, raw)

    def _cache(self, material: Material, row: PassageRow, segments: Sequence[SegmentRow], raw: RawRow) -> None:
        drafted, writer = material.drafted, self.writer
        options, format = self.rules.options, self.rules.format
        writer.add(PASSAGES, drafted.passage)
        writer.add(passage_rows(), row)
        writer.add(raw_rows(), raw)
        if "asr" in options.configurations or format != "parquet":
            for segment in segments:
                writer.add(segment_rows(), segment)
        if format != "parquet":
            records = {segment.id: segment for segment in drafted.segments}
            for segment in segments:
                writer.add(SEGMENTS, records.get(segment.id))
        rows: Mapping[str, Sequence[object]] = {"passage": [row], "raw": [raw], "segment": segments}
        for configuration in self._indexed:
            for published in rows[configuration.of]:
                values = values_in_order(published)
                writer.add(index_rows(configuration), index_row(configuration, values, drafted.passage.clip_sha256))


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


def members(selection: Selection, inventories: Inventories) -> list[Member]:
    """The recordings with what the splits should spread evenly."""
    hours: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for passage in selection.passages:
        if passage.left_out:
            continue
        dialect = inventories["dialect"][passage.dialect] if passage.dialect >= 0 else "unknown"
        length = "short" if passage.seconds < 30 else "middling" if passage.seconds < 75 else "long"
        for stratum in ("", f"dialect {dialect}", f"length {length}", f"verified {passage.verified}"):
            hours[passage.recording][stratum] += passage.seconds / 3600
    return [
        Member(recording.id, recording.metadata.speaker, recording.metadata.programme, hours[recording.id])
        for recording in selection.recordings.values()
    ]
