"""A toy Qwen2.5-Omni, made on the spot: the real classes at 0.1 to 3 million parameters.

For laptops, tests and the from-scratch comparison of schedules: nothing is downloaded, the model comes
from a seed and the tokenizer is a byte-level BPE trained here on a few lines of text, so the same shape
gives the same weights everywhere. It knows nothing: it is for trying the machinery, or for training from zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recipes.models.config import TinyShape
from recipes.models.towers import WhisperEncoder, fill_tower, read_encoder
from recipes.tasks import build_tasks

if TYPE_CHECKING:
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5OmniThinkerConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
        WhisperFeatureExtractor,
    )

# Qwen2.5-Omni's own names, so that everything downstream finds them as in the real tokenizer.
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|audio_bos|>",
    "<|AUDIO|>",
    "<|audio_eos|>",
    "<|vision_bos|>",
    "<|vision_eos|>",
    "<|IMAGE|>",
    "<|VIDEO|>",
)

WINDOW_SECONDS = 300
"""The longest clip of Qwen2.5-Omni's own feature extractor."""

# Beside our tasks' instructions: enough of both languages for the usual words of answers to become few tokens.
SAMPLE_TEXT = (
    "You are a helpful assistant. system user assistant",
    "قال المتحدث اليوم إن الاجتماع سيعقد في العاصمة وأضاف أن النتائج ستعلن قريباً في نشرة الأخبار.",
    "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة نعم لا موافق إلغاء يمين يسار فوق تحت أمام خلف",
)


def make_tiny_model(
    shape: TinyShape,
) -> tuple[Qwen2_5OmniThinkerForConditionalGeneration, PreTrainedTokenizerFast, WhisperFeatureExtractor]:
    """The toy thinker of this shape in float32, its tokenizer and its mel features."""
    import torch
    from transformers import Qwen2_5OmniThinkerForConditionalGeneration, WhisperFeatureExtractor

    tokenizer = train_tokenizer(sample_text(), vocabulary=shape.vocabulary)
    encoder = None if shape.tower == "random" else read_encoder(shape.tower)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(shape.seed)
        model = Qwen2_5OmniThinkerForConditionalGeneration(tiny_config(shape, tokenizer, encoder))
    if encoder is not None:
        fill_tower(model.model.audio_tower if hasattr(model.model, "audio_tower") else model.audio_tower, encoder)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.name_or_path = "tiny"
    # As long a window as the real checkpoint's; the tower goes through it 2 s at a time, like the real one.
    mel_bins = encoder.mel_bins if encoder else shape.mel_bins
    features = WhisperFeatureExtractor(feature_size=mel_bins, chunk_length=WINDOW_SECONDS)
    return model.eval(), tokenizer, features


def sample_text() -> list[str]:
    """What the tokenizer is trained on: every instruction of every task, and some Arabic."""
    tasks = build_tasks().values()
    return [*SAMPLE_TEXT, *(text for task in tasks for text in task.instructions("speech"))]


def train_tokenizer(texts: Sequence[str], *, vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE trained on `texts`: any string can be written, words seen here in few tokens."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        list(texts), vocab_size=vocabulary, min_frequency=1, special_tokens=list(SPECIAL_TOKENS), show_progress=False
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer)
    named = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    tokenizer.add_special_tokens({**named, "additional_special_tokens": list(SPECIAL_TOKENS)})
    return tokenizer


def tiny_config(
    shape: TinyShape, tokenizer: PreTrainedTokenizerFast, encoder: WhisperEncoder | None = None
) -> Qwen2_5OmniThinkerConfig:
    """The thinker's config at this shape. The vision tower is there, as in the real one, and as small as can be."""
    from transformers import Qwen2_5OmniThinkerConfig

    ids = {name: token_id(tokenizer, name) for name in SPECIAL_TOKENS}
    config = Qwen2_5OmniThinkerConfig(
        text_config=language_config(shape, vocabulary=len(tokenizer), ids=ids),
        audio_config=audio_config(shape, encoder),
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 1,
            "out_hidden_size": shape.width,
            "fullatt_block_indexes": [0],
        },
        audio_token_index=ids["<|AUDIO|>"],
        image_token_index=ids["<|IMAGE|>"],
        video_token_index=ids["<|VIDEO|>"],
        audio_start_token_id=ids["<|audio_bos|>"],
        audio_end_token_id=ids["<|audio_eos|>"],
        position_id_per_seconds=25,
        seconds_per_chunk=2,
        user_token_id=token_id(tokenizer, "user"),
    )
    # The thinker reads these two, and its config has no fields for them.
    config.vision_start_token_id = ids["<|vision_bos|>"]
    config.vision_end_token_id = ids["<|vision_eos|>"]
    return config


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """The number of a token; 0 for one that the tokenizer does not have."""
    number = tokenizer.convert_tokens_to_ids(token)
    return number if isinstance(number, int) else 0


def language_config(shape: TinyShape, *, vocabulary: int, ids: Mapping[str, int]) -> dict[str, Any]:
    """The language model's part of the config; `ids` are those of the special tokens."""
    quarter = shape.head_width // 8  # the three parts of the rotary embedding: time, height and width
    return {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.width * 3,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.width // shape.head_width,
        "num_key_value_heads": max(1, shape.width // shape.head_width // 2),
        "max_position_embeddings": 32768,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [shape.head_width // 2 - 2 * (quarter + quarter // 2), *[quarter + quarter // 2] * 2],
        },
        # The usual 0.02 suits widths of thousands: at 64 it leaves every block next to silent, and learning slow.
        "initializer_range": shape.width**-0.5,
        "pad_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "tie_word_embeddings": False,
    }


def audio_config(shape: TinyShape, encoder: WhisperEncoder | None) -> dict[str, Any]:
    """The audio tower's part of the config: the toy's own shape, or that of the encoder it takes over."""
    if encoder is not None:
        width, layers, mel_bins, inner = encoder.width, encoder.layers, encoder.mel_bins, encoder.width * 4
        heads = encoder.heads
    else:
        width, layers, mel_bins, inner = shape.audio_width, shape.audio_layers, shape.mel_bins, shape.audio_width * 3
        heads = width // shape.head_width
    return {
        "num_mel_bins": mel_bins,
        "d_model": width,
        "encoder_layers": layers,
        "encoder_attention_heads": heads,
        "encoder_ffn_dim": inner,
        "output_dim": shape.width,
        "initializer_range": width**-0.5,
    }
