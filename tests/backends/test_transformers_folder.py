"""A Whisper as transformers saves it runs in the reference's code and says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aramega.backends.asr.by_name import choose_recognizer, describe_choice, make_recognizer
from aramega.backends.asr.checkpoints import load_model
from aramega.backends.asr.transformers_folder import is_hub_name
from aramega.config import TranscribeConfig
from aramega.records import AramegaError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("whisper")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fine-tuned")
    torch.manual_seed(0)
    sizes = dict.fromkeys(("encoder_layers", "decoder_layers", "encoder_attention_heads", "decoder_attention_heads"), 2)
    config = transformers.WhisperConfig(vocab_size=51865, d_model=32, encoder_ffn_dim=128, decoder_ffn_dim=128, **sizes)
    model = transformers.WhisperForConditionalGeneration(config)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    model.generation_config.alignment_heads = [[1, 0], [1, 1]]
    model.save_pretrained(path)
    return path


def test_it_says_what_transformers_says(folder: Path) -> None:
    theirs = transformers.WhisperForConditionalGeneration.from_pretrained(folder).eval()
    ours = load_model(str(folder), "cpu")
    mel, tokens = torch.randn(1, 80, 3000), torch.tensor([[50258, 50272, 50359, 50363, 11, 12]])
    with torch.inference_mode():
        expected = theirs(input_features=mel, decoder_input_ids=tokens).logits
        assert torch.allclose(ours(mel, tokens), expected, atol=1e-3)
    assert ours.alignment_heads.indices().T.tolist() == [[1, 0], [1, 1]]


def test_the_engine_is_chosen_by_what_the_name_is(folder: Path, tmp_path: Path) -> None:
    assert choose_recognizer(str(folder)).plugin.name == "openai-whisper"
    (tmp_path / "model.bin").touch()
    assert choose_recognizer(str(tmp_path)).plugin.name == "faster-whisper"
    assert choose_recognizer("demo").plugin.name == "openai-whisper"
    assert choose_recognizer("openai-whisper:medium").plugin.name == "openai-whisper"
    assert describe_choice("medium").startswith("medium is heard by ")
    make_recognizer(TranscribeConfig(model=str(folder))).check()


def test_a_folder_of_another_architecture_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "wav2vec2"}))
    with pytest.raises(AramegaError, match=r"another architecture .wav2vec2"):
        make_recognizer(TranscribeConfig(model=str(tmp_path))).check()


def test_a_folder_without_weights_and_one_with_broken_weights_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(AramegaError, match=r"no model\.safetensors"):
        make_recognizer(TranscribeConfig(model=str(tmp_path))).check()
    (tmp_path / "model.safetensors").write_bytes(b"cut short")
    with pytest.raises(AramegaError, match="cannot be read as weights"):
        load_model(str(tmp_path), "cpu")


def test_a_hub_name_is_no_path() -> None:
    assert is_hub_name("tarteel-ai/whisper-base-ar-quran")
    assert not is_hub_name("models/mine.pt")
    assert not is_hub_name("/models/mine")


def test_a_moved_folder_is_the_same_model(folder: Path) -> None:
    assert TranscribeConfig(model=str(folder)).model_key.startswith("sha256:")
