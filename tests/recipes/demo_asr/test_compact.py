from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import whisper

from recipes.demo_asr.compact import compacted, whole_whisper
from recipes.demo_asr.evaluate import decode
from recipes.demo_asr.features import RATE


@pytest.fixture
def half_model(model):
    """What a file in float16 can hold, so that only the expansion is compared."""
    model.load_state_dict({name: tensor.half().float() for name, tensor in model.state_dict().items()})
    # The timestamps' rows are sums, which float16 would round.
    torch.nn.init.zeros_(model.whisper.decoder.token_embedding.parametrizations.weight[0].map)
    return model.eval()


def test_the_whole_model_gives_the_same_logits_for_used_tokens(half_model, tokens):
    whole = whole_whisper(compacted(half_model, {}))
    heard = torch.randn(1, 40, 32)
    prompt = list(tokens.tokenizer.sot_sequence)
    with torch.inference_mode():
        expected = half_model.whisper.decoder(torch.tensor([[tokens.row_of[token] for token in prompt]]), heard)
        logits = whole.decoder(torch.tensor([prompt]), heard)
    torch.testing.assert_close(logits[..., tokens.rows], expected[..., :-1])
    unused = sorted(set(range(tokens.vocabulary_size)) - set(tokens.rows))
    torch.testing.assert_close(logits[..., unused], expected[..., -1:].expand(-1, -1, len(unused)))


def test_what_one_timestamp_teaches_reaches_all_of_them_and_no_word(model, tokens):
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = model.whisper_state()["decoder.token_embedding.weight"]
    model.whisper.decoder.token_embedding.weight[tokens.row_of[tokens.timestamp(1.0)]].sum().backward()
    optimizer.step()
    moved = (model.whisper_state()["decoder.token_embedding.weight"] != before).any(dim=1)
    stamps = [tokens.row_of[tokens.timestamp(step / 50)] for step in range(1501)]
    assert moved[stamps].all()
    assert moved.sum() == len(stamps)


def test_training_weighs_the_shared_row_as_all_the_tokens_it_stands_for(model, tokens):
    assert tokens.unused_tokens + len(tokens.rows) == tokens.vocabulary_size == 51_865
    rows = torch.zeros(len(tokens.rows) + 1)
    rows[-1] = math.log(tokens.unused_tokens)
    # All logits equal: each token of the whole vocabulary must be equally likely.
    assert rows.softmax(-1)[0] == pytest.approx(1 / tokens.vocabulary_size, rel=1e-3)


def test_whispers_own_loader_takes_the_expanded_checkpoint_and_decodes(half_model, tmp_path):
    whole = whole_whisper(compacted(half_model, {}))
    torch.save({"dims": whole.dims.__dict__, "model_state_dict": whole.state_dict()}, tmp_path / "whole.pt")
    loaded = whisper.load_model(str(tmp_path / "whole.pt"), device="cpu")
    assert loaded.is_multilingual
    results = decode(loaded, [np.zeros(RATE, np.float32)], without_timestamps=False)
    assert 0 <= results[0].no_speech_prob <= 1


def test_the_file_is_small_and_says_what_it_is(half_model, tmp_path):
    torch.save(compacted(half_model, {"corpus": "four words"}), tmp_path / "small.pt")
    checkpoint = torch.load(tmp_path / "small.pt", weights_only=True)
    assert checkpoint["about"] == {"corpus": "four words"}
    assert checkpoint["dims"]["n_vocab"] == 51_865
    assert len(checkpoint["model_state_dict"]["decoder.token_embedding.weight"]) == len(checkpoint["token_rows"]) + 1
    assert {tensor.dtype for tensor in checkpoint["model_state_dict"].values()} == {torch.float16}
