"""Guidelines: turns the annotators' guidelines, in markdown, into right-to-left HTML for Label Studio's instructions.

Label Studio's page takes margins, bullets and numbers from every tag, and inline styles from what it is given, so
that spaces and bullets are written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aramega.labelstudio.form import annotation_folder

if TYPE_CHECKING:
    from markdown_it.token import Token

_SPACED = {"paragraph_close", "bullet_list_close", "ordered_list_close", "table_close", "heading_close"}


def instructions() -> str:
    """The Arabic guidelines, with the English ones below; empty where this installation has none."""
    pages = [
        f'<div dir="{direction}">{html}</div>'
        for language, direction in (("ar", "rtl"), ("en", "ltr"))
        if (html := _page(language))
    ]
    return "<br><hr><br>".join(pages)


def _page(language: str) -> str:
    from markdown_it import MarkdownIt

    path = annotation_folder() / f"guidelines.{language}.md"
    if not path.exists():
        return ""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(path.read_text(encoding="utf-8"))
    _write_out_bullets(tokens)
    return "".join(
        str(reader.renderer.render([token], reader.options, {})) + ("<br>" if _is_spaced(token) else "")
        for token in tokens
    )


def _write_out_bullets(tokens: Sequence[Token]) -> None:
    """Put the bullet or number that a list's item should have before its words."""
    for i, token in enumerate(tokens):
        if token.type == "list_item_open":
            words = next(t for t in tokens[i:] if t.type == "inline")
            mark = f"{token.info}. " if token.info else "• "
            if words.children and words.children[0].type == "text":
                words.children[0].content = mark + words.children[0].content
            elif words.children:
                words.children.insert(0, type(token)("text", "", 0, content=mark))
        if token.type == "table_open":
            token.attrSet("border", "1")
            token.attrSet("cellpadding", "6")


def _is_spaced(token: Token) -> bool:
    return token.type in _SPACED and token.level == 0
