"""Evidence: for each sentence of a summary, the segments it rests on and what in it was not said so.

A number, a name, a negation, a direction that the speech does not have, and a sentence that the speech does not hold at
all, are each found by their own means (`text.support`, `text.arabic_names`, `text.polarity`), because overlap of words
sees none of them. What is found is a doubt for a person to settle, with the seconds to listen to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from aramega.records import DraftedPassage, SentenceEvidence
from aramega.stages.check.faithfulness import unsupported_names, unsupported_numbers
from aramega.text import clean, sentences, words
from aramega.text.arabic_names import find_name_words
from aramega.text.polarity import wrong_directions, wrong_negations
from aramega.text.support import Support, find_support, folded, with_surroundings

LEAST_SUPPORT = 0.4
"""Share of a sentence's content, below which the speech does not hold it. A lead that a person wrote of a story shares
half and more with it, a sentence of another story a fifth."""


def find_evidence(item: DraftedPassage) -> tuple[SentenceEvidence, ...]:
    """The evidence for each sentence of the passage's summary, in order."""
    transcript, summary = item.draft.transcript, item.draft.summary
    if not (transcript and summary and summary.text):
        return ()
    text = " ".join(line.text for line in transcript.lines if line.text)
    spoken, names = _spoken_words(transcript.lines), workspace_names(item)
    return tuple(_weigh(sentence, text, spoken, names) for sentence in sentences(summary.text))


def find_doubts(sentence: str, texts: Sequence[str], names: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """What in a sentence was not said so in the lines of a transcript, by kind."""
    spoken = [word for text in texts for word in words(text)]
    return _doubts(sentence, " ".join(texts), spoken, find_support(spoken, sentence), names)


def doubted_words(evidence: Sequence[SentenceEvidence], kind: str) -> tuple[str, ...]:
    """All that is doubted of a kind, over the sentences."""
    start = f"{kind}: "
    doubts = [
        doubt.removeprefix(start) for sentence in evidence for doubt in sentence.doubts if doubt.startswith(start)
    ]
    return tuple(dict.fromkeys(word for doubt in doubts for word in doubt.split()))


class HeardLine(Protocol):
    """A line of a draft, or one that people settled."""

    @property
    def segment(self) -> str: ...

    @property
    def text(self) -> str: ...


def carrying_segments(summary: str, lines: Sequence[HeardLine]) -> tuple[tuple[str, ...], ...]:
    """For each sentence of a summary, the segments of the lines that carry it."""
    spoken = _spoken_words(lines)
    spoken_words = [word for word, _ in spoken]
    return tuple(_carriers(spoken, find_support(spoken_words, sentence)) for sentence in sentences(summary))


def workspace_names(item: DraftedPassage) -> list[str]:
    """Names of people that the recording's own metadata gives."""
    return words(clean(item.recording.metadata.speaker))


def _spoken_words(lines: Iterable[HeardLine]) -> list[tuple[str, str]]:
    """Each word of the lines, with the segment that it was said in."""
    return [(word, line.segment) for line in lines for word in words(line.text)]


def _carriers(spoken: Sequence[tuple[str, str]], support: Support) -> tuple[str, ...]:
    """The segments of the words that carry a sentence, each once."""
    return tuple(dict.fromkeys(spoken[place][1] for place in support.words))


def _weigh(sentence: str, text: str, spoken: Sequence[tuple[str, str]], names: Sequence[str]) -> SentenceEvidence:
    spoken_words = [word for word, _ in spoken]
    support = find_support(spoken_words, sentence)
    doubts = _doubts(sentence, text, spoken_words, support, names)
    return SentenceEvidence(
        sentence=sentence,
        segments=_carriers(spoken, support),
        share=round(support.share, 4),
        doubts=tuple(f"{kind}: {' '.join(what)}".rstrip(": ") for kind, what in doubts.items()),
    )


def _doubts(
    sentence: str, text: str, spoken: Sequence[str], support: Support, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    written = words(sentence)
    stretch = [spoken[place] for place in with_surroundings(support, len(spoken))]
    found_by_kind: dict[str, Sequence[str]] = {
        "number": unsupported_numbers(text, sentence),
        "name": (*unsupported_names(text, sentence), *_unsaid_names(spoken, written, names)),
        "negation": wrong_negations(stretch, written),
        "direction": wrong_directions(stretch, written),
        "foreign": [f"{support.share:.0%}"] if support.share < LEAST_SUPPORT else [],
    }
    return {kind: tuple(what) for kind, what in found_by_kind.items() if what}


def _unsaid_names(spoken: Sequence[str], written: Sequence[str], names: Sequence[str]) -> list[str]:
    said_forms = {form for word in spoken for form in (folded(word), folded(word.removeprefix("و")))}
    return [name for name in find_name_words(written, names) if folded(name) not in said_forms]
