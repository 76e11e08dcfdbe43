"""Models of transformers' own classes with random weights, made on the spot: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def byte_tokenizer() -> Any:
    """A byte-level BPE that can write any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["مرحبا بكم", "شكرا"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=64,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        eos_token="[SEP]",
    )


def toy_whisper(folder: Path) -> Path:
    """A Whisper of one layer, saved with its tokenizer and features. It hears 30 s like any other."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    tokenizer = byte_tokenizer()
    shape = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_mel_bins=80,
        max_target_positions=32,
        decoder_start_token_id=1,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        max_length=8,
    )
    WhisperForConditionalGeneration(shape).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


def toy_chat(folder: Path, answer: str) -> Path:
    """A Llama that answers `answer` to everything, saved with its tokenizer and chat template.

    Its one layer adds nothing, so each token decides the next: after the template's last token comes the answer,
    which is one token, and after that the end. The weights are set by hand; the code that runs is transformers' own.
    """
    import torch
    from tokenizers import AddedToken
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|system|>", "<|user|>", "<|assistant|>"]})
    tokenizer.add_tokens([AddedToken(answer, normalized=False)])
    tokenizer.model_max_length = 8192
    tokenizer.chat_template = (
        "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(shape)
    said, turn = tokenizer.convert_tokens_to_ids([answer, "<|assistant|>"])
    with torch.no_grad():
        torch.nn.init.zeros_(model.model.layers[0].self_attn.o_proj.weight)
        torch.nn.init.zeros_(model.model.layers[0].mlp.down_proj.weight)
        tokens, heads = model.model.embed_tokens.weight, model.lm_head.weight
        torch.nn.init.normal_(tokens)
        heads.zero_()
        heads[said], heads[tokenizer.eos_token_id] = tokens[turn], tokens[said]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
