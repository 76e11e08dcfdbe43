"""Classification cast as generation: the model writes a label's name, we find the label in what it wrote.

Reading an answer back is where such evaluations go wrong, so the rules are few and stated. A short answer
that *is* a label's name is that label. Otherwise every mention is looked for, longest names first, on word
boundaries that know Arabic's prefixes (والمصرية, باللهجة المصرية), and mentions under a negation ("not
Egyptian", "ليست مصرية") are dropped. One label mentioned: that one. Several: the first after the last
"the answer is"-like cue, if there is a cue. Anything else is invalid, and an invalid answer counts as an error.
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
    r"\b(?:answer|label|class|dialect|emotion|accent|it|this|that)\s+(?:is|are|was|sounds|seems)\b"
    r"|\b(?:answer|label|dialect|emotion|accent|therefore|so|final)\b"
    r"|(?<!\w)(?:الاجابه|الجواب|اللهجه|لهجه|الانفعال|العاطفه|الشعور|اذن|لذلك|النتيجه)(?!\w)"
)
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


class Classification(Task):
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

    def instructions(self, modality: Modality) -> Sequence[str]:
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
        text = plain(strip_chatter(answer))
        if text in self._owner:
            return self._owner[text]
        mentions = [m for m in self._names.finditer(text) if not _NEGATION.search(text[: m.start()])]
        codes = [self._owner[m["name"]] for m in mentions]
        if len(set(codes)) <= 1:
            return codes[0] if codes else None
        cues = [cue.end() for cue in _CUE.finditer(text)]
        after = [code for m, code in zip(mentions, codes, strict=True) if cues and m.start() >= cues[-1]]
        return after[0] if len(set(after)) == 1 else None

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
        """Macro-F1 is over the labels that occur in the references, so that a label nobody could get right costs nothing."""
        cells = self.confusion(totals)
        hits = np.diagonal(cells, axis1=-2, axis2=-1)
        support, predicted = cells.sum(axis=-1), cells[..., :-1].sum(axis=-2)
        n = support.sum(axis=-1)
        f1 = ratio(2 * hits, support + predicted)
        return {
            "macro_f1": ratio((f1 * (support > 0)).sum(axis=-1), (support > 0).sum(axis=-1)),
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


def _comparable(label: Label) -> list[str]:
    names = [plain(name) for name in label.names]
    return list(dict.fromkeys(name for name in (*names, *(n.removeprefix("ال") for n in names)) if name))
