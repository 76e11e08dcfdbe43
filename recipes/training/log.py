"""The log of a run: one JSON object a line in `log.jsonl`, a short line in the terminal.

`recipes.compare` reads `log.jsonl`; trackers (TensorBoard, trackio, Weights & Biases) get the same numbers
through accelerate where they are installed. On resume the lines after the checkpoint are dropped, so that the
log of an interrupted run is the log of an uninterrupted one.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

Line = dict[str, Any]


class RunLog:
    """The log of one run; only the main process has one."""

    def __init__(self, run: Path, *, resumed_at: int, total: int, accelerator: Any = None) -> None:
        self.path = run / "log.jsonl"
        keep_until(self.path, resumed_at)
        self._file: TextIO = self.path.open("a", encoding="utf-8")
        self._total, self._accelerator = total, accelerator

    def step(self, line: Line) -> None:
        """A training step: step, phase, loss, task_loss, grad_norm, lr, tokens, seconds, epoch."""
        self._write(line)
        tasks = "  ".join(f"{task} {loss:.3f}" for task, loss in sorted(line["task_loss"].items()))
        speed = line["tokens"] / line["seconds"] if line["seconds"] else 0.0
        print(
            f"step {line['step']:>{len(str(self._total))}}/{self._total}  {line['phase']}  loss {line['loss']:.4f}  "
            f"({tasks})  grad {line['grad_norm']:.3f}  lr {line['lr']:.2e}  {speed:,.0f} tokens/s",
            flush=True,
        )

    def evaluation(self, line: Line) -> None:
        """An evaluation: step and {task: {metric: value}}."""
        self._write(line)
        for task, metrics in line["eval"].items():
            print(
                f"  eval {task:<8} " + "  ".join(f"{name} {value:.4f}" for name, value in metrics.items()), flush=True
            )

    def close(self) -> None:
        self._file.close()

    def _write(self, line: Line) -> None:
        # A whole line in one write and flushed: a killed run leaves no half line behind a reader's back.
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        if self._accelerator is not None and self._accelerator.trackers:
            numbers = {name: value for name, value in flat_numbers(line).items() if name != "step"}
            self._accelerator.log(numbers, step=line["step"])


def keep_until(path: Path, step: int) -> None:
    """Drop the lines after `step`, and a last line cut short by a crash."""
    if not path.is_file():
        return
    lines = [line for line in read_log(path) if line["step"] <= step]
    temporary = path.with_name(".log.writing")
    temporary.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    temporary.replace(path)


def read_log(path: Path) -> list[Line]:
    """The lines of a log; a half-written last one is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


def flat_numbers(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested numbers under names such as `task_loss/asr`, as trackers like them."""
    flat: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flat_numbers(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)):
            flat[f"{prefix}{name}"] = float(value)
    return flat


def installed_trackers(wanted: Sequence[str]) -> list[str]:
    """Those of `wanted` that can be imported. The others are named in a message and never stop a run."""
    installed = []
    for name in wanted:
        if importlib.util.find_spec(name) is None:
            print(f"log.trackers: {name} is not installed, so this run logs without it (pip install {name})")
        else:
            installed.append(name)
    return installed
