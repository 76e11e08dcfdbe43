"""The journal of answers: what was paid for is noted the moment it arrives, and never paid for again.

A batch of passages is committed when all of it is done; a build killed before that would ask, and pay, for the
batch once more. So each answer goes first into `answers.db`, under the hash of exactly what was asked, and
whoever asks the same again is told the same. What was under way at the kill is asked again under the same
idempotency key, so that a server that heeds it answers without billing twice. The journal also counts what has
been spent over all runs.

WAL with synchronous = NORMAL: a killed process loses nothing. A power cut may lose the last seconds' answers,
which cost less than a sync to disk for each of thousands.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from aramega.backends.llm import Reply, Request
from aramega.records import AramegaError, timestamp
from aramega.workspace import database_address

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    asked TEXT, attempt INTEGER, model TEXT, text TEXT, prompt_tokens INTEGER, completion_tokens INTEGER,
    cut_off INTEGER, invalid INTEGER DEFAULT 0, retired INTEGER DEFAULT 0, answered_at TEXT,
    PRIMARY KEY (asked, attempt)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER);
INSERT INTO spent SELECT 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM spent);
"""
_SPENT_BY_BOTH = """
UPDATE main.spent SET (requests, prompt_tokens, completion_tokens) = (
    SELECT max(m.requests, o.requests, a.number), max(m.prompt_tokens, o.prompt_tokens, a.prompt),
        max(m.completion_tokens, o.completion_tokens, a.completion)
    FROM main.spent m, other.spent o, (SELECT count(*) AS number, coalesce(sum(prompt_tokens), 0) AS prompt,
        coalesce(sum(completion_tokens), 0) AS completion FROM main.answers) a)
"""


@dataclass(frozen=True)
class Spent:
    """What has been asked of an endpoint, in requests and tokens."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    def __sub__(self, other: Spent) -> Spent:
        return self + Spent(-other.requests, -other.prompt_tokens, -other.completion_tokens)

    def at_worst(self, factor: float) -> Spent:
        """With prompts so many times longer than estimated."""
        return Spent(self.requests, math.ceil(self.prompt_tokens * factor), self.completion_tokens)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def request_hash(request: Request, model: str, temperature: float) -> str:
    """Of all that the answer depends on. Not of the address: a server that moved is the same server."""
    asked = asdict(request)
    if not request.clip:  # a question in text has the hash it had before any model could hear
        del asked["clip"], asked["seconds"]
    canonical = json.dumps([model, temperature, asked], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class Journal:
    """One process's way into `answers.db`; several may be open at once."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path.absolute().as_uri(), uri=True, timeout=30, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise AramegaError(
                f"{path}: cannot be opened ({error}). Move it away to go on; answers that are not in the workspace yet "
                "are then asked for again."
            ) from None

    def close(self) -> None:
        self._connection.close()

    def find(self, asked: str) -> Reply | None:
        """What was answered to this before, if it was."""
        query = """SELECT text, prompt_tokens, completion_tokens, cut_off FROM answers
                   WHERE asked = ? AND NOT retired ORDER BY attempt DESC LIMIT 1"""
        row = self._connection.execute(query, (asked,)).fetchone()
        return Reply(row[0], row[1], row[2], bool(row[3])) if row else None

    def idempotency_key(self, asked: str) -> str:
        """The same until an answer has come and was given up."""
        return f"aramega-{asked[:32]}-{self._attempt(asked)}"

    def note(self, asked: str, model: str, reply: Reply) -> None:
        """Write an answer and its cost, both or neither."""
        row = (
            asked,
            self._attempt(asked),
            model,
            reply.text,
            reply.prompt_tokens,
            reply.completion_tokens,
            reply.cut_off,
        )
        now = timestamp()
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?)", (*row, now)
            )
            self._connection.execute(
                """UPDATE spent SET requests = requests + 1, prompt_tokens = prompt_tokens + ?,
                   completion_tokens = completion_tokens + ?""",
                (reply.prompt_tokens, reply.completion_tokens),
            )

    def mark_invalid(self, asked: Sequence[str]) -> None:
        """Say of answers that a talk failed over them. They still count as answers until `retire_invalid`: a build
        killed before the failure is written must come to the same failure again without paying for it."""
        with self._connection:
            self._connection.executemany("UPDATE answers SET invalid = 1 WHERE asked = ?", ((a,) for a in asked))

    def retire_invalid(self) -> None:
        """Let what failed be asked anew; what it cost stays counted."""
        with self._connection:
            self._connection.execute("UPDATE answers SET retired = 1 WHERE invalid")

    def take_from(self, other: Path) -> None:
        """Add what another journal holds. Answers that both have were paid for once: what was spent is at least the
        sum of the answers."""
        self._connection.execute("ATTACH ? AS other", (database_address(other),))
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("INSERT OR IGNORE INTO main.answers SELECT * FROM other.answers")
                self._connection.execute(_SPENT_BY_BOTH)
        finally:
            self._connection.execute("DETACH other")

    def spent(self) -> Spent:
        """By all runs on this workspace, so far."""
        return Spent(*self._connection.execute("SELECT * FROM spent").fetchone())

    def _attempt(self, asked: str) -> int:
        query = "SELECT count(*) FROM answers WHERE asked = ? AND retired"
        return int(self._connection.execute(query, (asked,)).fetchone()[0])


def forget_invalid_answers(path: Path) -> None:
    """Before failed items are tried again: ask anew what was answered badly."""
    if path.exists():
        with closing(Journal(path)) as journal:
            journal.retire_invalid()


def copy_journal(path: Path, to: Path) -> None:
    """Copy a journal, which another process may be writing, into a file."""
    with closing(sqlite3.connect(path, timeout=30)) as journal, closing(sqlite3.connect(to)) as copy:
        journal.backup(copy)


def spent_so_far(path: Path) -> Spent:
    """What a workspace's endpoint requests have taken, over all runs."""
    if not path.exists():
        return Spent()
    with closing(Journal(path)) as journal:
        return journal.spent()
