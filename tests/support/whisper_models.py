"""Whisper checkpoints made on the spot: real code, random weights, a few megabytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

SIZES = {"n_mels": 80, "n_audio_ctx": 1500, "n_vocab": 51865, "n_text_ctx": 448}


def save_random_whisper(path: Path, *, width: int = 32, layers: int = 1, seed: int = 0, spread: float = 0.15) -> Path:
    """A checkpoint in openai-whisper's format. `spread` makes its weights large enough to have opinions."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(seed)
    dims = ModelDimensions(
        **SIZES,
        n_audio_state=width,
        n_audio_head=2,
        n_audio_layer=layers,
        n_text_state=width,
        n_text_head=2,
        n_text_layer=layers,
    )
    model = Whisper(dims)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=spread)
    torch.save({"dims": asdict(dims), "model_state_dict": model.state_dict()}, path)
    return path


def save_random_ct2_whisper(folder: Path, *, width: int = 32, layers: int = 1, quantization: str | None = None) -> Path:
    """The same kind of model for faster-whisper, converted from transformers' by CTranslate2's own converter."""
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=SIZES["n_vocab"],
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
    )
    source = folder.with_name(f"{folder.name}-transformers")
    model = WhisperForConditionalGeneration(config)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = []
    model.save_pretrained(source)
    WhisperFeatureExtractor(feature_size=SIZES["n_mels"]).save_pretrained(source)
    whisper_tokenizer().save(str(source / "tokenizer.json"))
    converter = TransformersConverter(str(source), copy_files=["tokenizer.json", "preprocessor_config.json"])
    converter.convert(str(folder), quantization=quantization, force=True)
    settings = json.loads((folder / "config.json").read_text())
    settings["lang_ids"] = _language_tokens()  # a real checkpoint's tokenizer configuration names them
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def _language_tokens() -> list[int]:
    from whisper.tokenizer import get_tokenizer

    return list(get_tokenizer(multilingual=True).all_language_tokens)


def whisper_tokenizer():
    """Whisper's multilingual vocabulary, from openai-whisper's own file, as transformers would have it."""
    import whisper
    from transformers.convert_slow_tokenizer import TikTokenConverter
    from whisper.tokenizer import get_tokenizer

    encoding = get_tokenizer(multilingual=True).encoding
    special = sorted(encoding._special_tokens, key=encoding._special_tokens.__getitem__)
    vocabulary = Path(whisper.__file__).parent / "assets" / "multilingual.tiktoken"
    return TikTokenConverter(str(vocabulary), pattern=encoding._pat_str, extra_special_tokens=special).converted()
