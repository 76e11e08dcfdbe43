"""Warm towers: Whisper's encoder in the toy's audio tower, weight for weight."""

from __future__ import annotations

import os

import pytest
import torch

from recipes.errors import RecipeError
from recipes.models.aligner import aligner_embeddings
from recipes.models.collate import Prompt
from recipes.models.config import ModelConfig, TinyShape
from recipes.models.load import LoadedModel, audio_tower, load_model, save_model
from recipes.models.lora import train_everything
from recipes.models.towers import demo_recognizer
from recipes.training.losses import target_losses
from tests.recipes.toys import sound


@pytest.fixture(scope="module")
def warm() -> LoadedModel:
    return load_model(ModelConfig(path="tiny", dtype="float32", tiny=TinyShape(width=32, tower="demo")))


def whisper_frames(checkpoint: str, mel: torch.Tensor) -> torch.Tensor:
    """What openai-whisper's own encoder makes of two seconds, before any pooling."""
    whisper = pytest.importorskip("whisper")
    from torch.nn import functional as F

    saved = torch.load(checkpoint, weights_only=True)
    encoder = whisper.model.Whisper(whisper.model.ModelDimensions(**saved["dims"])).encoder
    encoder.load_state_dict(
        {
            k.removeprefix("encoder."): v.float()
            for k, v in saved["model_state_dict"].items()
            if k.startswith("encoder.")
        }
    )
    with torch.no_grad():
        hidden = F.gelu(encoder.conv2(F.gelu(encoder.conv1(mel[None])))).permute(0, 2, 1)
        hidden = hidden + encoder.positional_embedding[: hidden.shape[1]]
        for block in encoder.blocks:
            hidden = block(hidden)
    return encoder.ln_post((hidden[0, 0::2] + hidden[0, 1::2]) / 2).detach()


def tower_frames(model: LoadedModel, mel: torch.Tensor) -> torch.Tensor:
    """The tower's frames behind its last normalization, where the aligner takes them."""
    tower = audio_tower(model.thinker)
    caught: list[torch.Tensor] = []
    hook = tower.ln_post.register_forward_hook(lambda _, __, output: caught.append(output))
    lengths = torch.tensor([mel.shape[1]])
    with torch.no_grad():
        tower(mel, feature_lens=lengths, aftercnn_lens=(lengths - 1) // 2 + 1)
    hook.remove()
    return caught[0]


@pytest.mark.parametrize("tower", ["demo", os.environ.get("ARAMEGA_REAL_WHISPER_CHECKPOINT", "")])
def test_the_tower_hears_what_whispers_encoder_hears(tower):
    if not tower:
        pytest.skip("set ARAMEGA_REAL_WHISPER_CHECKPOINT to a checkpoint of openai-whisper")
    model = load_model(ModelConfig(path="tiny", dtype="float32", tiny=TinyShape(width=32, tower=tower)))
    mel = torch.from_numpy(model.encoder.mel(sound(2.0, seed=3)))
    expected = whisper_frames(str(demo_recognizer()) if tower == "demo" else tower, mel)
    assert torch.allclose(tower_frames(model, mel), expected, atol=2e-2, rtol=2e-2)  # half-precision weights


def test_a_warm_toy_learns_and_is_saved_like_any_other(warm, tmp_path):
    prompts = [Prompt("Write.", "صفر", sound(1.0, seed=1), "clip")]
    loss = target_losses(warm, warm.encoder.examples(prompts))
    assert torch.isfinite(loss).all()
    save_model(warm, tmp_path)
    again = load_model(ModelConfig(path=str(tmp_path), dtype="float32"))
    assert (aligner_embeddings(again, [prompts[0].audio]) == aligner_embeddings(warm, [prompts[0].audio])).all()


def test_a_frozen_tower_leaves_its_aligner_and_the_language_model_to_train(warm):
    train_everything(warm, freeze_tower=True)
    trained = {name for name, weight in warm.thinker.named_parameters() if weight.requires_grad}
    heard = {name for name in trained if "audio_tower" in name}
    assert {name.rpartition("audio_tower.")[2] for name in heard} == {"proj.weight", "proj.bias"}
    assert any("lm_head" in name for name in trained)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_file_that_is_no_checkpoint_is_a_clear_error(tmp_path, content):
    path = tmp_path / "broken.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match="not a Whisper checkpoint"):
        load_model(ModelConfig(path="tiny", tiny=TinyShape(tower=str(path))))
