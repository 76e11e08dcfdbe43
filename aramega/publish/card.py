"""The card: facts gathered from what was published, words from `hub_cards/dataset.md.j2`.

Nothing is typed in here that the data could tell, and what nobody told is said to be unknown. The header is
made by huggingface_hub, so that the Hub and `datasets` read from it what they read from any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aramega.publish.columns import TYPE_NAMES, card_feature
from aramega.publish.configurations import Configuration
from aramega.publish.pictures import Bars, draw_bars
from aramega.publish.plan import Plan
from aramega.publish.rows import PassageRow
from aramega.publish.splits import SPLITS
from aramega.publish.statistics import BIN, UNKNOWN, Statistics, used
from aramega.publish.tables import passage_rows
from aramega.publish.versions import Release
from aramega.records import AramegaError
from aramega.workspace import whole_file

README = "README.md"
EXAMPLES = 3
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True)
class CardFacts:
    """All that the template speaks of."""

    name: str
    plan: Plan
    release: Release
    counts: Mapping[str, Mapping[str, int]]
    """Rows by configuration and split."""
    sizes: Mapping[str, int]
    splits: Mapping[str, Statistics]


def write_card(folder: Path, facts: CardFacts) -> None:
    """README.md and the pictures it shows."""
    from huggingface_hub import DatasetCard, DatasetCardData

    for name, picture in pictures(facts).items():
        with whole_file(folder / "assets" / name) as part:
            part.write_text(picture, encoding="utf-8")
    data = DatasetCardData(**header(facts))
    card = DatasetCard.from_template(data, template_path=str(template_path()), **words(facts))
    with whole_file(folder / README) as part:
        card.save(part)


def header(facts: CardFacts) -> dict[str, Any]:
    """The YAML header: what the Hub files the set under and how `datasets` reads it."""
    plan = facts.plan
    configurations = plan.configurations()
    rows = max((sum(counts.values()) for counts in facts.counts.values()), default=0)
    verified = _is_verified(facts.splits.values())
    return {
        "language": ["ar"],
        "license": plan.licence,
        "license_name": None if plan.licence.startswith("cc") or plan.licence in (UNKNOWN, "other") else plan.licence,
        "pretty_name": plan.options.title or facts.name.rpartition("/")[2],
        "task_categories": list(
            dict.fromkeys(task for configuration in configurations for task in configuration.tasks)
        ),
        "size_categories": [next((name for limit, name in SIZES if rows < limit), "n>1M")],
        "annotations_creators": ["machine-generated", *(["expert-generated"] if plan.options.annotators else [])],
        "multilinguality": ["monolingual"],
        "source_datasets": ["original"],
        "tags": ["audio", "arabic", "speech-summarization", "broadcast", "aramega"]
        + (["human-reviewed"] if verified else []),
        "configs": [_data_files(configuration, facts) for configuration in configurations],
        "dataset_info": [_info(configuration, facts) for configuration in configurations],
    }


def _data_files(configuration: Configuration, facts: CardFacts) -> dict[str, Any]:
    source = configuration.view_of or configuration.name
    files = [
        {"split": split, "path": f"{source}/{split}-*"} for split in SPLITS if split in facts.counts[configuration.name]
    ]
    entry: dict[str, Any] = {"config_name": configuration.name, "data_files": files}
    if configuration.name == "ssum":
        entry["default"] = True
    if configuration.view_of:
        # A view: `datasets` reads these columns of the other's files, and the rows that have the label.
        entry |= {"columns": list(configuration.names), "filters": [[[configuration.label, ">=", 0]]]}
    return entry


def _info(configuration: Configuration, facts: CardFacts) -> dict[str, Any]:
    source = configuration.view_of or configuration.name
    sizes = {
        split: sum(size for name, size in facts.sizes.items() if name.startswith(f"{source}/{split}-"))
        for split in facts.counts[configuration.name]
    }
    return {
        "config_name": configuration.name,
        "features": [card_feature(column, facts.plan.inventories) for column in configuration.columns],
        "splits": [
            {"name": split, "num_bytes": sizes[split], "num_examples": rows}
            for split, rows in facts.counts[configuration.name].items()
        ],
        "download_size": sum(sizes.values()),
        "dataset_size": sum(sizes.values()),
    }


def words(facts: CardFacts) -> dict[str, Any]:
    """What the template's sentences and tables are filled with."""
    from aramega.version import __version__

    plan = facts.plan
    splits = {name: statistics for name, statistics in facts.splits.items() if statistics.passages}
    return {
        "name": facts.name,
        "title": plan.options.title or facts.name.rpartition("/")[2],
        "options": plan.options,
        "release": facts.release,
        "aramega": __version__,
        "licence": plan.licence,
        "licences": {name: len(who) for name, who in sorted(plan.selection.licences.items())},
        "configurations": [_in_brief(configuration, facts) for configuration in plan.configurations()],
        "columns": {configuration.name: configuration.columns for configuration in plan.configurations()},
        "type_names": TYPE_NAMES,
        "splits": splits,
        **_summed_up(splits),
        "agreement": agreement_in_brief(plan),
        "left_out": {reason: n for reason, n in sorted(plan.funnel.items(), key=lambda f: -f[1]) if reason and n},
        "examples": examples(plan),
        "first": next(iter(splits), "train"),
    }


def _in_brief(configuration: Configuration, facts: CardFacts) -> dict[str, Any]:
    """A configuration's line in the table of what is in the set."""
    folder = f"{configuration.name}/"
    return {
        "name": configuration.name,
        "help": configuration.help,
        "counts": facts.counts[configuration.name],
        "view_of": configuration.view_of,
        "bytes": sum(size for name, size in facts.sizes.items() if name.startswith(folder)),
    }


def _summed_up(splits: Mapping[str, Statistics]) -> dict[str, Any]:
    """What is counted over all splits."""
    counted = splits.values()
    return {
        "hours": sum(statistics.hours for statistics in counted),
        "passages": sum(statistics.passages for statistics in counted),
        "dialects": _by_hours(splits, "dialects"),
        "emotions": _by_hours(splits, "emotions"),
        "years": _totals(splits, "years"),
        "asr_models": list(used(splits, "models")),
        "summary_models": list(used(splits, "summarizers")),
        "prompts": list(used(splits, "prompts")),
        "verified": _is_verified(counted),
    }


def _is_verified(splits: Iterable[Statistics]) -> bool:
    """Whether a person stands behind anything in them."""
    return any(times for statistics in splits for times in statistics.verified.values())


def agreement_in_brief(plan: Plan) -> dict[str, Any]:
    """How far annotators agree, over all passages that the set was chosen from, rejected ones too: of the published
    ones alone there would be hardly a rejection to disagree on."""
    peers = plan.selection.peers
    return {
        "annotators": len(peers.annotators),
        "reviews": peers.reviews,
        "passages": len(peers.shared),
        **{name: peers.measure(name, "same") for name in ("verdict", "dialect", "emotion")},
        "transcript": peers.measure("transcript", "cer"),
    }


def pictures(facts: CardFacts) -> dict[str, str]:
    """By file name."""
    splits = facts.splits
    bars = sorted({place for statistics in splits.values() for place in statistics.lengths})
    lengths: Bars = [
        (
            f"{place * BIN}–{(place + 1) * BIN} s",
            {name: statistics.lengths[place] for name, statistics in splits.items()},
        )
        for place in range(bars[0], bars[-1] + 1)
    ]
    drawn = {"lengths.svg": draw_bars("Passages by length", lengths, "passages")}
    for what in ("dialects", "emotions"):
        labels = _by_hours(splits, what)
        hours: Bars = [
            (label, {name: getattr(statistics, what)[label] / 3600 for name, statistics in splits.items()})
            for label in labels
        ]
        drawn[f"{what}.svg"] = draw_bars(f"Hours by {what.removesuffix('s')}", hours, "h")
    return drawn


def examples(plan: Plan) -> list[PassageRow]:
    """A few rows to read, from the first split that has any: those with a summary, verified ones first."""
    passages = next((plan.rows[split] for split in SPLITS if plan.rows[split]), ())
    summarized = (passage for passage in passages if passage.summarized)
    chosen = sorted(summarized, key=lambda passage: not passage.verified)[:EXAMPLES]
    rows = passage_rows()
    return list(plan.selection.cache.read(rows, (passage.number for passage in chosen), rows.kind))


def template_path() -> Path:
    """The template beside a checkout, or inside the installed package."""
    package = Path(__file__).parents[1]
    for folder in (package.parent / "hub_cards", package / "hub_cards"):
        if (folder / "dataset.md.j2").is_file():
            return folder / "dataset.md.j2"
    raise AramegaError(f"hub_cards/dataset.md.j2 is not beside {package}: install aramega again.")


def _by_hours(splits: Mapping[str, Statistics], what: str) -> list[str]:
    """Labels, the commonest first, the unknown last."""
    seconds = _totals(splits, what)
    return sorted(seconds, key=lambda label: (label == UNKNOWN, -seconds[label], label))


def _totals(splits: Mapping[str, Statistics], what: str) -> dict[str, float]:
    labels: Iterable[str] = sorted({label for statistics in splits.values() for label in getattr(statistics, what)})
    return {label: sum(getattr(statistics, what)[label] for statistics in splits.values()) for label in labels}
