"""Columns: a field of a row is all that a column needs to be in the files, the index, the card, the desk and the docs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aramega.desk import open_library
from aramega.publish.columns import column
from aramega.publish.configurations import CONFIGURATIONS
from aramega.publish.reference import columns_page
from aramega.publish.rows import ROW_TYPES, PassageRow
from tests.publish.sets import a_set, publish_to

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class WithWordCount(PassageRow):
    word_count: float = column(
        "float64",
        "how many words are said",
        lambda stretch: float(len(stretch.text.split())),
        group="transcription",
        only_in=("ssum", "text_summ"),
        desk=6,
    )


def test_a_new_column_is_in_the_files_the_index_the_card_the_desk_and_the_docs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = a_set(tmp_path / "w", recordings=2)
    publish_to(workspace, tmp_path / "set")
    monkeypatch.setattr(ROW_TYPES, "passage", WithWordCount)
    made = publish_to(workspace, tmp_path / "set")

    for name in ("ssum", "text_summ"):
        [shard] = (tmp_path / "set" / name).glob("train-*.parquet")
        assert pq.read_table(shard)["word_count"].to_pylist() == [24.0] * 4
        assert made.changes[name].in_what() == {"transcription": 4}
    assert "word_count" not in CONFIGURATIONS["dialect"].names
    assert "| `word_count` | number | how many words are said |" in (tmp_path / "set/README.md").read_text("utf-8")
    assert "| `word_count` | number | how many words are said | transcription |" in columns_page()
    for place in (tmp_path / "set", workspace.root):
        assert {entry.about[-1] for entry in open_library(place).entries(tmp_path)} == {"24.0"}


def test_the_page_of_columns_is_the_one_that_the_rows_make() -> None:
    assert (DOCS / "reference" / "columns.md").read_text(encoding="utf-8") == columns_page(), (
        "run: python -m aramega.publish.reference > docs/reference/columns.md"
    )
