"""Drafts of real Arabic speech: word and character error rates, and time, against the recognizers' own pipelines.

    python benchmarks/real_drafts.py --data FOLDER --model FOLDER [--checkpoint FILE] [--sets adhkar,omani] [--only TEXT]

`--data` (or ARAMEGA_REAL_SOUND) holds `index.csv` and the clips it names, `--model` (or ARAMEGA_REAL_WHISPER) a real
Whisper as a CTranslate2 folder, `--checkpoint` (or ARAMEGA_REAL_WHISPER_CHECKPOINT) one in openai-whisper's format.

- adhkar: read prayers, a file each. omani: the lines of a film and of a series, joined with pauses.
- Every row hears the same files and is scored on each whole file under the `asr` profile, so speech that a pipeline
  leaves out counts as lost words. "forced" rows cut passages whatever the pauses and the music are.
- Time is the whole way from the file to the text, loading the model apart: decoding, finding speech, recognizing.
  CPU seconds are beside it, since a busy machine stretches the clock.
- `--every 3` hears every third file. whisper.transcribe is slow, so it and our openai-whisper backend hear every
  `--slow-every`-th of those, and are compared with each other alone.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))

from aramega.config import Config, choose_config
from aramega.engine.local import LocalEngine
from aramega.pipeline import Pipeline
from aramega.pipeline.build import add_sources, building, run_build
from aramega.records import RATE
from aramega.sources import find_sources
from aramega.stages.base import Step
from aramega.stages.transcribe import Transcribe
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.text import cer, normalize, wer
from aramega.workspace import WorkspaceFolder

FORCED = ("passages.max_music=600.0", "passages.max_pause=600.0", "passages.min_seconds=0.1")


@dataclass(frozen=True)
class File:
    """A recording and what is said in it."""

    path: Path
    text: str
    seconds: float


Texts = Mapping[Path, str]
Hear = Callable[[Sequence[File]], Texts]


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sets.split(","):
            files = SETS[name](Path(options.data), Path(folder))[:: options.every]
            some = files[:: options.slow_every]
            print(
                f"\n{name}: {len(files)} files, {sum(f.seconds for f in files) / 60:.1f} min; {options.threads} threads"
            )
            report(files, chosen(rows(options), options.only))
            if options.checkpoint:
                print(
                    f"\n{name}, every {options.slow_every}th of them: {len(some)} files, {sum(f.seconds for f in some) / 60:.1f} min"
                )
                report(some, chosen(slow_rows(options), options.only))


def chosen(hears: Mapping[str, Hear], wanted: str) -> dict[str, Hear]:
    return {name: hear for name, hear in hears.items() if any(part in name for part in wanted.split("|"))}


def rows(options: argparse.Namespace) -> dict[str, Hear]:
    ours = f"faster-whisper:{options.model}"
    return {
        "faster-whisper, batched pipeline, greedy": peer(options, "batched", 1),
        "faster-whisper, sequential pipeline, greedy": peer(options, "sequential", 1),
        "faster-whisper, batched pipeline, beam 5": peer(options, "batched", 5),
        "faster-whisper, sequential pipeline, beam 5": peer(options, "sequential", 5),
        "aramega, packed": aramega(ours, options),
        "aramega, packed, fp32": aramega(ours, options, "transcribe.precision=fp32"),
        "aramega, packed, fp32, greedy": aramega(ours, options, "transcribe.precision=fp32", "transcribe.beam=1"),
        "aramega, packed, forced": aramega(ours, options, *FORCED),
        "aramega, not packed": aramega(ours, options, "transcribe.pack=false"),
        "aramega, not packed, forced": aramega(ours, options, "transcribe.pack=false", *FORCED),
    }


def slow_rows(options: argparse.Namespace) -> dict[str, Hear]:
    return {
        "whisper.transcribe, greedy": reference(options, None),
        "whisper.transcribe, beam 5": reference(options, 5),
        "faster-whisper, sequential pipeline, greedy": peer(options, "sequential", 1),
        "aramega with openai-whisper, packed": aramega(options.checkpoint, options),
        "aramega with openai-whisper, packed, forced": aramega(options.checkpoint, options, *FORCED),
    }


def report(files: Sequence[File], hears: Mapping[str, Hear]) -> None:
    """A table; times are ratios to the first row's CPU seconds, too."""
    minutes = sum(f.seconds for f in files) / 60
    print(f"| {'what':45} |   WER |   CER | words |   time |    CPU | CPU, ratio |")
    print(f"|{'-' * 47}|---:|---:|---:|---:|---:|---:|")
    first = 0.0
    for name, hear in hears.items():
        with measured() as cost:
            texts = hear(files)
        word_errors, letter_errors, words = errors(files, texts)
        first = first or cost["cpu"]
        print(
            f"| {name:45} | {word_errors:.3f} | {letter_errors:.3f} | {words:5} | {cost['wall']:4.0f} s | {cost['cpu']:4.0f} s "
            f"| {cost['cpu'] / first:8.2f} × |",
            flush=True,
        )
    print(
        f"words in the texts: {sum(len(normalize(f.text, 'asr').split()) for f in files)}; {minutes:.1f} min of sound"
    )


def errors(files: Sequence[File], texts: Texts) -> tuple[float, float, int]:
    """Pooled over the files: WER, CER, and how many words were heard."""
    wanted, heard = [f.text for f in files], [texts.get(f.path, "") for f in files]
    return wer(wanted, heard), cer(wanted, heard), sum(len(normalize(text, "asr").split()) for text in heard)


_LOADING = [0.0, 0.0]
"""Wall and CPU seconds spent on loading models since the measurement began: no pipeline's own merit."""


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    cost: dict[str, float] = {}
    _LOADING[:] = [0.0, 0.0]
    wall, cpu = time.perf_counter(), _cpu()
    yield cost
    cost |= {"wall": time.perf_counter() - wall - _LOADING[0], "cpu": _cpu() - cpu - _LOADING[1]}


@contextmanager
def loading() -> Iterator[None]:
    wall, cpu = time.perf_counter(), _cpu()
    yield
    _LOADING[0] += time.perf_counter() - wall
    _LOADING[1] += _cpu() - cpu


def _cpu() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peer(options: argparse.Namespace, pipeline: str, beam: int) -> Hear:
    """One of faster-whisper's pipelines, with its VAD and its defaults but for the beam."""

    def hear(files: Sequence[File]) -> Texts:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        with loading():
            model: Any = WhisperModel(
                options.model, device="cpu", compute_type=options.compute, cpu_threads=options.threads
            )
            batched = BatchedInferencePipeline(model) if pipeline == "batched" else None
        texts = {}
        for file in files:
            if batched:
                lines, _ = batched.transcribe(str(file.path), language="ar", beam_size=beam, batch_size=8)
            else:
                lines, _ = model.transcribe(str(file.path), language="ar", beam_size=beam, vad_filter=True)
            texts[file.path] = " ".join(line.text for line in lines)
        return texts

    return hear


def reference(options: argparse.Namespace, beam: int | None) -> Hear:
    def hear(files: Sequence[File]) -> Texts:
        import torch
        import whisper

        torch.set_num_threads(options.threads)
        with loading():
            model = whisper.load_model(options.checkpoint, device="cpu")
        return {f.path: model.transcribe(str(f.path), language="ar", fp16=False, beam_size=beam)["text"] for f in files}

    return hear


def aramega(model: str, options: argparse.Namespace, *settings: str) -> Hear:
    """A build up to passages, and then the transcribe stage over its passages in its own batches."""

    def hear(files: Sequence[File]) -> Texts:
        how = [
            f'transcribe.model="{model}"',
            f"transcribe.threads={options.threads}",
            'transcribe.device="cpu"',
        ]
        with tempfile.TemporaryDirectory() as folder:
            workspace = WorkspaceFolder(Path(folder) / "workspace")
            config = choose_config(None, workspace.config, [*how, *settings, *options.set])
            with building(workspace), Store.create_or_open(workspace) as store:
                find_speech(store, workspace, config, [str(file.path) for file in files], options.threads)
                return transcribe(store, workspace, config)

    return hear


def find_speech(store: Store, workspace: WorkspaceFolder, config: Config, names: Sequence[str], workers: int) -> None:
    pipeline = Pipeline.from_config(config, workspace, until="passages")
    add_sources(store, pipeline, names, find_sources(names, config.ingest.extensions))
    for _ in run_build(store, pipeline, LocalEngine(workers)):
        pass


def transcribe(store: Store, workspace: WorkspaceFolder, config: Config) -> Texts:
    items = [load_drafted(store, passage) for passage in find_passages(store)]
    stage = Transcribe(config.transcribe, workspace)
    with loading():
        stage.prepare()
    texts: dict[Path, list[tuple[float, str]]] = defaultdict(list)
    for begin in range(0, len(items), stage.batch_size):
        some = items[begin : begin + stage.batch_size]
        answers = (answer for answer in stage.run_batch(some) if not isinstance(answer, Step))
        for item, answer in zip(some, answers, strict=True):
            if isinstance(answer, Exception):
                raise answer
            texts[Path(item.sources[0])].append((item.passage.start, answer[0].text))
    return {path: " ".join(text for _, text in sorted(parts)) for path, parts in texts.items()}


def read_prayers(data: Path, _: Path) -> list[File]:
    """A chapter's file opens with its spoken title, which its text does not hold and its note does."""
    files = []
    for row in index(data, "adhkar_hisn"):
        _, colon, title = row["note"].partition("(not in text):")
        text = f"{title.strip()} {row['text']}" if colon else row["text"]
        files.append(File((data / row["path"]).resolve(), text, float(row["seconds"])))
    return files


def joined_lines(data: Path, folder: Path) -> list[File]:
    """The transcribed lines of each recording in order, 0.3 to 1.5 s of faint noise between them."""
    rng = np.random.default_rng(5)
    recordings: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in index(data, "omani_tv_transcribed"):
        if row["text"]:
            recordings[Path(row["path"]).name[:2]].append(row)
    files = []
    for name, lines in sorted(recordings.items()):
        parts = []
        for row in sorted(lines, key=lambda row: row["path"]):
            pause = rng.standard_normal(round(rng.uniform(0.3, 1.5) * RATE)) * 1e-4
            parts += [soundfile.read(data / row["path"], dtype="float32")[0], pause.astype(np.float32)]
        path = folder / f"omani-{name}.wav"
        sound = np.concatenate(parts)
        soundfile.write(path, sound, RATE)
        files.append(
            File(path, " ".join(row["text"] for row in sorted(lines, key=lambda r: r["path"])), len(sound) / RATE)
        )
    return files


SETS: dict[str, Callable[[Path, Path], list[File]]] = {"adhkar": read_prayers, "omani": joined_lines}


def index(data: Path, wanted: str) -> list[dict[str, str]]:
    with (data / "index.csv").open(encoding="utf-8") as table:
        return [row for row in csv.DictReader(table) if row["set"] == wanted]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("ARAMEGA_REAL_SOUND", ""))
    parser.add_argument("--model", default=os.environ.get("ARAMEGA_REAL_WHISPER", ""))
    parser.add_argument("--checkpoint", default=os.environ.get("ARAMEGA_REAL_WHISPER_CHECKPOINT", ""))
    parser.add_argument("--sets", default="adhkar,omani")
    parser.add_argument("--only", default="", help="rows whose name holds this text; several with |")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--slow-every", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compute", default="default", help="the peers' compute type; default is fp32 for them")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of aramega's rows")
    options = parser.parse_args()
    if not (Path(options.data or "-") / "index.csv").is_file():
        parser.error("no real sound: give --data FOLDER (or ARAMEGA_REAL_SOUND) with an index.csv in it.")
    if not (Path(options.model or "-") / "model.bin").is_file():
        parser.error("no real Whisper: give --model FOLDER (or ARAMEGA_REAL_WHISPER), a CTranslate2 model.")
    return options


if __name__ == "__main__":
    main()
