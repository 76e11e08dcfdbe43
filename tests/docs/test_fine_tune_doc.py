"""docs/fine-tune.md runs: its files are written, its snippets and commands executed, in order, as they stand.

`python -m recipes.X` is called in this process, which saves importing torch a dozen times; `accelerate launch`
is a real one. The Hub it pushes to is a loopback one.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import datasets
import huggingface_hub
import pytest

from recipes.config import RecipeConfig, known_keys, parse_config, tomllib
from tests.support.model_hub import model_hub

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fine-tune.md").read_text(encoding="utf-8")
BLOCKS = [
    (found["kind"], found["name"] or "", found["body"])
    for found in re.finditer(
        r"(?:Save this as `(?P<name>[\w.]+)`:\n\n)?```(?P<kind>\w+)\n(?P<body>.*?)```", PAGE, re.DOTALL
    )
]


def run(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """One command, as a shell would have run it; its output."""
    words = shlex.split(line)
    capsys.readouterr()
    if words[:2] == ["python", "-m"]:
        code = importlib.import_module(words[2] + ".__main__" * (words[2] == "recipes.schedule")).main(words[3:])
        said = capsys.readouterr()
        assert code in (0, None), f"{line}\n{said.out[-2000:]}{said.err[-2000:]}"
        return said.out
    assert words[:2] == ["accelerate", "launch"], f"a command this test can't run: {line}"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "accelerate.commands.launch", "--main_process_port", "0", *words[2:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_the_page_works_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    monkeypatch.setenv("HF_TOKEN", "hf_toy")
    names: dict[str, object] = {}
    printed = ""
    with model_hub("hf_toy") as hub:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
        for kind, name, body in BLOCKS:
            if kind == "toml" and name:
                Path(name).write_text(body, encoding="utf-8")
            elif kind == "toml":
                parse_config(tomllib.loads(body), source="the page")
            elif kind == "python":
                exec(compile(body, "docs/fine-tune.md", "exec"), names)
            elif kind == "text":
                assert printed.strip() == body.strip()
            elif kind != "bibtex":  # a citation is nothing to run
                printed = "".join(run(line, capsys) for line in body.strip().splitlines())
        pushed = hub.repositories["your-name/hybrid-adapter"]
        assert hub.private["your-name/hybrid-adapter"]
    assert {"adapter_model.safetensors", "adapter_config.json", "README.md"} <= set(pushed)
    assert b"TPC" in pushed["README.md"]
    assert (tmp_path / "runs" / "page" / "index.html").stat().st_size > 10_000
    report = json.loads((tmp_path / "runs/hybrid/evaluation/test/metrics.json").read_text(encoding="utf-8"))
    assert set(report["tasks"]) == {"asr", "ssum", "dialect"}


def test_every_key_the_page_names_exists():
    keys = {*known_keys(RecipeConfig)}
    sections = r"(?:model|lora|data|schedule|train|eval)"
    named = set(re.findall(rf"`({sections}\.[\w.]+)\b", PAGE)) | set(re.findall(rf"--set ({sections}\.[\w.]+)=", PAGE))
    assert named
    assert named <= keys
