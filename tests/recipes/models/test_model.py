"""The model: real Qwen2.5-Omni classes at toy size, its loss, its answers, its aligner."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.errors import RecipeError
from recipes.models.aligner import aligner_embeddings, aligner_key
from recipes.models.collate import Prompt
from recipes.models.config import ModelConfig
from recipes.models.generate import generate
from recipes.models.load import LoadedModel, audio_tower, load_model, save_model
from recipes.training.losses import target_losses
from tests.recipes.toys import sound, toy_model


def mixed_prompts() -> list[Prompt]:
    return [
        Prompt("Write down what is said.", "صفر واحد", sound(1.0, seed=1), "spoken"),
        Prompt("لخص: نص طويل نوعا ما", "ملخص", None, "written"),
        Prompt("Which dialect is spoken?", "Egyptian", sound(2.37, seed=2), "dialect"),
    ]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return toy_model()


def test_the_loss_on_target_positions_is_the_loss_transformers_takes_over_all(model: LoadedModel) -> None:
    batch = model.encoder.examples(mixed_prompts())
    with torch.no_grad():
        ours = target_losses(model, batch).sum() / batch.targets
        theirs = model.thinker(**batch.model_inputs("cpu"), labels=batch.labels).loss
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_a_passage_of_two_minutes_is_heard_to_its_end(model: LoadedModel) -> None:
    audio = sound(120.0, seed=1)
    other_end = audio.copy()
    other_end[-16_000:] = sound(1.0, seed=7)
    batch = model.encoder.examples([Prompt("Write.", "صفر", clip, "long") for clip in (audio, other_end)])
    with torch.no_grad():
        losses = target_losses(model, batch)
        theirs = model.thinker(**batch.model_inputs("cpu"), labels=batch.labels).loss
    assert losses.sum().item() / batch.targets == pytest.approx(theirs.item(), rel=1e-4)
    assert losses[0] != losses[1]
    first, second = aligner_embeddings(model, [audio, audio[: 60 * 16_000]])
    assert not np.allclose(first, second)


def test_embeddings_follow_a_tower_that_writes_fewer_tokens(model: LoadedModel) -> None:
    """As one with a compressor behind it: how many tokens there are is the tower's to say."""
    tower, clips = audio_tower(model.thinker), [sound(2.0, seed=1), sound(3.3, seed=2)]
    plain = tower._get_feat_extract_output_lengths
    lengths = plain(torch.tensor([200, 330]))[1]

    def halved(lengths):
        return plain(lengths)[0], plain(lengths)[1] // 2

    def first_halves(_, __, output):
        pieces = output.last_hidden_state.split(lengths.tolist())
        output.last_hidden_state = torch.cat([piece[: len(piece) // 2] for piece in pieces])
        return output

    hook = tower.register_forward_hook(first_halves)
    tower._get_feat_extract_output_lengths = halved
    try:
        together = aligner_embeddings(model, clips)
    finally:
        hook.remove()
        del tower._get_feat_extract_output_lengths
    assert together.shape == (2, model.thinker.config.text_config.hidden_size)
    assert np.isfinite(together).all()
    assert not np.allclose(together, aligner_embeddings(model, clips))


def test_an_example_has_the_same_loss_alone_and_among_others(model: LoadedModel) -> None:
    with torch.no_grad():
        together = target_losses(model, model.encoder.examples(mixed_prompts()))
        alone = [target_losses(model, model.encoder.examples([prompt]))[0] for prompt in mixed_prompts()]
    assert together.tolist() == pytest.approx([loss.item() for loss in alone], rel=1e-4)


def test_an_answer_does_not_depend_on_what_else_is_in_the_batch(model: LoadedModel) -> None:
    together = generate(model, model.encoder.prompts(mixed_prompts()), max_new_tokens=5)
    alone = [generate(model, model.encoder.prompts([p]), max_new_tokens=5)[0] for p in mixed_prompts()]
    assert together == alone


def test_the_loss_hears_the_audio(model: LoadedModel) -> None:
    def loss(seed: int) -> float:
        batch = model.encoder.examples([Prompt("Write down.", "صفر", sound(1.0, seed=seed), "a")])
        with torch.no_grad():
            return target_losses(model, batch).item()

    assert loss(1) != loss(2)


def test_the_same_shape_gives_the_same_weights_and_leaves_the_global_seed_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = toy_model()
    assert torch.equal(torch.rand(1), expected)
    assert aligner_key(first) == aligner_key(toy_model())
    assert aligner_key(first) != aligner_key(toy_model(seed=1))


def test_embeddings_are_means_over_the_clip_s_own_frames(model: LoadedModel) -> None:
    clips = [sound(1.0, seed=1), sound(2.9, seed=2)]
    together = aligner_embeddings(model, clips)
    assert together.shape == (2, 32)
    mel = model.encoder.mel(clips[1])
    with torch.no_grad():
        frames = audio_tower(model.thinker)(
            torch.from_numpy(mel),
            feature_lens=torch.tensor([mel.shape[1]]),
            aftercnn_lens=torch.tensor([(mel.shape[1] - 1) // 2 + 1]),
        ).last_hidden_state
    np.testing.assert_allclose(together[1], frames.mean(dim=0).numpy(), atol=1e-5)


def test_a_saved_model_loads_back_with_the_same_answers(model: LoadedModel, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    again = load_model(ModelConfig(path=str(tmp_path), dtype="float32"))
    prompts = mixed_prompts()
    assert generate(again, again.encoder.prompts(prompts), max_new_tokens=5) == generate(
        model, model.encoder.prompts(prompts), max_new_tokens=5
    )


def test_the_thinker_loads_from_a_checkpoint_laid_out_as_on_the_hub(model: LoadedModel, tmp_path: Path) -> None:
    """Qwen/Qwen2.5-Omni-7B holds thinker, talker and vocoder, with names older than today's classes."""
    from safetensors.torch import save_file

    save_model(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    renamed = {hub_name(name): weight.contiguous() for name, weight in model.thinker.state_dict().items()}
    renamed["talker.model.norm.weight"] = torch.ones(8)
    save_file(renamed, tmp_path / "model.safetensors", metadata={"format": "pt"})
    thinker = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "qwen2_5_omni", "thinker_config": thinker, "enable_audio_output": True})
    )

    loaded = load_model(ModelConfig(path=str(tmp_path), dtype="float32"))
    for name, weight in model.thinker.state_dict().items():
        assert torch.equal(loaded.thinker.state_dict()[name], weight), name


def hub_name(name: str) -> str:
    """Today's name of a weight → the one it has on the Hub."""
    for new, old in (
        ("model.language_model.", "model."),
        ("model.audio_tower.", "audio_tower."),
        ("model.visual.", "visual."),
    ):
        if name.startswith(new):
            return f"thinker.{old}{name.removeprefix(new)}"
    return f"thinker.{name}"


def test_a_path_that_is_no_model_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"model\.path .* could not be loaded"):
        load_model(ModelConfig(path=str(tmp_path)))
