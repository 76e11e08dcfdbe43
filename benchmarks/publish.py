"""Publishing: its speed against a plain copy and against `datasets`, its memory, its first row, and twenty kills.

Clips are minutes of the sample broadcast, repeated, each a file of its own; rows carry drafts as whisper
leaves them. Every time ends with a `sync`, ours and the peers', so that nobody is measured on what still
lies in memory. Peaks are the kernel's VmHWM, of a process that does nothing else.

    python benchmarks/publish.py [--hours 10 100] [--kills 20] [--folder DIR]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from published_sets import make_set, real_clips

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from aramega.workspace import WorkspaceFolder
from tests.support.loopback_hub import loopback_hub

# A process that does one thing, then says its peak.
COUNTED = """
import re, sys
from aramega.cli import run
code = run(sys.argv[1:])
print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
sys.exit(code)
"""

# What push_to_hub does before it uploads: rows into an Arrow table on disk, audio embedded, shards as parquet.
PEER = """
import glob, json, re, sys
import datasets
from datasets.table import embed_table_storage
from aramega.store import Store
from aramega.store.drafts import find_passages
from aramega.store.passages import load_drafted
from aramega.workspace import WorkspaceFolder
from pathlib import Path
datasets.disable_progress_bars()
workspace, out = WorkspaceFolder(Path(sys.argv[1])), Path(sys.argv[2])

def rows():
    with Store.open(workspace) as store:
        for number in find_passages(store):
            known = load_drafted(store, number)
            draft = known.draft
            yield {"id": number, "audio": str(workspace.root / known.passage.clip), "transcription": draft.transcript.text,
                   "summary": draft.summary.text, "title": draft.summary.title, "topics": list(draft.summary.topics)}

text = datasets.Value("string")
features = datasets.Features({"id": text, "audio": datasets.Audio(16_000), "transcription": text, "summary": text,
                              "title": text, "topics": datasets.List(text)})
made = datasets.Dataset.from_generator(rows, features=features, cache_dir=str(out / "cache"))
size = sum(Path(p).stat().st_size for p in glob.glob(str(workspace.root / "clips/**/*.flac"), recursive=True))
shards = max(1, size // 500_000_000 + 1)
for i in range(shards):
    shard = made.shard(shards, i, contiguous=True).with_format("arrow")
    shard = shard.map(embed_table_storage, batched=True, batch_size=100, keep_in_memory=True)
    shard.with_format(None).to_parquet(out / f"train-{i:05d}-of-{shards:05d}.parquet", batch_size=100)
print("peak", int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)
"""

# The imports are torch's and datasets' own affair. What is collected at the end would keep Arrow from going home.
FIRST_ROW = """
import gc, sys, time
import datasets, torchcodec.decoders
begun = time.perf_counter()
row = next(iter(datasets.load_dataset(sys.argv[1], "ssum", split="train", streaming=True)))
samples = row["audio"].get_all_samples().data.shape[1]
print(time.perf_counter() - begun)
assert samples == round(row["seconds"] * 16_000)
gc.collect()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, nargs="*", default=[10, 100])
    parser.add_argument("--best-of", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="where to work: 100 hours take 25 GB for a while")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        clips = real_clips()
        for hours in options.hours:
            workspace = make_set(Path(folder) / f"{hours}h", hours, clips)
            speed(Path(folder), workspace, hours, options.best_of)
            if hours <= 10:  # the peers take their time
                peer(Path(folder), workspace, hours)
                segments(Path(folder), workspace, hours)
            shutil.rmtree(workspace.root)
        if options.kills:
            small = make_set(Path(folder) / "kills", 1, clips)
            kills(Path(folder), small, options.kills)


def publish(workspace: WorkspaceFolder, *arguments: str) -> list[str]:
    options = ["--no-test-verified-only", "--leaks", "drop", *arguments]
    return [sys.executable, "-c", COUNTED, "publish", str(workspace.root), *options]


def timed(command: list[str]) -> tuple[float, float, float]:
    """Seconds until it is on the disk, the peak it tells in megabytes, and the seconds of a core it used."""
    os.sync()
    begun, used = time.perf_counter(), _cpu()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    os.sync()
    took = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command[:6])}…\n{done.stderr}")
    peaks = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("peak ")]
    return took, float(peaks[0]) if peaks else 0.0, _cpu() - used


def _cpu() -> float:
    """Of all processes that were waited for."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def speed(folder: Path, workspace: WorkspaceFolder, hours: int, best_of: int) -> None:
    """ssum's shards against a plain copy of the clips; then the first row of what was made."""
    copies, ours = [], []
    for _ in range(best_of):
        copies.append(timed(["cp", "-r", str(workspace.root / "clips"), str(folder / "copy")]))
        shutil.rmtree(folder / "copy")
        shutil.rmtree(folder / "set", ignore_errors=True)
        ours.append(timed(publish(workspace, "--to", str(folder / "set"), "--configurations", "ssum")))
    size = sum(path.stat().st_size for path in (folder / "set").rglob("*.parquet")) / 1e9
    (copy, _, copy_cpu), (took, peak, cpu) = min(copies), min(ours)
    load = os.getloadavg()[0]
    print(f"\n| {hours} h of clips, {size:.2f} GB (load {load:.1f}) | best of {best_of} | against cp | CPU | peak |")
    print("|---|---|---|---|---|")
    print(f"| cp -r | {copy:.2f} s | 1.00 | {copy_cpu:.1f} s | |")
    ours_told = f"{took:.2f} s | {took / copy:.2f} | {cpu:.1f} s | {peak:.0f} MB"
    print(f"| aramega publish --configurations ssum | {ours_told} |", flush=True)
    environment = {**os.environ, "HF_HOME": str(folder / "hf")}
    command = [sys.executable, "-c", FIRST_ROW, str(folder / "set")]
    rows = [float(subprocess.check_output(command, env=environment, text=True, timeout=120)) for _ in range(3)]
    print(
        f"\nFirst row of the {hours} h set, streamed from the folder and decoded: {min(rows):.2f} s (worst {max(rows):.2f})"
    )
    shutil.rmtree(folder / "set")


def peer(folder: Path, workspace: WorkspaceFolder, hours: int) -> None:
    """The same rows through Dataset.from_generator, embed and to_parquet."""
    theirs, their_peak, _ = timed([sys.executable, "-c", PEER, str(workspace.root), str(folder / "peer")])
    shutil.rmtree(folder / "peer")
    ours, our_peak, _ = timed(publish(workspace, "--to", str(folder / "set"), "--configurations", "ssum"))
    shutil.rmtree(folder / "set")
    print(f"\n| {hours} h, shards of ssum | time | ratio | peak |")
    print("|---|---|---|---|")
    print(f"| Dataset.from_generator, embed, to_parquet | {theirs:.2f} s | 1.00 | {their_peak:.0f} MB |")
    print(f"| aramega publish | {ours:.2f} s | {ours / theirs:.2f} | {our_peak:.0f} MB |", flush=True)


def segments(folder: Path, workspace: WorkspaceFolder, hours: int) -> None:
    """What cutting and encoding the segments of `asr` costs, and the whole set."""
    print(f"\n| {hours} h, configurations | time | peak |")
    print("|---|---|---|")
    for names in ("asr", "ssum,asr,dialect,emotion,text_summ,raw"):
        took, peak, _ = timed(publish(workspace, "--to", str(folder / "set"), "--configurations", names))
        print(f"| {names} | {took:.2f} s | {peak:.0f} MB |", flush=True)
        shutil.rmtree(folder / "set")


def kills(folder: Path, workspace: WorkspaceFolder, wanted: int) -> None:
    """Killed at random moments on the way to a Hub; each repository ends as an uninterrupted one, under its tag."""
    options = ("--shard-mb", "8", "--tag", "v1")
    with loopback_hub(folder / "objects") as hub:
        environment = {**os.environ, **hub.environment(home=folder / "hf")}

        def start(repo: str) -> subprocess.Popen[bytes]:
            command = publish(workspace, "--repo", repo, *options)
            return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        begun = time.perf_counter()
        assert start("org/calm").wait() == 0
        whole = time.perf_counter() - begun
        calm = {path: blob.oid for path, blob in hub.dataset("org/calm").files().items()}
        rng, done, repositories, half = random.Random(1), 0, 0, 0
        while done < wanted:
            repo, running = f"org/stormy-{repositories}", True
            repositories += 1
            while running and done < wanted:
                process = start(repo)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(rng.uniform(0.1, 1.0) * whole)
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    done += 1
                else:
                    running = False
            assert start(repo).wait() == 0
            found = hub.dataset(repo)
            end = {path: blob.oid for path, blob in found.files("v1").items()}
            same = {p for p in calm if p != "README.md" and calm[p] == end.get(p)} == set(calm) - {"README.md"}
            half += sum(1 for oid, _ in found.log[1:] if set(found.commits[oid]) != set(calm)) + (not same)
            half += len(found.log) != 2
        print(
            "\n| kills | repositories | a calm run takes | files as without kills, one commit, nothing half under the tag |"
        )
        print("|---|---|---|---|")
        print(f"| {done} | {repositories} | {whole:.1f} s | {'yes, in all' if not half else f'NO: {half}'} |")
    sys.exit(half > 0)


if __name__ == "__main__":
    main()
