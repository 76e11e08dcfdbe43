"""The tables, and how a workspace made by an older version becomes one of today's.

`PRAGMA user_version` says how many of the steps below a database has been through. To change a table,
add a step; never edit one that has been released.
"""

from __future__ import annotations

import sqlite3

from aramega.records import AramegaError
from aramega.store.connection import transaction

_PASSAGE_FACTS = """
    CREATE VIEW passage_facts AS
    SELECT p.id AS passage, p.recording, round(p."end" - p.start, 3) AS seconds, p.start, p.snr_db, p.loudness_lufs,
        p.bandwidth_hz, v.decision, v.priority, v.confidence, v.duplicate_of, v.reasons, c.avg_logprob,
        c.compression_ratio, c.characters_per_second, c.arabic_share, c.music_share, c.words, c.summary_words,
        c.compression, c.coverage, c.density, c.novel_bigrams, c.doubted, c.unheard, c.flags, t.model AS asr_model,
        s.model AS summary_model, s.abstractive, json_extract(l.dialect, '$[0].label') AS dialect,
        json_extract(l.dialect, '$[0].score') AS dialect_score, json_extract(l.emotion, '$[0].label') AS emotion,
        json_extract(l.emotion, '$[0].score') AS emotion_score, r.accepted,
        EXISTS (SELECT 1 FROM reviews w WHERE w.passage = p.id AND w.state = 'submitted') AS reviewed,
        (SELECT json_extract(metadata, '$.programme') FROM sources f WHERE f.recording = p.recording ORDER BY path LIMIT 1)
            AS programme,
        (SELECT json_extract(metadata, '$.channel') FROM sources f WHERE f.recording = p.recording ORDER BY path LIMIT 1)
            AS channel,
        (SELECT json_extract(metadata, '$.speaker') FROM sources f WHERE f.recording = p.recording ORDER BY path LIMIT 1)
            AS speaker,
        (SELECT json_extract(metadata, '$.licence') FROM sources f WHERE f.recording = p.recording ORDER BY path LIMIT 1)
            AS licence,
        (SELECT json_extract(metadata, '$.date') FROM sources f WHERE f.recording = p.recording ORDER BY path LIMIT 1) AS date
    FROM passages p LEFT JOIN verdicts v ON v.passage = p.id LEFT JOIN checks c ON c.passage = p.id
        LEFT JOIN transcripts t ON t.passage = p.id LEFT JOIN summaries s ON s.passage = p.id
        LEFT JOIN labels l ON l.passage = p.id LEFT JOIN resolved r ON r.passage = p.id;
"""

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
    """
    CREATE TABLE transcripts (
        passage TEXT PRIMARY KEY, lines TEXT, model TEXT, language TEXT, at_hand TEXT, at_hand_cer REAL
    ) WITHOUT ROWID;
    CREATE TABLE summaries (
        passage TEXT PRIMARY KEY, text TEXT, title TEXT, topics TEXT, abstractive INTEGER, model TEXT, prompt TEXT,
        prompt_tokens INTEGER, completion_tokens INTEGER, requests INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE labels (
        passage TEXT PRIMARY KEY, dialect TEXT, dialect_by TEXT, emotion TEXT, emotion_by TEXT
    ) WITHOUT ROWID;
    CREATE TABLE checks (
        passage TEXT PRIMARY KEY, avg_logprob REAL, compression_ratio REAL, characters_per_second REAL,
        arabic_share REAL, music_share REAL, words INTEGER, summary_sentences INTEGER, summary_words INTEGER,
        compression REAL, coverage REAL, density REAL, novel_bigrams REAL, unsupported_numbers TEXT,
        unsupported_names TEXT, doubted REAL, unheard REAL, flags TEXT, signature TEXT
    ) WITHOUT ROWID;
    CREATE TABLE verdicts (
        passage TEXT PRIMARY KEY, decision TEXT, reasons TEXT, confidence REAL, priority REAL, duplicate_of TEXT,
        similarity REAL
    ) WITHOUT ROWID;
    CREATE INDEX verdicts_by_priority ON verdicts (priority);
    CREATE TABLE overviews (
        recording TEXT PRIMARY KEY, text TEXT, chapters TEXT, model TEXT, prompt TEXT, prompt_tokens INTEGER,
        completion_tokens INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE reviews (
        id TEXT PRIMARY KEY, passage TEXT, annotator TEXT, state TEXT, updated_at TEXT, created_at TEXT, verdict TEXT,
        reason TEXT, transcript TEXT, summary TEXT, title TEXT, dialect TEXT, emotion TEXT, flags TEXT,
        confidence INTEGER, regions TEXT, seconds_spent REAL, draft TEXT, place TEXT, gold INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX reviews_by_passage ON reviews (passage, updated_at);
    CREATE TABLE resolved (
        passage TEXT PRIMARY KEY, accepted INTEGER, reason TEXT, transcript TEXT, summary TEXT, title TEXT,
        dialect TEXT, emotion TEXT, topics TEXT, flags TEXT, lines TEXT, reviews TEXT, resolved_at TEXT
    ) WITHOUT ROWID;
    CREATE TABLE tasks (
        place TEXT, project INTEGER, task INTEGER, passage TEXT, draft TEXT, pushed_at TEXT,
        PRIMARY KEY (place, project, task)
    ) WITHOUT ROWID;
    CREATE INDEX tasks_by_passage ON tasks (passage);
    CREATE TABLE projects (place TEXT, project INTEGER, title TEXT, since TEXT, PRIMARY KEY (place, project)) WITHOUT ROWID;
    """
    + _PASSAGE_FACTS,
    """
    ALTER TABLE transcripts ADD COLUMN note TEXT NOT NULL DEFAULT '';
    CREATE INDEX transcripts_with_a_note ON transcripts (note) WHERE note <> '';
    """,
    """
    ALTER TABLE recordings ADD COLUMN channel_layout TEXT NOT NULL DEFAULT '';
    ALTER TABLE recordings ADD COLUMN downmix TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE extras (stage TEXT, item TEXT, json TEXT NOT NULL, PRIMARY KEY (stage, item)) WITHOUT ROWID;
    """,
    # What had been called confidence is a score; a confidence is a probability, and there is none before calibration.
    """
    DROP VIEW passage_facts;
    ALTER TABLE verdicts RENAME COLUMN confidence TO score;
    ALTER TABLE verdicts ADD COLUMN confidence REAL;
    ALTER TABLE verdicts ADD COLUMN expected_cer REAL;
    CREATE TABLE calibration (number INTEGER PRIMARY KEY, json TEXT NOT NULL);
    """
    + _PASSAGE_FACTS.replace("v.confidence", "v.score, v.confidence, v.expected_cer"),
    """
    ALTER TABLE checks ADD COLUMN evidence TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE checks ADD COLUMN support REAL;
    ALTER TABLE checks ADD COLUMN contradictions INTEGER NOT NULL DEFAULT 0;
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
            f"this one knows {len(steps)}). Upgrade it: in its clone, git pull, then pip install ."
        )
    for number, step in enumerate(steps[version:], start=version + 1):
        with transaction(connection):
            if schema_version(connection) < number:  # another process may have been quicker
                for statement in filter(str.strip, step.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")


def schema_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
