"""Verify: what is loaded back is compared row by row, and whatever differs is named."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aramega.config.publish import CONFIGURATIONS
from aramega.publish.verify import verify
from aramega.publish.versions import read_version
from aramega.records import AramegaError
from tests.publish.sets import a_set, publish_to, resolve


@pytest.fixture
def published(tmp_path):
    workspace = a_set(tmp_path / "w", recordings=3)
    resolve(workspace)
    publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS)
    return tmp_path / "set"


def checked(folder):
    return verify(read_version(folder, str(folder)), str(folder))


def tamper(folder, name: str, change) -> None:
    """Rewrite a shard with one table changed."""
    (path,) = folder.glob(f"{name}/train-*.parquet")
    table = pq.read_table(path)
    pq.write_table(change(table), path)


def test_what_was_published_is_what_is_loaded_in_every_configuration(published):
    looked = checked(published)
    assert looked.rows == 3 * 2 * (1 + 2 + 1 + 1 + 1 + 1)  # ssum, two segments each in asr, dialect, emotion, text, raw
    assert looked.decoded == 6 + 12 + 6 + 6


def test_a_row_that_is_missing_is_noticed(published):
    tamper(published, "text_summ", lambda table: table.slice(1))
    with pytest.raises(AramegaError, match="text_summ/train: 5 rows in place of 6"):
        checked(published)


@pytest.mark.parametrize(
    ("name", "column", "says"), [("ssum", "summary", "summary"), ("asr", "transcription", "trans")]
)
def test_a_text_that_was_changed_is_noticed(published, name, column, says):
    def change(table: pa.Table) -> pa.Table:
        texts = ["شيء آخر", *table[column].to_pylist()[1:]]
        return table.set_column(table.column_names.index(column), column, pa.array(texts))

    tamper(published, name, change)
    with pytest.raises(AramegaError, match=f"{name}/train: .* differs in {says}"):
        checked(published)


def test_audio_that_is_another_s_is_noticed(published):
    def change(table: pa.Table) -> pa.Table:
        cells = table["audio"].to_pylist()
        cells[0] = {**cells[0], "bytes": cells[1]["bytes"][:-1] + b"?"}
        return table.set_column(
            table.column_names.index("audio"), "audio", pa.array(cells, table.schema.field("audio").type)
        )

    tamper(published, "ssum", change)
    with pytest.raises(AramegaError, match=r"the audio of .* is not the clip it says"):
        checked(published)
