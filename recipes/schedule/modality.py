"""The shares of text and of speech over the run (after arXiv 2509.15389).

Where labelled text is plenty and paired speech is scarce, one trains on text alone, mixes in a few per cent
of speech, or reads first and listens after; across languages, speech of another language stands in for
what is missing. All of these are shares of a batch that change at most once: a plan here is a list of
spans, and `phases.py` crosses it with whichever schedule runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from recipes.errors import RecipeError
from recipes.schedule.config import ModalityConfig

Span = tuple[str, int, Mapping[str, float] | None]  # name, first step, share of each modality (None: as it comes)


def modality_spans(config: ModalityConfig, steps: int) -> list[Span]:
    """The run's spans in order; the first begins at step 0."""
    if config.mode == "any":
        return [("", 0, None)]
    if config.mode == "text-only":
        return [("text", 0, {"text": 1.0})]
    if config.mode == "mix":
        if config.speech + config.foreign > 1:
            raise RecipeError(
                f"schedule.modality: speech {config.speech} and foreign {config.foreign} are more than the whole"
            )
        return [("mix", 0, shares(speech=config.speech, foreign=config.foreign))]
    if config.mode == "text-then-both":  # two epochs of text, then one of both
        return [("text", 0, {"text": 1.0}), ("both", round(steps * 2 / 3), {"text": 0.5, "speech": 0.5})]
    if config.foreign == 1:
        raise RecipeError("schedule.modality: speech-last with foreign = 1 leaves no text to begin with")
    return [
        ("text", 0, shares(speech=0.0, foreign=config.foreign)),
        ("speech", round(config.speech_from * steps), shares(speech=1 - config.text_replay, foreign=0.0)),
    ]


def shares(*, speech: float, foreign: float) -> dict[str, float]:
    """Shares of the batch, text taking what the others leave; a modality without a share is left out."""
    # Rounded because 1 - 0.97 - 0.03 is not 0 in binary, and a share of 1e-17 would ask for rows of its own.
    text = round(1 - speech - foreign, 9)
    return {name: share for name, share in (("text", text), ("speech", speech), ("foreign", foreign)) if share > 0}
