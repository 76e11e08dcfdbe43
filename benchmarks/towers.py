"""Audio towers, frozen: how much of forty spoken words can be read off each, on speakers it did not train on?

    python benchmarks/towers.py --data ../shared/data

A tower's frames behind its last normalization, mean and standard deviation of a clip, logistic regression: 40 words of
Arabic Speech Commands, 240 clips of other speakers. The row of random weights is the one to beat: an encoder that
scores as it does has learned nothing. The demo's tower was trained with transcripts of these words (training speakers).
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.config import parse_config
from recipes.data.examples import Examples
from recipes.data.load import load_examples
from recipes.models.config import ModelConfig, TinyShape
from recipes.models.load import LoadedModel, audio_tower, load_model


def commands(data: Path, split: str) -> Examples:
    """The spoken words of one split, with who says them."""
    folder = str(data / "arabic-speech-commands")
    values = {"data": {"tasks": ["asr"], "datasets": [{"path": folder, "format": "speech-commands"}]}}
    return load_examples(parse_config(values, source="towers").data, split)


def frames(model: LoadedModel, mel: np.ndarray) -> np.ndarray:
    """What the aligner would get of a clip."""
    import torch

    tower = audio_tower(model.thinker)
    caught: list[Any] = []
    hook = tower.ln_post.register_forward_hook(lambda _, __, output: caught.append(output))
    lengths = torch.tensor([mel.shape[1]])
    with torch.inference_mode():
        tower(torch.from_numpy(mel), feature_lens=lengths, aftercnn_lens=(lengths - 1) // 2 + 1)
    hook.remove()
    return caught[0].numpy()


def pooled(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0)])


def features(name: str, examples: Examples) -> np.ndarray:
    """One row a clip: of the log-mel, or of a tower."""
    tower = "random" if name in ("log-mel", "random") else name
    shape = TinyShape(audio_width=128, audio_layers=4, mel_bins=80, head_width=32, tower=tower)
    model = load_model(ModelConfig(path="tiny", dtype="float32", tiny=shape))
    rows = []
    for index in range(len(examples)):
        audio = examples.load(index).audio
        assert audio is not None
        mel = model.encoder.mel(audio)
        rows.append(pooled(mel.T if name == "log-mel" else frames(model, mel)))
    return np.stack(rows)


def score(train: np.ndarray, words: np.ndarray, test: np.ndarray, answers: np.ndarray) -> float:
    """Macro-F1 of a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler().fit(train)
    fitted = LogisticRegression(max_iter=500).fit(scale.transform(train), words)
    return float(f1_score(answers, fitted.predict(scale.transform(test)), average="macro"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with arabic-speech-commands")
    parser.add_argument("--checkpoint", default=os.environ.get("ARAMEGA_REAL_WHISPER_CHECKPOINT", ""))
    parser.add_argument("--clips", type=int, default=480, help="training clips")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    train, test = commands(options.data, "train"), commands(options.data, "validation")
    train = train.subset(sorted(rng.permutation(len(train))[: options.clips].tolist()))
    test = test.subset(sorted(rng.permutation(len(test))[:240].tolist()))
    words, answers = (
        np.array([split.text(i).columns["transcription"] for i in range(len(split))]) for split in (train, test)
    )
    speakers = np.array([str(train.text(i).columns["speaker"]) for i in range(len(train))])
    names = sorted(set(speakers))
    print(f"{len(train)} clips of {len(names)} speakers, {len(test)} of others, {len(set(words))} words; macro-F1\n")
    print(f"| tower | {len(names)} speakers | 3 | 1 |\n|---|---|---|---|")
    for name in ("log-mel", "random", "demo", *([options.checkpoint] if options.checkpoint else [])):
        rows, held_out = features(name, train), features(name, test)
        cells = []
        for count in (len(names), 3, 1):
            mine = np.isin(speakers, names[:count])
            cells.append(f"{score(rows[mine], words[mine], held_out, answers):.3f}")
        print(f"| {Path(name).name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
