"""Classification cast as generation: the model writes a label's name, we find the label in what it wrote.

Reading an answer back is where such evaluations go wrong, so the rules are few and stated. An answer that *is*
a label's name, or whose first sentence is, is that label. Otherwise every mention is looked for, longest names
first, on word boundaries that know Arabic's prefixes (والمصرية, باللهجة المصرية), and mentions under a negation
("not Egyptian", "ليست مصرية") are dropped. One label mentioned: that one. Several: the one that follows closely
on the last "the answer is"-like cue, unless it is offered as one of two. Anything else is invalid, which
counts as an error.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from aramega.text import normalize
from recipes.tasks.base import Modality, Task, TaskError, TaskOptions, ratio, strip_chatter
from recipes.tasks.labels import Inventory, Label

_CUE = re.compile(
    r"\b(?:answer|label|class|dialect|emotion|accent|variety|it|this|that|speaker|voice)\s+(?:is|was|sounds|seems)\b"
    r"|\b(?:answer|label)\b"
    r"|(?<!\w)(?:الاجابه|الجواب|النتيجه)(?: الصحيحه| الصحيح)?(?: هي| هو)?(?!\w)"
    r"|(?<!\w)(?:اللهجه|الانفعال|العاطفه|الشعور|الصوت|لذلك|اذن|اذا)(?: هي| هو| فهي| فهو)(?!\w)"
)
# A name that stands further from its cue than this is not what the cue announced ("the answer is hard to give").
_NEAR = 20
_SENTENCE_ENDS = re.compile(r"[.!?؟؛\n]+")
_STOP = " § "
_EITHER = {"", "or", "and", "and or", "او", "و", "either"}
_NEGATION = re.compile(
    r"(?:\b(?:not|isn t|isnt|no|never|nor|neither|rather than|instead of|than)(?: an?| the)?|(?<!\w)(?:ليس|ليست|وليس|وليست|لا|غير|ما))"
    r"(?: (?:in|of|with|اللهجه|لهجه|باللهجه))?\s*$"
)
# One-letter words written onto the next (و، ف، ب، ك، ل) and the article, whose alef drops after ل.
_PREFIX = r"(?:[وف]?(?:[بكل]?ال|لل|[بكل])?)"
# What a name may end in beyond itself: feminine, plural.
_SUFFIX = r"(?:ه|ون|ين|يه)?"


def plain(text: str) -> str:
    """How names and answers are compared: `asr` profile, ة as ه, ى as ي, lower case, signs as spaces."""
    spaced = re.sub(r"[^\w\s\u064B-\u0652\u0670]|_", " ", text)
    return normalize(spaced, "asr").casefold().replace("ة", "ه").replace("ى", "ي")


def _sentences(text: str) -> list[str]:
    return list(filter(None, map(plain, _SENTENCE_ENDS.split(text))))


class Classification(Task):
    """A task whose answer is a label of an inventory."""

    kind = "discriminative"
    uses_audio = True
    headline = "macro_f1"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        if not self.inventory.labels:
            raise TaskError(f"task {self.name}: its inventory has no labels. Name at least two in the configuration.")

    @property
    @abstractmethod
    def inventory(self) -> Inventory: ...

    @abstractmethod
    def questions(self, modality: Modality) -> tuple[Sequence[str], Sequence[str]]:
        """English and Arabic ways to ask, to which the choices are added."""

    def instructions(self, modality: Modality, language: str = "ar") -> Sequence[str]:
        """In both languages whatever is spoken: the answer is a label's name, and the instruction lists them."""
        names = [label.written(self.options.label_language) for label in self.inventory.labels]
        english, arabic = self.questions(modality)
        return (
            *(f"{question} Answer with one of: {', '.join(names)}." for question in english),
            *(f"{question} أجب بواحد مما يلي: {'، '.join(names)}." for question in arabic),
        )

    def label_of(self, columns: Mapping[str, Any]) -> str | None:
        """The code of a row's label; None where the row has none, or one that the inventory doesn't know."""
        label = self.inventory.find(str(columns.get(self.columns[0]) or ""))
        return label.code if label else None

    def target_of(self, columns: Mapping[str, Any]) -> str:
        label = self.inventory.find(str(columns.get(self.columns[0]) or ""))
        return label.written(self.options.label_language) if label else ""

    def parse(self, answer: str) -> str | None:
        if label := self.inventory.find(answer):
            return label.code
        first = next(iter(_sentences(strip_chatter(answer))), "")
        if first in self._owner:
            return self._owner[first]
        text = _STOP.join(_sentences(answer))
        mentions = [
            (m.start(), m.end(), self._owner[m["name"]])
            for m in self._names.finditer(text)
            if not _NEGATION.search(text[: m.start()])
        ]
        if len({code for *_, code in mentions}) <= 1:
            return mentions[0][2] if mentions else None
        return _announced(text, mentions)

    def tally(self, answers: Sequence[str], references: Sequence[str]) -> np.ndarray:
        """One-hot cells of the confusion matrix, true label × (labels, invalid), row by row."""
        size = len(self.inventory.codes)
        column = {code: i for i, code in enumerate(self.inventory.codes)}
        rows = np.zeros((len(answers), size * (size + 1)))
        for row, answer, reference in zip(rows, answers, references, strict=True):
            true, parsed = self.inventory.find(reference), self.parse(answer)
            if true is None:
                raise TaskError(
                    f"task {self.name}: reference {reference!r} is no label of the inventory ({', '.join(column)})."
                )
            row[column[true.code] * (size + 1) + (size if parsed is None else column[parsed])] = 1
        return rows

    def confusion(self, totals: np.ndarray) -> np.ndarray:
        """(..., true label, predicted label or invalid), in the inventory's order."""
        size = len(self.inventory.codes)
        return totals.reshape(*totals.shape[:-1], size, size + 1)

    def metrics(self, totals: np.ndarray) -> dict[str, np.ndarray]:
        """Macro-F1 is over the labels that occur in the references, so that a label nobody could get right costs nothing.

        Weighted F1 counts each label as often as it occurs there.
        """
        cells = self.confusion(totals)
        hits = np.diagonal(cells, axis1=-2, axis2=-1)
        support, predicted = cells.sum(axis=-1), cells[..., :-1].sum(axis=-2)
        n = support.sum(axis=-1)
        f1 = ratio(2 * hits, support + predicted)
        return {
            "macro_f1": ratio((f1 * (support > 0)).sum(axis=-1), (support > 0).sum(axis=-1)),
            "weighted_f1": ratio((f1 * support).sum(axis=-1), n),
            "accuracy": ratio(hits.sum(axis=-1), n),
            "invalid": ratio(cells[..., -1].sum(axis=-1), n),
        }

    @cached_property
    def _owner(self) -> dict[str, str]:
        """Comparable name → code. Where two labels share a name, the earlier label has it."""
        owner: dict[str, str] = {}
        for label in self.inventory.labels:
            for name in _comparable(label):
                owner.setdefault(name, label.code)
        return owner

    @cached_property
    def _names(self) -> re.Pattern[str]:
        """Every name that may stand in a sentence. Country codes ("SA", "MAR") are words there: only a label's own counts."""
        codes = {plain(label.code) for label in self.inventory.labels if len(label.code) > 2}
        foreign = {plain(n) for label in self.inventory.labels for n in label.also if len(n) <= 3 and n.isupper()}
        names = sorted(self._owner.keys() - (foreign - codes), key=len, reverse=True)
        return re.compile(rf"(?<!\w){_PREFIX}(?P<name>{'|'.join(map(re.escape, names))}){_SUFFIX}(?!\w)")


def _announced(text: str, mentions: Sequence[tuple[int, int, str]]) -> str | None:
    """Of several labels mentioned, the one that follows closely on the last cue, unless another is offered beside it."""
    for cue in reversed(list(_CUE.finditer(text))):
        after = [mention for mention in mentions if mention[0] >= cue.end()]
        if not after or after[0][0] - cue.end() > _NEAR:
            continue
        _, end, code = after[0]
        rival = next((start for start, _, other in after if other != code), None)
        if rival is not None and text[end:rival].strip() in _EITHER:
            return None
        return code
    return None


def _comparable(label: Label) -> list[str]:
    names = [plain(name) for name in label.names]
    return list(dict.fromkeys(name for name in (*names, *(n.removeprefix("ال") for n in names)) if name))
