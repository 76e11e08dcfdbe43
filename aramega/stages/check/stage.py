"""The check stage: the measures of one draft. What is made of them is `verdicts`' business."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from aramega.config import CheckConfig
from aramega.records import Check as Checked
from aramega.records import DraftedPassage, Line, Part, SentenceEvidence
from aramega.stages.base import Stage, Takes
from aramega.stages.check.evidence import doubted_words, find_evidence
from aramega.stages.check.faithfulness import (
    coverage_and_density,
    novel_bigrams,
    plain_words,
    unsupported_numbers,
)
from aramega.stages.names import CHECK, LABEL, SUMMARIZE, TRANSCRIBE
from aramega.stages.transcribe.doubts import is_drawn_out, is_phantom
from aramega.text import arabic_share, compression_ratio, sentences
from aramega.text.near_duplicates import signature

DOUBTS = frozenset({"loop", "phantom", "no speech", "unsure", "too fast", "drawn out"})
"""Flags of a line whose text may be nothing that was said; `too slow` and `divided` say something else."""


class Check(Stage[DraftedPassage]):
    name = CHECK
    version = 2
    takes = Takes.PASSAGE
    makes = (Checked,)
    counts = "check"
    table = "checks"
    after = (TRANSCRIBE, SUMMARIZE, LABEL)
    parts = Part.SEGMENTS | Part.MUSIC | Part.TRANSCRIPT | Part.SUMMARY
    batch_size = 64

    options: CheckConfig

    def run(self, item: DraftedPassage) -> Sequence[Checked]:
        return [check_draft(item, self.options)]


def check_draft(item: DraftedPassage, options: CheckConfig | None = None) -> Checked:
    """All that can be measured of a draft by itself."""
    transcript, summary = item.draft.transcript, item.draft.summary
    seconds = {segment.id: segment.seconds for segment in item.segments}
    lines = tuple(flag_line(line, seconds, options or CheckConfig()) for line in transcript.lines) if transcript else ()
    spoken = transcript.text if transcript else ""
    written = summary.text if summary else ""
    spoken_words, written_words = plain_words(spoken), plain_words(written)
    coverage, density = coverage_and_density(spoken_words, written_words)
    evidence = find_evidence(item)
    return Checked(
        passage=item.id,
        avg_logprob=_mean_logprob(lines),
        compression_ratio=round(compression_ratio(spoken), 3) if spoken else None,
        characters_per_second=round(len(spoken) / item.passage.speech_seconds, 2)
        if item.passage.speech_seconds
        else 0.0,
        arabic_share=round(arabic_share(spoken), 4),
        music_share=round(item.music_seconds / item.passage.seconds, 4) if item.passage.seconds else 0.0,
        words=len(spoken_words),
        doubted=_share(lines, lambda line: bool(DOUBTS & set(line.flags)), lambda line: len(line.text)),
        unheard=_share(lines, lambda line: not line.text, lambda line: seconds.get(line.segment, 0.0)),
        summary_sentences=len(sentences(written)),
        summary_words=len(written_words),
        compression=round(len(spoken_words) / len(written_words), 3) if written_words else None,
        coverage=_rounded(coverage),
        density=_rounded(density),
        novel_bigrams=_rounded(novel_bigrams(spoken_words, written_words)),
        unsupported_numbers=unsupported_numbers(spoken, written),
        unsupported_names=doubted_words(evidence, "name"),
        flags=tuple(sorted({flag for line in lines for flag in line.flags})),
        signature=signature(spoken).hex(),
        evidence=evidence,
        support=min((sentence.share for sentence in evidence), default=None),
        contradictions=sum(_contradicts(sentence) for sentence in evidence),
    )


def flag_line(line: Line, seconds: Mapping[str, float], options: CheckConfig) -> Line:
    """The line with what the check doubts of it beside what the recognizer's stage did: flags that need no listening, so
    that a team's own phantoms and limit count for what is transcribed already."""
    if not line.text:
        return line
    doubts = {
        "phantom": is_phantom(line.text, options.phantoms),
        "unsure": line.avg_logprob is not None and line.avg_logprob < options.doubt_logprob,
        "drawn out": is_drawn_out(line.text, seconds.get(line.segment, 0.0), line.avg_logprob),
    }
    more = [flag for flag, holds in doubts.items() if holds and flag not in line.flags]
    return replace(line, flags=(*line.flags, *more)) if more else line


def _contradicts(sentence: SentenceEvidence) -> bool:
    return any(doubt.startswith(("negation:", "direction:")) for doubt in sentence.doubts)


def _mean_logprob(lines: Sequence[Line]) -> float | None:
    """Over the letters, so that a window of three words counts for three words."""
    weighted = [(line.avg_logprob, len(line.text)) for line in lines if line.avg_logprob is not None and line.text]
    total = sum(weight for _, weight in weighted)
    return round(sum(value * weight for value, weight in weighted) / total, 4) if total else None


def _share(lines: Sequence[Line], holds: Callable[[Line], bool], weight: Callable[[Line], float]) -> float:
    total = sum(map(weight, lines))
    return round(sum(weight(line) for line in lines if holds(line)) / total, 4) if total else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
