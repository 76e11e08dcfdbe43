"""Adapters: how each kind of dataset becomes rows under our column names. A few lines each.

| format | reads | what it expects |
|---|---|---|
| `published` | aramega's own datasets, a configuration each; Mega-SSum has the same columns | `load_dataset` or a saved folder |
| `mega-ssum` | Mega-SSum and its like | audio, transcription, summary |
| `common-voice` | Mozilla Common Voice, on the Hub or as its archive unpacks | `{split}.tsv` beside `clips/` |
| `fleurs` | FLEURS, on the Hub or as its files unpack | `{split}.tsv` beside `audio/{split}/` |
| `manifest` | MGB-2-like lists, NeMo's manifests | JSON lines: audio_filepath, text, duration, offset |
| `adi17` | ADI-17 and its like | audio with a country code, or a folder per country code |
| `index-csv` | a folder with `index.csv` | a `path` column; the rest as it is named |
| `speech-commands` | Arabic Speech Commands | `index.csv`: path, text, keyword, speaker, split |
| `baved` | BAVED (levels of emotion) | `index.csv`, or its own file names |
| `ksu-emotions` | KSUEmotions | emotion as `E00`…`E05` in the file name |
| `file-names` | anything labelled by file name | `filename_pattern` with named groups |

A new kind is a function from a DatasetConfig and a split to rows, under `@adapter("name")`; it raises NoSuchSplit
where the dataset is there and the split is not. `tables.py` has what adapters share.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.data.config import DatasetConfig
from recipes.data.tables import (
    Rows,
    audio_files,
    existing_path,
    load_table,
    rename_columns,
    rows_of_split,
    split_table,
    table_of_rows,
)
from recipes.errors import NoSuchSplit, RecipeError

if TYPE_CHECKING:
    from datasets import Dataset

Adapter = Callable[[DatasetConfig, str], "Dataset"]
ADAPTERS: dict[str, Adapter] = {}

BAVED_NAME = r"(?P<speaker>\d+)-(?P<gender>[mf])-(?P<age>\d+)-(?P<word>\d)-(?P<emotion>[012])-\d+"
BAVED_WORDS = {"0": "أعجبني", "1": "لم يعجبني", "2": "هذا", "3": "الفيلم", "4": "رائع", "5": "مقبول", "6": "سيئ"}
BAVED_LEVELS = {"0": "low", "1": "normal", "2": "high"}
KSU_NAME = r".*?(?P<emotion>E\d\d).*"
KSU_EMOTIONS = {
    "E00": "neutral",
    "E01": "happy",
    "E02": "sad",
    "E03": "surprised",
    "E04": "questioning",
    "E05": "angry",
}


def adapter(name: str) -> Callable[[Adapter], Adapter]:
    def add(function: Adapter) -> Adapter:
        ADAPTERS[name] = function
        return function

    return add


@adapter("published")
@adapter("mega-ssum")
def read_published(config: DatasetConfig, split: str) -> Dataset:
    return rename_columns(load_table(config, split), config)


@adapter("common-voice")
def read_common_voice(config: DatasetConfig, split: str) -> Dataset:
    names = {"transcription": "sentence", "speaker": "client_id"}
    if not (table := split_table(config, split)):
        return rename_columns(load_table(config, split), config, names)
    rows = csv.DictReader(table.open(encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)
    clips = ({**row, "id": row["path"], "audio": str(table.parent / "clips" / row["path"])} for row in rows)
    return rename_columns(table_of_rows(clips, config), config, names)


@adapter("fleurs")
def read_fleurs(config: DatasetConfig, split: str) -> Dataset:
    if not (table := split_table(config, split)):
        return rename_columns(load_table(config, split), config)
    names = ("sentence", "file", "raw_transcription", "transcription", "words", "num_samples", "gender")
    rows = csv.DictReader(table.open(encoding="utf-8"), names, delimiter="\t", quoting=csv.QUOTE_NONE)
    clips = (
        {**row, "id": row["file"], "audio": str(table.parent / "audio" / table.stem / row["file"])} for row in rows
    )
    return rename_columns(table_of_rows(clips, config), config)


@adapter("manifest")
def read_manifest(config: DatasetConfig, split: str) -> Dataset:
    """Paths are relative to the manifest. `offset` makes a segment of a long file, as in MGB-2."""
    path = existing_path(config)
    file = path if path.is_file() else path / f"{config.splits.get(split, split)}.jsonl"
    if not file.is_file():
        kind = NoSuchSplit if any(path.glob("*.jsonl")) else RecipeError
        raise kind(f"{file}: no such manifest. Name the file itself, or give {path} a {split}.jsonl.")
    names = {"audio_filepath": "audio", "text": "transcription", "duration": "seconds", "offset": "start"}

    def rows() -> Iterator[dict[str, Any]]:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                row = {names.get(key, key): value for key, value in json.loads(line).items()}
            except (ValueError, AttributeError) as error:
                raise RecipeError(f"{file}, line {number}: not a JSON object ({error}).") from None
            if "audio" in row:
                row["audio"] = str(file.parent / row["audio"])
            yield {"id": str(number), **row}

    return rename_columns(table_of_rows(rows(), config), config)


@adapter("adi17")
def read_adi17(config: DatasetConfig, split: str) -> Dataset:
    """A country for each clip: a column on the Hub, the name of the folder on disk."""
    path = Path(config.path)
    if not path.is_dir() or (path / "README.md").is_file() or list(path.rglob("*.parquet")):
        rows = load_table(config, split)
        label = next((name for name in ("dialect", "country", "label") if name in rows.column_names), "dialect")
        return rename_columns(rows, config, {"dialect": label})
    inside = path / config.splits.get(split, split)
    folder = inside if inside.is_dir() else path
    rows = (
        {"id": f.stem, "audio": str(f), "dialect": f.parent.name, "recording": f.stem[:11]} for f in audio_files(folder)
    )
    # ADI-17 cuts YouTube videos and names clips by the video's eleven-character id: the group that must not be split.
    return rename_columns(
        table_of_rows(rows if folder is inside else rows_of_split(rows, config, split, "recording"), config), config
    )


@adapter("index-csv")
def read_index(config: DatasetConfig, split: str) -> Dataset:
    """A folder's `index.csv`; without a `split` column its speakers are divided."""
    folder = existing_path(config)
    index = folder if folder.is_file() else folder / "index.csv"
    if not index.is_file():
        raise RecipeError(f"{folder}: no index.csv in it. The {config.format} format needs one, with a path column.")
    with index.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    if not table or "path" not in table[0]:
        raise RecipeError(f"{index}: needs rows and a path column, has {', '.join(table[0]) if table else 'no rows'}.")
    rows: Rows = (
        {**row, "id": Path(row["path"]).as_posix(), "audio": str(index.parent / row["path"])} for row in table
    )
    if "split" in table[0]:
        wanted = config.splits.get(split, split)
        rows = (row for row in rows if row["split"] == wanted)
    else:
        rows = rows_of_split(rows, config, split, "speaker")
    return rename_columns(table_of_rows(rows, config), config)


@adapter("speech-commands")
def read_speech_commands(config: DatasetConfig, split: str) -> Dataset:
    return rename_columns(read_index(config, split), config, {"transcription": "text"})


@adapter("baved")
def read_baved(config: DatasetConfig, split: str) -> Dataset:
    if (Path(config.path) / "index.csv").is_file():
        rows = read_index(config, split)
        named = rename_columns(rows, config, {"transcription": "text", "emotion": "emotion_level"})
        return named.map(_baved_level, input_columns=["emotion"])
    return _by_file_name(config, split, config.filename_pattern or BAVED_NAME, _baved_row)


@adapter("ksu-emotions")
def read_ksu_emotions(config: DatasetConfig, split: str) -> Dataset:
    """The codes follow the corpus's documentation as we know it: check them against your copy. `labels` overrides them."""

    def labelled(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "emotion": KSU_EMOTIONS.get(row["emotion"], row["emotion"])}

    return _by_file_name(config, split, config.filename_pattern or KSU_NAME, labelled)


@adapter("file-names")
def read_file_names(config: DatasetConfig, split: str) -> Dataset:
    if not config.filename_pattern:
        raise RecipeError(
            f"{config.path}: format file-names needs filename_pattern, such as '(?P<speaker>\\w+)_(?P<emotion>\\w+)'."
        )
    return _by_file_name(config, split, config.filename_pattern, lambda row: row)


def _by_file_name(
    config: DatasetConfig, split: str, pattern: str, finish: Callable[[dict[str, Any]], dict[str, Any]]
) -> Dataset:
    """Rows from the names of audio files: each named group of `pattern` is a column, and `finish` completes the row."""
    folder, shape = existing_path(config), re.compile(pattern)
    files = list(audio_files(folder))
    matches = [(file, shape.fullmatch(file.stem)) for file in files]
    if not any(match for _, match in matches):
        example = f" (first: {files[0].name})" if files else ""
        raise RecipeError(f"{folder}: none of its {len(files)} audio files is named like {pattern}{example}.")
    rows = ({"id": f.stem, "audio": str(f), **match.groupdict()} for f, match in matches if match)
    return rename_columns(table_of_rows(map(finish, rows_of_split(rows, config, split, "speaker")), config), config)


def _baved_level(level: Any) -> dict[str, Any]:
    return {"emotion": BAVED_LEVELS.get(str(level), str(level))}


def _baved_row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **_baved_level(row["emotion"]), "transcription": BAVED_WORDS.get(row["word"])}
