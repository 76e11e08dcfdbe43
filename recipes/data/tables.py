"""Tables: a dataset's rows read, its columns renamed to ours, and split where it has no splits of its own.

A split that a dataset lacks is made by a hash of the speaker (or of the file), so no speaker is on both sides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.data.config import DatasetConfig
from recipes.errors import NoSuchSplit, RecipeError

if TYPE_CHECKING:
    from datasets import Dataset

Rows = Iterable[dict[str, Any]]
AUDIO_FILES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff"}


def load_table(config: DatasetConfig, split: str) -> Dataset:
    """A dataset on the Hub, a folder `load_dataset` reads, or one that `save_to_disk` wrote."""
    import datasets

    wanted, path = config.splits.get(split, split), Path(config.path)
    try:
        if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
            saved = datasets.load_from_disk(config.path)
            loaded = saved if isinstance(saved, datasets.Dataset) else saved[wanted]
        else:
            source = (str(path.suffix[1:].replace("jsonl", "json")), {wanted: config.path}) if path.is_file() else None
            loaded = datasets.load_dataset(
                source[0] if source else config.path,
                config.configuration or None,
                data_files=source[1] if source else None,
                split=wanted,
                revision=config.revision or None,
            )
    except (FileNotFoundError, KeyError, ValueError, ConnectionError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        # What `datasets` raises for a split that a dataset lacks: from the Hub and files, and from a saved folder.
        lacking = isinstance(error, KeyError) or reason.startswith("Unknown split")
        raise (NoSuchSplit if lacking else RecipeError)(
            f"{config.path}: can't load configuration {config.configuration or 'default'!r}, split {wanted!r}: {reason} "
            "Check `path`, `configuration` and `splits` under [[data.datasets]]."
        ) from None
    return undecoded_audio(loaded)


def undecoded_audio(rows: Dataset) -> Dataset:
    """Audio columns as bytes or paths, so that no decoder is needed to read the rest."""

    import datasets

    audio_columns = [name for name, kind in rows.features.items() if isinstance(kind, datasets.Audio)]
    for name in audio_columns:
        rows = rows.cast_column(name, datasets.Audio(decode=False))
    return rows


def table_of_rows(rows: Rows, config: DatasetConfig) -> Dataset:
    """A dataset of these rows; a column that some rows lack is None there."""

    import datasets

    listed = list(rows)
    if not listed:
        raise NoSuchSplit(f"{config.path}: no rows in this split. Check `splits` under [[data.datasets]].")
    columns = dict.fromkeys(name for row in listed for name in row)
    table = datasets.Dataset.from_dict({name: [row.get(name) for row in listed] for name in columns})
    return table.cast_column("audio", datasets.Audio(decode=False)) if "audio" in columns else table


def rename_columns(rows: Dataset, config: DatasetConfig, names: dict[str, str] | None = None) -> Dataset:
    """Give columns our names. `names` says which column of the dataset is which of ours; the config overrules it."""
    for ours, theirs in {**(names or {}), **config.columns}.items():
        if theirs not in rows.column_names and ours in config.columns and ours not in rows.column_names:
            raise RecipeError(
                f"{config.path}: no column {theirs!r} to read {ours} from. It has: {', '.join(rows.column_names)}."
            )
        if theirs in rows.column_names and ours != theirs:
            rows = rows.remove_columns([c for c in rows.column_names if c == ours]).rename_column(theirs, ours)
    return rows


def split_table(config: DatasetConfig, split: str) -> Path | None:
    """The .tsv of a split in an unpacked archive, where `validation` is called dev."""
    folder = Path(config.path)
    wanted = config.splits.get(split, {"validation": "dev"}.get(split, split))
    if not folder.is_dir() or not list(folder.glob("*.tsv")):
        return None
    if not (table := folder / f"{wanted}.tsv").is_file():
        raise NoSuchSplit(
            f"{folder}: no {wanted}.tsv. It has: {', '.join(sorted(f.name for f in folder.glob('*.tsv')))}."
        )
    return table


def existing_path(config: DatasetConfig) -> Path:
    """The dataset's path, which must be there."""
    if not (path := Path(config.path)).exists():
        raise RecipeError(f"{config.path}: no such file or folder. The {config.format} format reads from disk.")
    return path


def audio_files(folder: Path) -> list[Path]:
    """All audio files below a folder, sorted."""
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in AUDIO_FILES)


def rows_of_split(rows: Rows, config: DatasetConfig, split: str, group: str) -> Iterator[dict[str, Any]]:
    """The rows whose `group` (their speaker, or else themselves) falls into this split."""
    for row in rows:
        if split_of(str(row.get(group) or row["id"]), shares=config.shares, seed=config.split_seed) == split:
            yield row


def split_of(group: str, *, shares: tuple[float, float, float], seed: int = 0) -> str:
    """The split that a group falls into, decided by its hash: more data never moves old rows."""
    digest = hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=4).digest()
    place = int.from_bytes(digest, "big") / 2**32
    return "train" if place < shares[0] else "validation" if place < shares[0] + shares[1] else "test"
