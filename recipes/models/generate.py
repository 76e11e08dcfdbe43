"""Answers: what the audio LLM generates for a batch of prompts, word by likeliest word."""

from __future__ import annotations

from recipes.models.collate import Inputs
from recipes.models.load import LoadedModel


def generate(loaded: LoadedModel, prompts: Inputs, *, max_new_tokens: int = 256) -> list[str]:
    """Greedy answers to a batch of prompts (padded on the left: see `Encoder.prompts`)."""
    import torch

    tokenizer = loaded.encoder.tokenizer
    inputs = prompts.model_inputs(loaded.device)
    was_training = loaded.model.training
    loaded.model.eval()
    with torch.inference_mode():
        answers = loaded.model.generate(
            **inputs,
            use_cache=True,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=loaded.encoder.end_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    loaded.model.train(was_training)
    return [
        text.strip()
        for text in tokenizer.batch_decode(answers[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    ]
