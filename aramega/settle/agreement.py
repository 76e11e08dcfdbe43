"""Agreement: how far the people who reviewed the same passages say the same.

Texts are compared by error rates and chrF over all pairs of annotators, in both directions, so that nobody is the
reference; labels, the verdict and the rating of confidence by Krippendorff's alpha, which takes any number of
annotators, and where there are two by Cohen's kappa. Each annotator is also held against all others, and against
gold, which is then the reference. A passage of three annotators has three pairs but counts as three reviews do.

Gold reviews are left out of what annotators say among themselves. A passage someone rejects they did not correct,
so only its verdict counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np

from aramega.records import AramegaError, Review
from aramega.settle.disagreement import Disagreement, find_disagreement, score_field
from aramega.settle.distances import LONGEST_COMPARED
from aramega.settle.intervals import Interval, Numbers, bootstrap_rows, bootstrap_sums
from aramega.settle.standing import FIELDS, LABELS, TEXTS, answer, is_rejection, standing
from aramega.text import chrf_counts, chrf_from_counts, edit_counts, normalize
from aramega.text.overlap import CHRF_ORDERS

COMPARED = (*TEXTS, *LABELS, "verdict", "confidence")


@dataclass(frozen=True)
class FieldAgreement:
    """How well one field's answers agree."""

    field: str
    passages: int
    """Passages that at least two answered this field of."""
    figures: Mapping[str, Interval]
    """wer, cer and chrf for a text; same (the share of equal pairs), kappa and alpha for labels; alpha for the rating."""


@dataclass(frozen=True)
class Agreement:
    """What annotators agree on, all together, one by one, and with gold."""

    annotators: tuple[str, ...]
    passages: int
    """Reviewed by two or more, gold not counted."""
    gold_passages: int
    """Reviewed by gold and by someone else."""
    between: tuple[FieldAgreement, ...]
    with_others: Mapping[str, tuple[FieldAgreement, ...]]
    with_gold: Mapping[str, tuple[FieldAgreement, ...]]
    trust: Mapping[str, float]
    disagreements: tuple[Disagreement, ...]
    """The worst first."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return asdict(self)


@dataclass(frozen=True)
class _Pair:
    """Two answers to one field of one passage, the second held against the first."""

    passage: str
    reference: Review
    other: Review
    weight: float = 1.0


@dataclass(frozen=True)
class _Compared:
    """The pairs that answer one field, with a row of sums for each."""

    field: str
    pairs: Sequence[_Pair]
    rows: Sequence[Numbers]

    def of(self, annotator: str) -> _Compared:
        """Those in which this annotator is held against another."""
        theirs = [i for i, pair in enumerate(self.pairs) if pair.other.annotator == annotator]
        return _Compared(self.field, [self.pairs[i] for i in theirs], [self.rows[i] for i in theirs])

    def agreement(self, names: Sequence[str], seed: int) -> FieldAgreement:
        """The named figures, of the weighed rows of each passage's pairs."""
        sums: dict[str, Numbers] = {}
        for pair, row in zip(self.pairs, self.rows, strict=True):
            sums[pair.passage] = sums.get(pair.passage, 0) + pair.weight * row
        figures = bootstrap_sums(np.array(list(sums.values())), {name: _FIGURES[name] for name in names}, seed=seed)
        return FieldAgreement(self.field, len(sums), figures)


@dataclass
class PeerReviews:
    """The reviews that annotators' agreement is counted over, added passage by passage: those that stand, gold left out.

    Of a passage with one annotator nothing is kept but who that was, so that those of a whole archive fit in memory.
    """

    annotators: set[str] = field(default_factory=set)
    reviews: int = 0
    shared: dict[str, Sequence[Review]] = field(default_factory=dict)
    """By passage, where two or more annotators reviewed it."""

    def add(self, reviews: Iterable[Review]) -> None:
        """Count the reviews of one passage."""
        peers = [review for review in standing(reviews) if not review.gold]
        self.annotators.update(review.annotator for review in peers)
        self.reviews += len(peers)
        if len(peers) > 1:
            self.shared[peers[0].passage] = peers

    def measure(self, name: str, figure: str, *, seed: int = 0) -> Interval | None:
        """One figure of one field, the very one that `measure_agreement` gives; None where it is not defined."""
        return _compare(self.pairs(), name).agreement((figure,), seed).figures.get(figure)

    def pairs(self) -> list[_Pair]:
        return [pair for passage in sorted(self.shared) for pair in _pair_up(passage, self.shared[passage])]


def measure_agreement(reviews: Iterable[Review], *, seed: int = 0) -> Agreement:
    """All figures over the standing reviews of any number of passages."""
    by_passage = group_standing(reviews)
    peers = PeerReviews()
    for last in by_passage.values():
        peers.add(last)
    pairs, to_gold = peers.pairs(), [pair for last in by_passage.values() for pair in _pair_with_gold(last)]
    annotators = tuple(sorted(peers.annotators))
    among = [_compare(pairs, name) for name in COMPARED]
    against_gold = [_compare(to_gold, name) for name in COMPARED]
    disagreements = filter(None, (find_disagreement(last) for last in by_passage.values()))
    return Agreement(
        annotators=annotators,
        passages=len(peers.shared),
        gold_passages=len({p.passage for p in to_gold}),
        between=_known(_between(compared, seed) for compared in among),
        with_others={a: _known(_against(compared.of(a), seed) for compared in among) for a in annotators},
        with_gold={a: _known(_against(compared.of(a), seed) for compared in against_gold) for a in annotators},
        trust=measure_trust(by_passage),
        disagreements=tuple(sorted(disagreements, key=lambda d: (-d.score, d.passage))),
    )


def _known(fields: Iterable[FieldAgreement]) -> tuple[FieldAgreement, ...]:
    """Without those of which there is nothing to say."""
    return tuple(field for field in fields if field.figures)


def group_standing(reviews: Iterable[Review]) -> dict[str, list[Review]]:
    """The reviews that stand, by passage."""
    grouped: dict[str, list[Review]] = {}
    for review in reviews:
        grouped.setdefault(review.passage, []).append(review)
    return {passage: standing(grouped[passage]) for passage in sorted(grouped)}


def measure_trust(by_passage: Mapping[str, Sequence[Review]]) -> dict[str, float]:
    """How well each annotator agrees with gold, 0 to 1, for those who met any.

    One passage in perfect agreement proves less than fifty in near-perfect: each starts with one passage agreed and
    one not (Laplace's rule), so that trust has to be earned.
    """
    scores: dict[str, list[float]] = {}
    for last in by_passage.values():
        for gold in [r for r in last if r.gold][-1:]:
            for review in (r for r in last if not r.gold):
                both = [gold, review]
                apart = [s for name in ("verdict", *FIELDS) if (s := score_field(both, name)) is not None]
                if apart:
                    scores.setdefault(review.annotator, []).append(1 - sum(apart) / len(apart))
    return {who: (sum(values) + 1) / (len(values) + 2) for who, values in sorted(scores.items())}


def _pair_up(passage: str, last: Sequence[Review]) -> list[_Pair]:
    """Everyone against everyone, both ways; weighed so that a passage counts by its reviews and not its pairs."""
    ways = [way for first, other in combinations(last, 2) for way in ((first, other), (other, first))]
    return [_Pair(passage, first, other, 1 / (len(last) - 1)) for first, other in ways]


def _pair_with_gold(last: Sequence[Review]) -> list[_Pair]:
    """Everyone against the latest gold, which is the reference."""
    gold = [review for review in last if review.gold][-1:]
    return [_Pair(best.passage, best, other) for best in gold for other in last if not other.gold]


def _compare(pairs: Sequence[_Pair], name: str) -> _Compared:
    """Hold the answers to one field against each other, once for all figures."""
    answered = [p for p in pairs if said(p.reference, name) is not None and said(p.other, name) is not None]
    both = [(said(p.reference, name) or "", said(p.other, name) or "") for p in answered]
    labels = sorted({label for pair in both for label in pair})
    rows = [tally_texts(*pair) if name in TEXTS else tally_labels(*pair, labels) for pair in both]
    return _Compared(name, answered, rows)


def said(review: Review, name: str) -> str | None:
    """A field's answer as it is compared."""
    if name == "verdict":
        return review.verdict or None
    if is_rejection(review):
        return None
    if name == "confidence":
        return (
            f"{review.confidence:03d}" if review.confidence else None
        )  # text order is number order; no star is none given
    return answer(review, name)


def _between(compared: _Compared, seed: int) -> FieldAgreement:
    """What all annotators have in common."""
    if compared.field in TEXTS:
        return compared.agreement(("wer", "cer", "chrf"), seed)
    alpha = _alpha(compared, seed)
    if compared.field == "confidence":
        return replace(compared.agreement((), seed), figures=alpha)
    same = compared.agreement(("same",), seed)
    # Kappa knows two annotators: of more, it would mix the habits it is to tell apart.
    names = sorted({p.other.annotator for p in compared.pairs})
    kappa = compared.of(names[0]).agreement(("kappa",), seed).figures if len(names) == 2 else {}
    return replace(same, figures={**same.figures, **kappa, **alpha})


def _against(compared: _Compared, seed: int) -> FieldAgreement:
    """One annotator's answers, held against those of others or of gold."""
    names = {"confidence": ()}.get(
        compared.field, ("wer", "cer", "chrf") if compared.field in TEXTS else ("same", "kappa")
    )
    return compared.agreement(names, seed)


# Texts


def tally_texts(reference: str, other: str) -> Numbers:
    """Word edits, words, letter edits, letters, and chrF's counts, of which any sum gives the rates of a corpus.

    chrF keeps punctuation and hamzas (the `light` profile), which the error rates leave out: what only one of them
    sees is spelling, not hearing.
    """
    reference, other = reference[:LONGEST_COMPARED], other[:LONGEST_COMPARED]
    plain = normalize(reference, "asr"), normalize(other, "asr")
    light = normalize(reference, "light"), normalize(other, "light")
    edits = (*edit_counts(plain[0].split(), plain[1].split()), *edit_counts(*plain))
    return np.array([*edits, *(_chrf_of_same(light[0]) if light[0] == light[1] else chrf_counts(*light))], dtype=float)


def _chrf_of_same(text: str) -> list[int]:
    """What chrF counts where the two are one, without counting: most summaries and titles are left as drafted."""
    letters = len("".join(text.split()))
    return [max(letters - order, 0) for order in range(CHRF_ORDERS) for _ in ("answer", "reference", "both")]


# Labels


def tally_labels(reference: str, other: str, labels: Sequence[str]) -> Numbers:
    """A table of label against label with this pair in it, flattened; tables of many pairs add up."""
    table = np.zeros((len(labels), len(labels)))
    table[labels.index(reference), labels.index(other)] = 1
    return table.ravel()


def share_of_same(tables: Numbers) -> Numbers:
    """The share of pairs with the same label."""
    square = _square(tables)
    return _ratio(np.trace(square, axis1=-2, axis2=-1), square.sum(axis=(-2, -1)))


def cohens_kappa(tables: Numbers) -> Numbers:
    """Agreement beyond what two people with these habits reach by chance; undefined where both use one label only."""
    square = _square(tables)
    total = square.sum(axis=(-2, -1))
    chance = _ratio((square.sum(axis=-1) * square.sum(axis=-2)).sum(axis=-1), total**2)
    return _ratio(share_of_same(tables) - chance, 1 - chance)


def _alpha(compared: _Compared, seed: int) -> dict[str, Interval]:
    """Krippendorff's alpha of how often each label was given to each passage."""
    given: dict[str, dict[str, str]] = {}
    for pair in compared.pairs:
        given.setdefault(pair.passage, {})[pair.other.annotator] = said(pair.other, compared.field) or ""
    labels = sorted({label for answers in given.values() for label in answers.values()})
    counts = np.array([[list(answers.values()).count(label) for label in labels] for answers in given.values()])
    level: Literal["nominal", "ordinal"] = "ordinal" if compared.field == "confidence" else "nominal"
    alpha = bootstrap_rows(counts, lambda rows: krippendorffs_alpha(rows, level), seed=seed)
    return {"alpha": alpha} if alpha else {}


def krippendorffs_alpha(counts: Numbers, level: Literal["nominal", "ordinal"]) -> float:
    """Of (passages, labels in their order); undefined (nan) where only one label was ever given."""
    try:
        import krippendorff
    except ImportError:
        raise AramegaError(
            "agreement on labels needs the package krippendorff: pip install '.[review]' in aramega's clone"
        ) from None
    if (counts.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement=level))


def _square(tables: Numbers) -> Numbers:
    size = round(np.shape(tables)[-1] ** 0.5)
    square: Numbers = np.reshape(tables, (*np.shape(tables)[:-1], size, size))
    return square


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    """part / whole, and nan where there is nothing to divide by."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    ratio: Numbers = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.abs(whole) > 1e-12)
    return ratio


_FIGURES: Mapping[str, Callable[[Numbers], Numbers]] = {
    "wer": lambda sums: _ratio(sums[..., 0], sums[..., 1]),
    "cer": lambda sums: _ratio(sums[..., 2], sums[..., 3]),
    "chrf": lambda sums: chrf_from_counts(sums[..., 4:]),
    "same": share_of_same,
    "kappa": cohens_kappa,
}
"""Figures of a field, from its pairs' summed rows."""
