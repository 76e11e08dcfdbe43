"""The reference of columns: every column of every configuration, as a page of the documentation.

python -m aramega.publish.reference > docs/reference/columns.md
"""

from __future__ import annotations

from collections.abc import Iterator

from aramega.publish.columns import TYPE_NAMES
from aramega.publish.configurations import CONFIGURATIONS, Configuration

HEAD = """# Columns of a published dataset

Made by `python -m aramega.publish.reference` from `aramega/publish/rows.py`. What is unknown is null. A change of a
column is called by the last word of its line in changelogs and in `aramega diff`."""


def columns_page() -> str:
    """The page as Markdown."""
    return "\n\n".join([HEAD, *map(_section, CONFIGURATIONS.values())]) + "\n"


def _section(configuration: Configuration) -> str:
    view = f" A view of the files of `{configuration.view_of}`." if configuration.view_of else ""
    head = f"## `{configuration.name}`\n\nA row is: {configuration.help}.{view}"
    return "\n".join([head, "", "| column | type | holds | change |", "|---|---|---|---|", *_lines(configuration)])


def _lines(configuration: Configuration) -> Iterator[str]:
    for column in configuration.columns:
        yield f"| `{column.name}` | {TYPE_NAMES[column.kind]} | {column.help} | {column.group} |"


if __name__ == "__main__":
    print(columns_page(), end="")  # noqa: T201
