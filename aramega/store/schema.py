"""The tables, and how a workspace made by an older version becomes one of today's.

`PRAGMA user_version` says how many of the steps below a database has been through. To change a table,
add a step; never edit one that has been released.
"""

from __future__ import annotations

import sqlite3

from aramega.records import AramegaError

STEPS = (
    """
    CREATE TABLE sources (
        path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, recording TEXT, metadata TEXT NOT NULL
    );
    CREATE INDEX sources_by_recording ON sources (recording);
    CREATE TABLE recordings (
        id TEXT PRIMARY KEY, sha256 TEXT, name TEXT, bytes INTEGER, seconds REAL, container TEXT, codec TEXT,
        sample_rate INTEGER, channels INTEGER, audio_stream INTEGER, measures TEXT, truncated INTEGER, note TEXT
    );
    CREATE TABLE timelines (recording TEXT PRIMARY KEY, spans TEXT);
    CREATE TABLE segments (
        id TEXT PRIMARY KEY, recording TEXT, start REAL, "end" REAL, forced_start INTEGER, forced_end INTEGER,
        snr_db REAL, loudness_lufs REAL, bandwidth_hz REAL
    ) WITHOUT ROWID;
    CREATE INDEX segments_by_recording ON segments (recording, start);
    CREATE TABLE passages (
        id TEXT PRIMARY KEY, recording TEXT, start REAL, "end" REAL, segments TEXT, speech_seconds REAL, clip TEXT,
        clip_sha256 TEXT, snr_db REAL, loudness_lufs REAL, bandwidth_hz REAL
    ) WITHOUT ROWID;
    CREATE INDEX passages_by_recording ON passages (recording, start);
    CREATE TABLE results (
        stage TEXT, item TEXT, fingerprint TEXT, made INTEGER, seconds REAL, took REAL, finished_at TEXT,
        PRIMARY KEY (stage, item)
    ) WITHOUT ROWID;
    CREATE TABLE failures (
        stage TEXT, item TEXT, fingerprint TEXT, error TEXT, trace TEXT, failed_at TEXT,
        PRIMARY KEY (stage, item)
    ) WITHOUT ROWID;
    """,
)


def migrate(connection: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring the database to today's tables, each step in a transaction of its own."""
    version = schema_version(connection)
    if version == len(steps):
        return
    if version > len(steps):
        raise AramegaError(
            f"this workspace was made by a newer aramega (its tables are version {version}, "
            f"this one knows {len(steps)}). Upgrade: pip install -U aramega."
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if schema_version(connection) < number:  # another process may have been quicker
                for statement in filter(str.strip, step.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
