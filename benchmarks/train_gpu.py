"""A LoRA step of Qwen2.5-Omni's size on a GPU: tokens per second, and how much of the chip's arithmetic that is.

    python benchmarks/train_gpu.py [--size 7b|3b]

Random weights in bfloat16, the real classes, our own step with adapters on the language model. The peer is
arithmetic: what the step's matrix products would take at the chip's dense bfloat16 peak. A frozen weight
costs 2 operations a token forward and 2 backward (its input's gradient, not its own); checkpointing runs the forward
twice. The model-FLOP utilization counts the 4, the hardware's utilization the 6. On a small shape the count
agrees with torch's own FLOP counter to 1 %. Without a GPU only the arithmetic is printed, and that nothing was measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from recipes.config import RecipeConfig, parse_config
from recipes.models.collate import Encoder, Inputs, Prompt
from recipes.models.config import TinyShape
from recipes.models.load import LoadedModel, enable_gradient_checkpointing
from recipes.models.lora import add_adapters
from recipes.models.tiny import SPECIAL_TOKENS, sample_text, train_tokenizer
from recipes.training.batches import MicroBatch
from recipes.training.estimates import GPUS
from recipes.training.rates import learning_rates, make_optimizer
from recipes.training.step import take_step

PEAKS = {chip: peak for chip, (peak, _) in GPUS.items()}


@dataclass(frozen=True)
class Size:
    """The language model's shape; the audio tower is the same in both sizes (32 layers of 1,280)."""

    width: int
    layers: int
    heads: int
    key_value_heads: int
    inner: int
    vocabulary: int

    @property
    def weights_per_token(self) -> int:
        """Weights of the layers' matrices: what each token is multiplied with."""
        head = self.width // self.heads
        attention = 2 * self.width * self.width + 2 * self.width * head * self.key_value_heads
        return self.layers * (attention + 3 * self.width * self.inner)


SIZES = {
    "7b": Size(width=3584, layers=28, heads=28, key_value_heads=4, inner=18944, vocabulary=152064),
    "3b": Size(width=2048, layers=36, heads=16, key_value_heads=2, inner=11008, vocabulary=151936),
}
AUDIO_WEIGHTS = 32 * (4 * 1280 * 1280 + 2 * 1280 * 5120)


@dataclass(frozen=True)
class Work:
    """What one step has to do."""

    tokens: int
    padded: int
    targets: int
    audio_frames: int  # of 20 ms, as the audio tower's layers see them
    lengths: tuple[int, ...]


def operations(size: Size, work: Work, *, forward_passes: int) -> float:
    """Multiplications and additions of a step: frozen layers, attention, output layer, audio tower."""
    passes = forward_passes + 1  # backward through frozen weights costs one forward
    layers = 2 * size.weights_per_token * work.tokens * passes
    # QK and PV over the causal half; their backward has no frozen side and costs two forwards.
    attention = sum(2 * size.layers * size.width * length**2 for length in work.lengths) * (forward_passes + 2)
    output = 2 * size.width * size.vocabulary * work.targets * 2
    audio = 2 * AUDIO_WEIGHTS * work.audio_frames  # frozen, below the adapters: forward only
    return layers + attention + output + audio


def build(size: Size, *, device: str) -> LoadedModel:
    """The thinker at this size with random weights, made where it will work."""
    from transformers import Qwen2_5OmniThinkerForConditionalGeneration, WhisperFeatureExtractor

    from recipes.models.tiny import tiny_config

    tokenizer = train_tokenizer(sample_text(), vocabulary=1000)
    config = tiny_config(TinyShape(), tokenizer)
    text, audio = config.text_config, config.audio_config
    text.hidden_size, text.intermediate_size, text.num_hidden_layers = size.width, size.inner, size.layers
    text.num_attention_heads, text.num_key_value_heads = size.heads, size.key_value_heads
    text.vocab_size, text.max_position_embeddings = size.vocabulary, 32768
    text.rope_parameters = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
    text.layer_types = ["full_attention"] * size.layers
    audio.d_model, audio.encoder_layers, audio.encoder_attention_heads = 1280, 32, 20
    audio.encoder_ffn_dim, audio.output_dim = 5120, size.width
    config.vision_config.out_hidden_size = size.width
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        model = Qwen2_5OmniThinkerForConditionalGeneration(config)
    torch.set_default_dtype(torch.float32)
    assert set(SPECIAL_TOKENS) <= set(tokenizer.get_vocab())
    encoder = Encoder(
        tokenizer, WhisperFeatureExtractor(feature_size=128), audio_token_id=config.audio_token_id, system=""
    )
    return LoadedModel(model=model, encoder=encoder, name=f"random {size.width}")


def batch(encoder: Encoder, *, clips: int, seconds: float, seed: int) -> Inputs:
    """Clips of one length with answers of some 100 tokens, as in summarization."""
    rng = np.random.default_rng(seed)
    answer = "قال المتحدث اليوم إن الاجتماع سيعقد في العاصمة وأضاف أن النتائج ستعلن قريباً " * 5
    return encoder.examples(
        [
            Prompt("Transcribe the speech.", answer, rng.normal(0, 0.1, int(seconds * 16_000)).astype(np.float32))
            for _ in range(clips)
        ]
    )


def work_of(inputs: Inputs) -> Work:
    lengths = tuple(inputs.attention_mask.sum(dim=1).tolist())
    assert inputs.feature_attention_mask is not None
    return Work(
        sum(lengths), inputs.input_ids.numel(), inputs.targets, int(inputs.feature_attention_mask.sum()) // 2, lengths
    )


def measure(size: Size, config: RecipeConfig, *, clips: int, seconds: float, steps: int) -> dict[str, Any]:
    model = build(size, device="cuda")
    optimizer = make_optimizer(
        add_adapters(model, config.lora), learning_rates(config.train, config.lora), config.train
    )
    if config.train.gradient_checkpointing:
        enable_gradient_checkpointing(model.thinker)
    model.model.train()
    inputs = batch(model.encoder, clips=clips, seconds=seconds, seed=0)
    micro = MicroBatch(inputs.pin(), torch.zeros(clips, dtype=torch.long))
    times = []
    for _ in range(steps + 2):
        torch.cuda.synchronize()
        started = time.perf_counter()
        take_step(model, optimizer, [micro], tasks=("asr",), config=config.train)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return {
        "seconds": statistics.median(times[2:]),
        "work": work_of(inputs),
        "memory": torch.cuda.max_memory_allocated(),
    }


def show_arithmetic(name: str, size: Size) -> None:
    """What the numbers mean, without a GPU: operations of a token, and the limit of each known chip."""
    work = Work(tokens=8 * 900, padded=8 * 900, targets=8 * 100, audio_frames=8 * 1500, lengths=(900,) * 8)
    print(f"Qwen2.5-Omni-{name.upper()} shape: {size.weights_per_token / 1e9:.2f} G weights in the layers' matrices")
    print("a step of 8 clips of 30 s, 900 tokens each, LoRA on the language model:")
    for label, passes in (("without checkpointing", 1), ("with checkpointing", 2)):
        total = operations(size, work, forward_passes=passes)
        limits = ", ".join(f"{chip} {work.tokens * peak / total:,.0f}" for chip, peak in PEAKS.items())
        print(f"  {label}: {total / 1e12:.0f} T operations; limit in tokens/s: {limits}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="7b")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    size = SIZES[options.size]
    show_arithmetic(options.size, size)
    if not torch.cuda.is_available():
        print("\nNo GPU here: nothing was measured. The lines above are arithmetic alone.")
        return
    chip = torch.cuda.get_device_name()
    peak = next((value for name, value in PEAKS.items() if name in chip), None)
    print(
        f"\n{chip}\n| gradient checkpointing | tokens/s | step | memory | model-FLOP utilization | of the hardware |\n|---|---|---|---|---|---|"
    )
    for checkpointing in (False, True):
        config = parse_config(
            {"train": {"gradient_checkpointing": checkpointing}, "lora": {"dropout": 0.0}}, source="benchmark"
        )
        try:
            found = measure(size, config, clips=options.clips, seconds=options.seconds, steps=options.steps)
        except torch.OutOfMemoryError:
            print(f"| {checkpointing} | out of memory | | | | |")
            continue
        finally:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        work, took = found["work"], found["seconds"]
        used = [
            operations(size, work, forward_passes=passes) / took / peak if peak else float("nan")
            for passes in (1, 1 + checkpointing)
        ]
        print(
            f"| {checkpointing} | {work.tokens / took:,.0f} | {took:.2f} s | {found['memory'] / 2**30:.1f} GiB | "
            f"{used[0]:.1%} | {used[1]:.1%} |"
        )


if __name__ == "__main__":
    main()
