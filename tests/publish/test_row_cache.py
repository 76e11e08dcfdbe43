"""The row cache gives back what was added, in any order of numbers, by record and by column, whatever the batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aramega.config.publish import CONFIGURATIONS
from aramega.publish.card import EXAMPLES
from aramega.publish.row_cache import BATCH, ColumnReader, RowCache, RowCacheWriter, Table, remove_cache
from tests.publish.sets import a_set, publish_to


@dataclass(frozen=True)
class Word:
    text: str
    count: int | None
    loud: bool
    forms: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    text: str


WORDS = Table("words", Word)
COUNT = 2 * BATCH + 7


def word(number: int) -> Word:
    return Word(f"كلمة {number}", number if number % 3 else None, number % 2 == 0, (str(number),) * (number % 3))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> RowCache:
    folder = tmp_path_factory.mktemp("cache") / "rows.part"
    with RowCacheWriter(folder) as writer:
        for number in range(COUNT):
            assert writer.count(WORDS) == number
            writer.add(WORDS, word(number))
    return RowCache(folder)


@settings(deadline=None, max_examples=30)
@given(numbers=st.lists(st.integers(0, COUNT - 1), max_size=30))
def test_records_come_back_in_the_order_they_are_asked_for(cache: RowCache, numbers: list[int]) -> None:
    assert list(cache.read(WORDS, numbers, Word)) == [word(number) for number in numbers]
    assert list(cache.read(WORDS, numbers, Text)) == [Text(f"كلمة {number}") for number in numbers]


@settings(deadline=None, max_examples=30)
@given(steps=st.lists(st.integers(1, BATCH + 1), min_size=1, max_size=6))
def test_columns_are_read_as_many_rows_at_a_time_as_the_reader_likes(cache: RowCache, steps: list[int]) -> None:
    reader = ColumnReader(cache.columns(WORDS, range(COUNT), ["text"]))
    tables = [reader.read(rows) for rows in steps]
    read = list(chain.from_iterable(table.column("text").to_pylist() for table in tables if table is not None))
    assert read == [f"كلمة {number}" for number in range(min(sum(steps), COUNT))]


def test_a_table_in_step_with_another_may_have_nothing_under_a_number(tmp_path: Path) -> None:
    with RowCacheWriter(tmp_path / "rows.part") as writer:
        writer.add(WORDS, None)
        writer.add(WORDS, word(1))
    nothing, something = RowCache(tmp_path / "rows.part").read(WORDS, [0, 1], Word)
    assert nothing.text is None
    assert something == word(1)


def test_a_new_cache_takes_the_place_of_what_a_killed_run_of_any_version_left(tmp_path: Path) -> None:
    place = tmp_path / "rows.part"
    place.write_text('{"passage": {}}\n')  # what older versions kept was one file
    for _ in range(2):
        with RowCacheWriter(place) as writer:
            writer.add(WORDS, word(1))
    assert list(RowCache(place).read(WORDS, [0], Word)) == [word(1)]
    remove_cache(place)
    assert not place.exists()


def test_a_published_row_is_encoded_once_and_read_as_a_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: Counter[str] = Counter()
    read: Counter[str] = Counter()
    add, read_records = RowCacheWriter.add, RowCache.read

    def counted_add(self: RowCacheWriter, table: Table[Any], record: object) -> None:
        added[table.name] += 1
        add(self, table, record)

    def counted_read(self: RowCache, table: Table[Any], numbers: Iterable[int], kind: type) -> Iterator[Any]:
        for record in read_records(self, table, numbers, kind):
            read[table.name] += 1
            yield record

    monkeypatch.setattr(RowCacheWriter, "add", counted_add)
    monkeypatch.setattr(RowCache, "read", counted_read)
    workspace = a_set(tmp_path / "w", recordings=4)
    made = publish_to(workspace, tmp_path / "set", configurations=CONFIGURATIONS, test_verified_only=False)
    passages = len(made.plan.selection.passages)
    segments = sum(passage.segments for passage in made.plan.selection.passages)
    assert (added["passage-rows"], added["raw-rows"], added["segment-rows"]) == (passages, passages, segments)
    assert read["passage-rows"] == passages + EXAMPLES  # the statistics read all, the card a few
    assert read["raw-rows"] == passages  # their drafts only
    assert read["segment-rows"] == segments  # their times only
