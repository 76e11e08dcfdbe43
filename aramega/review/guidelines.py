"""The annotators' guidelines as Label Studio's instructions: markdown in, right-to-left HTML out."""

from __future__ import annotations

from aramega.review.form import annotation_folder


def instructions() -> str:
    """The Arabic guidelines, with the English ones below; empty where this installation has none."""
    pages = [
        f'<div dir="{direction}" style="text-align: {side}; font-size: 16px; line-height: 1.8">{html}</div>'
        for language, direction, side in (("ar", "rtl", "right"), ("en", "ltr", "left"))
        if (html := _page(language))
    ]
    return "<hr>".join(pages)


def _page(language: str) -> str:
    from markdown_it import MarkdownIt

    path = annotation_folder() / f"guidelines.{language}.md"
    if not path.exists():
        return ""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text(encoding="utf-8")))
