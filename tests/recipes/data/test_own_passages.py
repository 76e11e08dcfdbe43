"""What the package builds is what its recipes train on: sound to passages, to a dataset, to a run, nothing lost on the way."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import datasets
import pytest

from recipes import train
from recipes.config import load_config
from recipes.data import load_examples
from recipes.training import loop
from tests.publish.sets import WORDS
from tests.support.cli import run_cli

CONFIGS = Path(__file__).parents[3] / "recipes" / "configs"
TEMPOS = {"slow": 0.8, "quick": 1.25}
SMALL = [
    'model.path="tiny"',
    "model.tiny={width=32, audio_width=32, audio_layers=1}",
    'model.dtype="float32"',
    'train.precision="fp32"',
    "train.accumulation=1",
    "schedule.batch_size=8",
    "eval.max_new_tokens=4",
]


def subtitles(path: Path, *, seconds: int, seed: int) -> None:
    """A cue every three seconds, of words that no other recording has in this order."""
    rng = random.Random(seed)
    cues = [
        f"{number}\n00:{at // 60:02}:{at % 60:02},000 --> 00:{(at + 3) // 60:02}:{(at + 3) % 60:02},000\n"
        f"{' '.join(rng.choices(WORDS, k=7))}.\n"
        for number, at in enumerate(range(0, seconds, 3), start=1)
    ]
    path.write_text("\n".join(cues), encoding="utf-8")


@pytest.fixture(scope="module")
def dataset(broadcast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample broadcast at two speeds, built with every option as it comes, and published."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "in").mkdir()
    for seed, (name, tempo) in enumerate(TEMPOS.items()):
        command = ["ffmpeg", "-v", "error", "-i", str(broadcast), "-af", f"atempo={tempo}", f"{folder}/in/{name}.mp3"]
        subprocess.run(command, check=True)
        subtitles(folder / "in" / f"{name}.srt", seconds=round(250 / tempo), seed=seed)
    build = ("build-ssum", folder / "in", "-w", folder / "w", "-q", "--asr-model", "subtitles")
    assert run_cli(*build).code == 0
    assert run_cli("publish", folder / "w", "--to", folder / "set").code == 0
    return folder / "set"


@pytest.mark.parametrize("name", ["one-gpu", "tiny"])
def test_a_shipped_config_trains_on_the_packages_own_passages(
    name: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by what the optimizer's steps were taken on: whose passage it was, and how long it was heard."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    published = datasets.load_dataset(str(dataset), "ssum", split="train")
    passages = dict(zip(published["id"], published["seconds"], strict=True))
    assert len(passages) >= 6
    assert max(passages.values()) > 60
    heard: dict[str, float] = {}

    def watched(model, optimizer, micros, **more):
        for micro in micros:
            with_audio = [row for row in micro.inputs.rows if not row.startswith("text_summ/")]
            frames = (
                [] if micro.inputs.feature_attention_mask is None else micro.inputs.feature_attention_mask.sum(dim=1)
            )
            for row, count in zip(with_audio, frames, strict=True):
                heard[row.split("/")[-1]] = int(count) / 100
        return take_step(model, optimizer, micros, **more)

    take_step = loop.take_step
    monkeypatch.setattr(loop, "take_step", watched)
    settings = [*SMALL, f'data.datasets=[{{path="{dataset}", configuration="ssum"}}]', "schedule.steps=4"]
    arguments = [word for setting in settings for word in ("--set", setting)]
    assert train.main([str(CONFIGS / f"{name}.toml"), "--run", str(tmp_path / "run"), *arguments]) == 0
    whole = [number for number, seconds in passages.items() if heard.get(number, 0) == pytest.approx(seconds, abs=0.05)]
    assert len(whole) >= 0.95 * len(passages)


TRANSCRIBED = 'data.tasks=["asr", "ssum"]'
"""What these passages have: nobody labelled them."""


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.toml")))
def test_no_shipped_config_leaves_out_a_published_clip_for_its_length(
    name: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    for configuration in ("ssum", "asr"):
        own = f'data.datasets=[{{path="{dataset}", configuration="{configuration}"}}]'
        examples = load_examples(load_config(CONFIGS / f"{name}.toml", [own, TRANSCRIBED]).data, "train")
        assert not [note for note in examples.notes if "longer" in note]
