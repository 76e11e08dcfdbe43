"""Names for files and fields, made from names that people, or the web, gave to recordings.

The same recording has the same name in every format and every export, whatever else is in the workspace:
that is why the id is always there, and not only where two recordings are called alike.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120
"""Bytes of the part that people read; with id, suffix and `.part` it stays well under a file system's 255."""


def safe_name(name: str, number: str) -> str:
    """A recording's name without its extension and without what could leave a folder, and its id."""
    word = safe_word(name.rpartition(".")[0] or name)
    return f"{word}-{number}" if word else number


def safe_word(text: str) -> str:
    """`text` as one word that no file system and no field separated by spaces stumbles over; may be empty."""
    composed = unicodedata.normalize("NFC", text)
    plain = re.sub("_{2,}", "_", "".join(c if _is_plain(c) else "_" for c in composed))
    return plain.strip("._-").encode()[:LONGEST].decode(errors="ignore").rstrip("._-")


def _is_plain(character: str) -> bool:
    """Letters, their marks and digits of any script: an Arabic name stays an Arabic name, tashkeel and all."""
    return unicodedata.category(character)[0] in "LMN" or character in "-_."
