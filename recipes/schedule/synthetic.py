"""A made-up training table in realistic proportions: to look at a schedule before there is any data.

Five tasks and thirty labels, sized and imbalanced as public Arabic sets are (asr plenty, emotion little),
lengths as clips have them at 25 audio tokens a second. Embeddings lie in clusters as real ones do: a few
kinds of recording (studio news above all) hold most rows, many kinds hold few, and each label has its own
mixture. The benchmarks and `python -m recipes.schedule` without `--table` use it.
"""

from __future__ import annotations

import numpy as np

from recipes.schedule.table import SPEECH, TEXT, ScheduleTable

TASKS = ("asr", "ssum", "text_summ", "dialect", "emotion")
SHARES = (0.60, 0.08, 0.12, 0.15, 0.05)
BANDS = ("5 s", "10 s", "20 s", "longer")
COUNTRIES = ("EG", "SA", "MA", "IQ", "SY", "DZ", "SD", "LB", "TN", "YE", "AE", "PS", "JO", "LY", "OM", "QA")
EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised", "afraid")
AUDIO_TOKENS_PER_SECOND = 25
TEXT_TOKENS_PER_SECOND = 6  # Arabic at 2.5 words a second, Qwen's tokenizer at 2.4 tokens a word
INSTRUCTION_TOKENS = 40
DOMAINS = 48  # kinds of recording


def synthetic_table(rows: int, *, seed: int = 0) -> ScheduleTable:
    """A table of so many rows."""
    rng = np.random.default_rng([seed, rows])
    task = rng.choice(len(TASKS), size=rows, p=SHARES).astype(np.int16)
    seconds = draw_seconds(task, rng)
    heard = task != TASKS.index("text_summ")
    tokens = INSTRUCTION_TOKENS + np.where(heard, AUDIO_TOKENS_PER_SECOND, TEXT_TOKENS_PER_SECOND) * seconds
    answer = np.select(
        [task == TASKS.index("asr"), task < TASKS.index("dialect")],
        [TEXT_TOKENS_PER_SECOND * seconds, rng.integers(40, 140, size=rows)],
        default=4,
    )
    labels = (*BANDS, *COUNTRIES, *EMOTIONS)
    label = np.digitize(seconds, (5, 10, 20)).astype(np.int32)
    for name, values in (("dialect", COUNTRIES), ("emotion", EMOTIONS)):
        of_task = task == TASKS.index(name)
        popularity = 1 / np.arange(1, len(values) + 1)  # the last class is as rare, against the first, as in ADI-17
        drawn = rng.choice(len(values), size=int(of_task.sum()), p=popularity / popularity.sum())
        label[of_task] = labels.index(values[0]) + drawn
    return ScheduleTable(
        task=task,
        tasks=TASKS,
        label=label,
        labels=labels,
        tokens=(tokens + answer).astype(np.int32),
        modality=np.where(heard, SPEECH, TEXT).astype(np.int8),
    )


def draw_seconds(task: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Length of the clip, or of the speech that a text stands for: log-normal within each task's limits."""
    # median, spread of the logarithm, shortest, longest
    kinds = ((6, 0.7, 0.5, 30), (45, 0.5, 15, 120), (45, 0.5, 15, 120), (7, 0.6, 1, 30), (3, 0.5, 0.5, 10))
    median, spread, low, high = (np.array(column, dtype=np.float64)[task] for column in zip(*kinds, strict=True))
    seconds: np.ndarray = np.clip(median * np.exp(spread * rng.standard_normal(len(task))), low, high)
    return seconds


def synthetic_embeddings(
    table: ScheduleTable, dimensions: int = 256, *, seed: int = 0, concentration: float = 2.0
) -> np.ndarray:
    """Float16 embeddings in clusters by kind of recording, label and chance; zeros for text.

    `concentration` is the power of Zipf's law by which kinds of recording get rarer: at 2 the commonest
    (studio news) holds six rows in ten, at 1.5 four.
    """
    rng = np.random.default_rng([seed, len(table), dimensions])
    popularity = np.arange(1.0, DOMAINS + 1) ** -concentration
    kinds = len(table.tasks) * len(table.labels)
    mixtures = popularity * rng.gamma(2.0, size=(kinds, DOMAINS))
    edges = np.cumsum(mixtures / mixtures.sum(axis=1, keepdims=True), axis=1)
    domains = rng.standard_normal((DOMAINS, dimensions), dtype=np.float32)
    accents = 0.25 * rng.standard_normal((kinds, dimensions), dtype=np.float32)
    embeddings = np.zeros((len(table), dimensions), dtype=np.float16)
    for start in range(0, len(table), 65_536):
        block = slice(start, start + 65_536)
        kind = table.task[block].astype(np.int64) * len(table.labels) + table.label[block]
        domain = (rng.random((len(kind), 1)) > edges[kind]).sum(axis=1).clip(max=DOMAINS - 1)
        noise = 0.2 * rng.standard_normal((len(kind), dimensions), dtype=np.float32)
        embeddings[block] = domains[domain] + accents[kind] + noise
    embeddings[table.modality == TEXT] = 0
    return embeddings
