"""BERTScore, where `bert_score` is installed and a model for it is named. It is never needed.

The package knows the best layer of well-known models; for a folder of your own it takes the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.errors import RecipeError


def bertscore(answers: Sequence[str], references: Sequence[str], model: str) -> dict[str, Any]:
    """Mean precision, recall and F over the examples."""
    try:
        import bert_score
    except ImportError:
        raise RecipeError("eval.bertscore needs the bert_score package: pip install bert_score") from None
    layers = _layers(Path(model)) if Path(model).is_dir() else None
    try:
        scores = bert_score.score(
            list(answers), list(references), model_type=model, num_layers=layers, lang="ar", batch_size=32
        )
    except (OSError, KeyError) as error:
        raise RecipeError(f"eval.bertscore = {model!r}: bert_score can't use it ({error}).") from None
    return {"model": model, **{n: float(s.mean()) for n, s in zip(("precision", "recall", "f"), scores, strict=True)}}


def _layers(folder: Path) -> int:
    from transformers import AutoConfig

    return int(AutoConfig.from_pretrained(folder).num_hidden_layers)
