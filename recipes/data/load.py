"""Loads the examples of [data]: opens every dataset, checks it against the tasks, leaves out what can't serve.

What can't serve is of three kinds. A row may be without a summary, too long for the model or not verified:
it is left out and counted. A dataset may lack a split, as those for training only do: it gives no examples there, and
a note. A dataset may lack a column or hold labels that no inventory knows: that is a mistake in the configuration,
and an error that names the dataset, the thing and the way out.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recipes.data.adapters import ADAPTERS
from recipes.data.config import DataConfig, DatasetConfig
from recipes.data.examples import Example, Examples
from recipes.data.marks import spoils_recognition
from recipes.data.sources import DatasetSource, sample, with_measures, with_own_ids
from recipes.errors import NoSuchSplit, RecipeError
from recipes.tasks import Modality, Task, build_tasks
from recipes.tasks.classification import Classification
from recipes.tasks.languages import ARABIC, base_language

LONGER = 0.01
"""Seconds by which a clip may be longer than allowed: lengths are rounded on their way, and the model hears 10 ms frames."""


def load_examples(config: DataConfig, split: str, tasks: Mapping[str, Task] | None = None) -> Examples:
    """Every example of a split ("train", "validation" or "test"), dataset by dataset, task by task, row by row."""
    examples = load_split(config, split, tasks)
    if not examples:
        raise RecipeError(f"[data] has no {split} split. {' '.join(examples.notes)}")
    return examples


def load_split(config: DataConfig, split: str, tasks: Mapping[str, Task] | None = None) -> Examples:
    """Load a split that may be missing: a dataset without it gives no examples, and a note."""
    if not config.datasets:
        raise RecipeError("[data] names no datasets. Add at least one [[data.datasets]] table with a path.")
    tasks = tasks or build_tasks(config.tasks, config.task_options())
    sources: list[DatasetSource] = []
    items: list[Example] = []
    notes: list[str] = []
    taken: set[tuple[str, str, Modality]] = set()
    for number, dataset in enumerate(config.datasets):
        try:
            source = open_source(dataset, split)
        except NoSuchSplit as error:
            if split in dataset.splits:  # named in the configuration, so it is meant to be there
                raise
            sources.append(empty_source(dataset))
            notes.append(f"{sources[-1].name}: has no {split} split, so nothing of it is used there ({error})")
            continue
        served = _served(dataset, source, tasks)
        source = _named_apart(source, {(task.name, _modality(task, dataset)) for task in served}, taken)
        for task in served:
            fitting, left_out = _examples_of(task, source, config, number)
            if left_out["unknown label"]:
                raise _unknown_labels(task, source)
            if not fitting and dataset.tasks:
                raise RecipeError(
                    f"{source.name}: no row of its {len(source)} can serve {task.name} ({_counted(left_out)})."
                )
            items.extend(fitting)
            if note := _note(fitting, left_out, config):
                notes.append(f"{source.name}, {task.name}: {note}.")
        sources.append(source)
        if not any(item.dataset == number for item in items):
            raise RecipeError(f"{source.name}: no row of its {len(source)} can serve any task. {' '.join(notes)}")
    return Examples(sources, items, tasks, notes)


def open_source(config: DatasetConfig, split: str) -> DatasetSource:
    """Read one dataset's split, with ids, lengths and content keys."""
    if config.format not in ADAPTERS:
        close = difflib.get_close_matches(config.format, ADAPTERS, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise RecipeError(f"{config.path}: no format is called {config.format!r}.{hint} Known: {', '.join(ADAPTERS)}.")
    rows = with_own_ids(ADAPTERS[config.format](config, split))
    if config.limit:
        rows = sample(rows, config.limit, seed=config.split_seed)
    name = _name_of(config)
    if config.input == "text":
        rows = rows.remove_columns([c for c in rows.column_names if c == "audio"])
    return DatasetSource(name, with_measures(rows, name=name), config.labels, config.marks)


def _named_apart(
    source: DatasetSource, kinds: set[tuple[str, Modality]], taken: set[tuple[str, str, Modality]]
) -> DatasetSource:
    """Name the source apart from others of the same kind of examples: the second "set" becomes "set#2"."""
    name, number = source.name, 1
    while any((name, *kind) in taken for kind in kinds):
        number += 1
        name = f"{source.name}#{number}"
    taken.update((name, *kind) for kind in kinds)
    return replace(source, name=name)


def empty_source(config: DatasetConfig) -> DatasetSource:
    from datasets import Dataset

    return DatasetSource(_name_of(config), Dataset.from_dict({}), config.labels)


def _name_of(config: DatasetConfig) -> str:
    return "/".join(filter(None, (Path(config.path).name, config.configuration)))


def _served(config: DatasetConfig, source: DatasetSource, tasks: Mapping[str, Task]) -> list[Task]:
    """The tasks this dataset is for: those it names, or all that its columns allow."""
    unknown = [name for name in config.tasks if name not in tasks]
    if unknown:
        raise RecipeError(f"{source.name}: task {unknown[0]!r} is not among [data] tasks ({', '.join(tasks)}).")
    named = [tasks[name] for name in config.tasks]
    allowed = [task for task in tasks.values() if not _missing(task, config, source)]
    for task in named:
        if missing := _missing(task, config, source):
            raise RecipeError(
                f"{source.name}: task {task.name} needs column {missing[0]!r}. The dataset has: "
                f"{', '.join(source.column_names)}. If it is there under another name, say so: "
                f'columns = {{{missing[0]} = "…"}} under [[data.datasets]].'
            )
    if not (named or allowed):
        needs = "; ".join(f"{task.name}: {', '.join(_needed(task, config))}" for task in tasks.values())
        raise RecipeError(
            f"{source.name}: its columns ({', '.join(source.column_names)}) serve no task. Needed are {needs}. "
            "Map names with `columns` under [[data.datasets]]."
        )
    return named or allowed


def _needed(task: Task, config: DatasetConfig) -> tuple[str, ...]:
    if config.input == "text" and task.uses_audio:
        # ASR from text would be copying; every other task can read what it would have heard.
        return ("audio",) if task.name == "asr" else tuple(dict.fromkeys(("transcription", *task.columns)))
    return task.needed_columns


def _missing(task: Task, config: DatasetConfig, source: DatasetSource) -> list[str]:
    return [column for column in _needed(task, config) if column not in source.column_names]


def _examples_of(
    task: Task, source: DatasetSource, config: DataConfig, number: int
) -> tuple[list[Example], Counter[str]]:
    """The rows of a dataset as examples of one task, and how many were left out for what reason."""
    dataset = config.datasets[number]
    modality, language = _modality(task, dataset), _answer_language(task, dataset)
    examples: list[Example] = []
    left_out: Counter[str] = Counter()
    for i, columns in enumerate(source.all_columns()):
        seconds = 0.0 if modality == "text" else float(columns.get("seconds") or 0.0)
        long = seconds > config.max_seconds + LONGER
        if long and config.long_clips == "error":
            raise RecipeError(
                f"{source.name}, row {columns['id']}: {seconds:.1f} s, longer than [data] max_seconds = "
                f'{config.max_seconds:g}. Raise it if the model takes more, or set long_clips = "skip" or "cut".'
            )
        # What is said is the whole clip's: the transcript of a beginning is not known, its summary and its label are.
        cut = long and config.long_clips == "cut" and task.name != "asr"
        seconds = config.max_seconds if cut else seconds
        reasons = (*_missing_words(task, columns, modality, dataset, config), *_wrong_length(seconds, modality, config))
        if reasons:
            left_out[reasons[0]] += 1
            continue
        label = task.label_of(columns) or _stand_in(columns, seconds, source, modality, config)
        clip = "" if modality == "text" else str(columns.get("clip") or "")
        clip = f"{clip}, first {seconds:g} s" if cut else clip
        examples.append(
            Example(task.name, modality, label, source.name, seconds, clip, i, number, language=language, cut=cut)
        )
    return examples, left_out


def _missing_words(
    task: Task, columns: Mapping[str, Any], modality: Modality, dataset: DatasetConfig, config: DataConfig
) -> Iterator[str]:
    """Why a row's texts and labels can't serve."""
    value = columns.get(task.columns[-1])
    if value is None or not str(value).strip():
        yield f"empty {task.columns[-1]}"
    if modality == "text" and not str(columns.get("transcription") or "").strip():
        yield "empty transcription"
    if dataset.verified_only and not columns.get(f"verified_{task.columns[-1]}"):
        yield "not verified"
    if task.name == "asr" and spoils_recognition(columns, dataset.marks):
        yield "with words nobody understood"
    target = task.target_of(columns)
    if not target:
        yield "unknown label"
    if len(target) > config.max_target_chars:
        yield "target too long"


def _wrong_length(seconds: float, modality: Modality, config: DataConfig) -> Iterator[str]:
    if modality != "text" and seconds > config.max_seconds + LONGER:
        yield f"longer than {config.max_seconds:g} s"
    if modality != "text" and seconds < config.min_seconds:
        yield "too short"


def _modality(task: Task, dataset: DatasetConfig) -> Modality:
    if dataset.input == "text" or not task.uses_audio:
        return "text"
    return "speech" if base_language(dataset.language) == ARABIC else "foreign"


def _answer_language(task: Task, dataset: DatasetConfig) -> str:
    """What a row's target is written in: a transcript in the language spoken, a summary where its dataset says so."""
    spoken = task.name == "asr" or not dataset.answer_language
    return base_language(dataset.language if spoken else dataset.answer_language)


def _stand_in(
    columns: Mapping[str, Any], seconds: float, source: DatasetSource, modality: Modality, config: DataConfig
) -> str:
    """The class by which a generative example is balanced: its length band or its dataset."""
    if config.generative_label == "source":
        return source.name
    # Arabic is spoken at about 12 characters a second, which makes text and speech bands comparable.
    length = len(str(columns.get("transcription") or "")) / 12 if modality == "text" else seconds
    edges = (0.0, *config.length_bands)
    band = max(i for i, edge in enumerate(edges) if length >= edge)
    return f"{edges[band]:g}-{edges[band + 1]:g}s" if band + 1 < len(edges) else f"{edges[band]:g}s+"


def _unknown_labels(task: Task, source: DatasetSource) -> RecipeError:
    """The error for a label that the inventory doesn't know, with the lines to add."""
    assert isinstance(task, Classification)  # only inventories can fail to know a label
    labels = [str(columns.get(task.columns[0]) or "").strip() for columns in source.all_columns()]
    strange, times = Counter(s for s in labels if s and task.inventory.find(s) is None).most_common(1)[0]
    near = task.inventory.nearest(strange) or task.inventory.codes[0]
    return RecipeError(
        f"{source.name}: {times} rows have {task.name} {strange!r}, which the inventory doesn't know "
        f"({', '.join(task.inventory.codes)}). If it means {near}: labels = {{{strange!r} = {near!r}}} under "
        f'[[data.datasets]], or "" in place of {near} to leave such rows out. If it is a class of its own, list '
        f"your labels under [[data.{task.name}s]]."
    )


def _note(examples: Sequence[Example], left_out: Counter[str], config: DataConfig) -> str:
    """A note of the rows that are left out or changed; empty where there are none."""
    cut = sum(example.cut for example in examples)
    parts = [f"{cut} cut to their first {config.max_seconds:g} s"] if cut else []
    parts += [f"left out: {_counted(left_out)}"] if left_out else []
    return "; ".join([f"{len(examples)} examples", *parts]) if parts else ""


def _counted(left_out: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.most_common())
