"""Do verdicts see bad drafts, and flags invented lines? Real Arabic sound through a real Whisper.

    python benchmarks/real_verdicts.py --data FOLDER --model FOLDER --keep FOLDER [--threads 2]

`--data` (or ARAMEGA_REAL_SOUND) holds `index.csv` and the clips it names, `--model` (or ARAMEGA_REAL_WHISPER) a real
Whisper as a CTranslate2 folder. What was heard stays in `--keep`, and a second run only judges.

- Drafts: the prayers and the joined Omani lines of `real_drafts.py`, each passage's errors by aligning its file's words
  with what was said. Printed: the share kept and the WER of what is kept, by verdict, and as a curve over the
  recognizer's mean log-probability and over the score of the rules; for all files, and for each half of them apart.
- Invented lines: windows of music and noise, of melodic recitation, and of silence with faint noise, given to the
  recognizer as they are, for the segmenter lets little of it through. True lines are those of the drafts of which fewer
  than half of the words are wrong. The rival flags what lies below Whisper's own limit, a mean log-probability of -1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

sys.path.insert(0, str(Path(__file__).parents[1]))

from aramega.audio.decode import RATE
from aramega.backends.asr.by_name import make_recognizer
from aramega.cli import run
from aramega.config import CheckConfig, TranscribeConfig
from aramega.records import DraftedPassage, Line
from aramega.settle.verdicts import Facts, judge
from aramega.stages.check.stage import DOUBTS, check_draft, flag_line
from aramega.stages.transcribe.doubts import doubts
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.text import normalize
from aramega.workspace import WorkspaceFolder
from benchmarks.real_drafts import SETS, File, index

WINDOW = 15.0


@dataclass
class Judged:
    """A passage with what is wrong in it."""

    file: Path
    item: DraftedPassage
    errors: int
    words: int
    decision: str
    logprob: float
    score: float


@dataclass(frozen=True)
class Written:
    """A line that a recognizer wrote, and of how many seconds."""

    line: Line
    seconds: float


def main() -> None:
    options = _options()
    keep = Path(options.keep)
    keep.mkdir(parents=True, exist_ok=True)
    passages: list[Judged] = []
    true: list[Written] = []
    for name in ("adhkar", "omani"):
        files = SETS[name](Path(options.data), keep)
        for file, items in draft(files, keep / name, options):
            judged, lines = weigh(file, items)
            passages += judged
            true += lines
    report_verdicts(passages)
    report_flags(true, invented(options, keep / "invented.json"))


def draft(
    files: Sequence[File], folder: Path, options: argparse.Namespace
) -> Iterator[tuple[File, list[DraftedPassage]]]:
    """Each file's drafted passages in order; built once."""
    if not folder.exists():
        how = ["--asr-model", f"faster-whisper:{options.model}", "--workers", "1", "--quiet"]
        threads = ["--set", f"transcribe.threads={options.threads}"]
        run(["build-ssum", *(str(file.path) for file in files), "--workspace", str(folder), *how, *threads])
    with Store.open(WorkspaceFolder(folder)) as store:
        items = [load_drafted(store, passage) for passage in find_passages(store)]
    for file in files:
        own = [item for item in items if Path(item.sources[0]).name == file.path.name]
        yield file, sorted(own, key=lambda item: item.passage.start)


def weigh(file: File, items: Sequence[DraftedPassage]) -> tuple[list[Judged], list[Written]]:
    """The passages with their errors, judged as today's rules do, and the lines that are mostly right."""
    spoken = normalize(file.text, "asr").split()
    heard = [
        (word, item.id, line.segment)
        for item in items
        for line in (item.draft.transcript.lines if item.draft.transcript else ())
        for word in normalize(line.text, "asr").split()
    ]
    errors, words = _errors_by_owner(spoken, heard)
    judged, true = [], []
    for item in items:
        check = check_draft(item)
        facts = {name: getattr(check, name) for name in FACTS} | {"snr_db": item.passage.snr_db}
        verdict = judge(Facts(item.id, facts), CheckConfig())
        figures = errors[item.id], words[item.id], verdict.decision, check.avg_logprob or 0.0, verdict.score
        judged.append(Judged(file.path, item, *figures))
        lengths = {segment.id: segment.seconds for segment in item.segments}
        for line in item.draft.transcript.lines if item.draft.transcript else ():
            if line.text and words[line.segment] and errors[line.segment] < words[line.segment] / 2:
                true.append(Written(line, lengths[line.segment]))
    return judged, true


FACTS = ("avg_logprob", "characters_per_second", "arabic_share", "music_share", "words", "doubted", "unheard")
"""Those of the rules about the transcript: what is said of summaries is measured elsewhere."""


def _errors_by_owner(
    spoken: Sequence[str], heard: Sequence[tuple[str, str, str]]
) -> tuple[dict[str, int], dict[str, int]]:
    """Errors and words of each passage and segment; what nobody heard belongs to the next that was heard."""
    errors: dict[str, int] = defaultdict(int)
    words: dict[str, int] = defaultdict(int)
    for edit in Levenshtein.opcodes(spoken, [word for word, _, _ in heard]):
        said, written = edit.src_end - edit.src_start, edit.dest_end - edit.dest_start
        for i in range(max(said, written)):
            owner = heard[min(edit.dest_start + min(i, max(0, written - 1)), len(heard) - 1)]
            for name in owner[1:]:
                errors[name] += edit.tag != "equal"
                words[name] += i < said
    return errors, words


def report_verdicts(passages: Sequence[Judged]) -> None:
    files = sorted({passage.file for passage in passages})
    halves = {"all": set(files), "even files": set(files[::2]), "odd files": set(files[1::2])}
    print("| files | passages | WER | kept by verdict | WER of kept | to all |\n|---|---:|---:|---:|---:|---:|")
    for name, wanted in halves.items():
        some = [passage for passage in passages if passage.file in wanted]
        kept = [passage for passage in some if passage.decision == "keep"]
        print(
            f"| {name} | {len(some)} | {wer_of(some):.3f} | {len(kept) / len(some):.2f} | {wer_of(kept):.3f} "
            f"| {wer_of(kept) / wer_of(some):.2f} |"
        )
    print("\n| kept, the surest first | 20 % | 40 % | 60 % | 80 % | 100 % |\n|---|---:|---:|---:|---:|---:|")
    for measure in ("logprob", "score"):
        order = sorted(passages, key=lambda passage: -getattr(passage, measure))
        curve = [wer_of(order[: round(len(order) * share)]) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]
        print(f"| by {measure} | {' | '.join(f'{rate:.3f}' for rate in curve)} |")


def wer_of(passages: Sequence[Judged]) -> float:
    return sum(passage.errors for passage in passages) / max(1, sum(passage.words for passage in passages))


def report_flags(true: Sequence[Written], false: dict[str, list[Written]]) -> None:
    rows: dict[str, Callable[[Written], bool]] = {
        "mean log-probability below -1": lambda written: (written.line.avg_logprob or 0) < -1,
        "flags": is_flagged,
    }
    print(
        f"\n| what flags | {' | '.join(f'{name} ({len(lines)})' for name, lines in false.items())} | all invented | true lines ({len(true)}) |"
    )
    print(f"|---|{'---:|' * (len(false) + 2)}")
    everything = [written for lines in false.values() for written in lines]
    for name, flagged in rows.items():
        shares = [_share(lines, flagged) for lines in (*false.values(), everything, true)]
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in shares)} |")
    missed = [written.line for written in everything if not is_flagged(written)]
    for line in missed[:10]:
        print(f"  not flagged: {line.avg_logprob} {line.text}")


def is_flagged(written: Written) -> bool:
    line = flag_line(written.line, {written.line.segment: written.seconds}, CheckConfig())
    return bool(DOUBTS & set(line.flags))


def _share(lines: Sequence[Written], holds: Callable[[Written], bool]) -> float:
    return sum(map(holds, lines)) / max(1, len(lines))


def invented(options: argparse.Namespace, path: Path) -> dict[str, list[Written]]:
    """What the recognizer writes of sound without speech, by kind; heard once."""
    if not path.exists():
        path.write_text(json.dumps(_hear(options), ensure_ascii=False), encoding="utf-8")
    lines: dict[str, list[Written]] = defaultdict(list)
    for number, (kind, seconds, text, logprob, no_speech) in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        flags = doubts(text, seconds, avg_logprob=logprob, no_speech=no_speech)
        line = Line(str(number), text, 0.0, seconds, avg_logprob=logprob, no_speech=no_speech, flags=flags)
        if text:
            lines[kind].append(Written(line, seconds))
    return lines


def _hear(options: argparse.Namespace) -> list[tuple[str, float, str, float, float]]:
    recognizer = make_recognizer(TranscribeConfig(model=f"faster-whisper:{options.model}", threads=options.threads))
    recognizer.load()
    windows = list(_silent_windows(Path(options.data)))
    heard = []
    for begin in range(0, len(windows), 16):
        some = windows[begin : begin + 16]
        for (kind, sound), words in zip(some, recognizer.recognize([sound for _, sound in some]), strict=True):
            heard.append((kind, len(sound) / RATE, words.text, words.avg_logprob, words.no_speech))
    return heard


def _silent_windows(data: Path) -> Iterator[tuple[str, np.ndarray]]:
    import librosa

    for kind in ("music_noise", "maqam_quran"):
        for row in index(data, kind):
            sound, _ = librosa.load(data / row["path"], sr=RATE)
            for start in range(0, len(sound), round(WINDOW * RATE)):
                window = sound[start : start + round(WINDOW * RATE)]
                if len(window) > RATE / 2:
                    yield kind, window.astype(np.float32)
    rng = np.random.default_rng(3)
    for _ in range(12):
        noise = rng.standard_normal(RATE * int(rng.integers(4, 28))) * 10 ** rng.uniform(-5, -2)
        yield "silence", noise.astype(np.float32)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("ARAMEGA_REAL_SOUND", ""))
    parser.add_argument("--model", default=os.environ.get("ARAMEGA_REAL_WHISPER", ""))
    parser.add_argument("--keep", required=True, help="a folder for what was heard")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if not (Path(options.data or "-") / "index.csv").is_file():
        parser.error("no real sound: give --data FOLDER (or ARAMEGA_REAL_SOUND) with an index.csv in it.")
    return options


if __name__ == "__main__":
    main()
