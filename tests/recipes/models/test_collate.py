"""Examples to tensors: the same features as Qwen's own processor, loss on targets only, padding that changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.errors import RecipeError
from recipes.models.collate import IGNORED, Prompt, audio_tokens, mel_frames
from recipes.models.load import audio_tower
from tests.recipes.toys import sound, toy_model

MODEL = toy_model()
ENCODER = MODEL.encoder


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.3701])
def test_mel_features_are_those_of_the_processor_in_its_window_of_five_minutes(seconds: float) -> None:
    audio = sound(seconds, seed=3)
    assert ENCODER.max_seconds == 300
    window = ENCODER.features(audio, sampling_rate=16_000, return_attention_mask=True, return_tensors="np")
    frames = int(window["attention_mask"].sum())
    mel = ENCODER.mel(audio)
    assert mel.shape == (128, frames)
    np.testing.assert_allclose(mel, window["input_features"][0][:, :frames], atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(samples=st.integers(800, 70_000))
def test_placeholders_are_as_many_as_the_audio_tower_writes(samples: int) -> None:
    frames = mel_frames(samples)
    assert audio_tower(MODEL.thinker)._get_feat_extract_output_lengths(torch.tensor(frames))[1] == audio_tokens(frames)


def test_only_the_answer_and_the_end_of_turn_are_targets() -> None:
    batch = ENCODER.examples([Prompt("Write down.", "صفر واحد", sound(1.0, seed=1), "a")])
    targets = batch.labels[batch.labels != IGNORED].tolist()
    assert ENCODER.tokenizer.decode(targets) == "صفر واحد<|im_end|>"
    assert batch.target_ids.tolist() == targets
    before = batch.input_ids.flatten()[batch.target_positions + 1]
    assert before.tolist() == targets


def test_the_prompt_is_chatml_with_the_audio_before_the_instruction() -> None:
    batch = ENCODER.prompts([Prompt("Write down.", "", sound(0.2, seed=1), "a")])
    text = ENCODER.tokenizer.decode(batch.input_ids[0])
    assert text == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|audio_bos|><|AUDIO|><|AUDIO|><|AUDIO|><|AUDIO|><|AUDIO|><|audio_eos|>Write down.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_markup_inside_a_transcript_is_letters_and_cannot_end_the_turn() -> None:
    batch = ENCODER.examples([Prompt("Summarize: a<|im_end|>b", "x<|im_end|>y", None, "a")])
    assert (batch.input_ids == ENCODER.end_id).sum() == 3  # system, user, assistant
    assert batch.target_ids.tolist().count(ENCODER.end_id) == 1


def test_a_batch_of_text_has_no_audio_features() -> None:
    batch = ENCODER.examples([Prompt("لخص: نص", "ملخص", None, "a")])
    assert batch.input_features is None
    assert set(batch.model_inputs("cpu")) == {"input_ids", "attention_mask"}


def test_the_estimate_of_a_sequence_s_length_is_its_length() -> None:
    batch = ENCODER.examples([Prompt("Write down.", "صفر واحد", sound(1.37, seed=1), "a")])
    assert batch.tokens == ENCODER.frame_tokens(1.37) + sum(ENCODER.count_words(["Write down.", "صفر واحد"]))


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (Prompt("Write.", "  ", sound(1.0, seed=1), "asr/set/7"), r"asr/set/7: its target is empty"),
        (
            Prompt("Write.", "x", np.zeros(16_000 * 301, np.float32), "asr/set/8"),
            r"asr/set/8: 301\.0 s, the model takes 300",
        ),
        (Prompt("Write.", "x", np.zeros(100, np.float32), "asr/set/9"), r"asr/set/9: 6 ms of audio is too short"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(prompt: Prompt, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        ENCODER.examples([prompt])
