"""Tokens: words for metrics, camel-tools' tokens for language work, sentences for summaries.

`words` is what metrics count on: runs of letters, digits and their marks, everything else dropped. It is
one compiled pattern. `tokenize` is camel-tools' simple word tokenizer, which keeps punctuation and emoji
as tokens of their own; it needs none of camel-tools' downloaded data and is imported on first use.
"""

from __future__ import annotations

import re

from aramega.text.normalization import DIACRITICS

_WORD = re.compile(rf"[\w{DIACRITICS}]+")
# A sentence ends at a mark followed by space, or at a line break; "3.5" and "U.N." inside a word don't end one, nor
# does a title of one letter («قال د. محمد»).
_SENTENCE_END = re.compile(r"(?<!\s[^\W\d]\.)(?<=[.!?؟؛…])[\"'”»)\]]*\s+|\n+")


def words(text: str) -> list[str]:
    """The words of a text in any script, in order, without punctuation."""
    return _WORD.findall(text)


def sentences(text: str) -> list[str]:
    """The sentences of a text, marks included. Speech transcripts may have no marks: then one sentence."""
    parts: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        parts.append(text[start : end.end()].strip())
        start = end.end()
    parts.append(text[start:].strip())
    return [sentence for sentence in parts if sentence]


def tokenize(text: str) -> list[str]:
    """Words, punctuation marks and emoji, each a token, as camel-tools splits them."""
    try:
        from camel_tools.tokenizers.word import simple_word_tokenize
    except ImportError as error:
        raise ImportError("tokenize needs camel-tools: pip install camel-tools") from error
    tokens: list[str] = simple_word_tokenize(text)
    return tokens


def arabic_share(text: str) -> float:
    """Letters of the Arabic script among all letters; 0 where there are none."""
    letters = [char for char in text if char.isalpha()]
    return sum("\u0600" <= char <= "\u08ff" for char in letters) / len(letters) if letters else 0.0
