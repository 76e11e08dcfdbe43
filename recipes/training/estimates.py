"""Memory and hours of a run, worked out from the shape of the model.

Memory is a sum of five things: frozen weights (2 bytes each in bfloat16), the adapters with their gradients and
AdamW's two averages (16 bytes a weight), what checkpointing keeps of every layer, one layer worked out
again, and the logits where the loss is taken. Time is the tokens of the run times the operations of a
token, at a share of the chip's peak. It is arithmetic: `benchmarks/train_gpu.py` measures on a real one.
"""

from __future__ import annotations

from dataclasses import dataclass

from recipes.config import RecipeConfig
from recipes.errors import RecipeError
from recipes.models.compress import NO_COMPRESSION, CompressConfig, compressed_tokens

# Dense bfloat16 peak in operations a second, and memory in GiB, from the makers' data sheets.
GPUS = {
    "H200": (989e12, 141),
    "H100": (989e12, 80),
    "A100": (312e12, 80),
    "A100-40": (312e12, 40),
    "L40S": (362e12, 48),
    "A10": (125e12, 24),
    "4090": (165e12, 24),
}
GIB = 2**30
# The audio tower gives 25 frames a second, a token each where nothing compresses them; a system turn, an instruction and the turns' marks take about 45.
FRAMES_PER_SECOND, PROMPT_TOKENS = 25, 45
# Arabic words are about 2.5 tokens of Qwen's vocabulary.
TOKENS_PER_WORD = 2.5


@dataclass(frozen=True)
class Shape:
    """A thinker: its language model's shape, and the weights of its audio and vision towers."""

    width: int
    layers: int
    key_value_width: int
    inner: int
    vocabulary: int
    tied: bool
    towers: int

    @property
    def layer_weights(self) -> int:
        """The weights of the layers' matrices, which every token is multiplied with."""
        attention = 2 * self.width * self.width + 2 * self.width * self.key_value_width
        return self.layers * (attention + 3 * self.width * self.inner)

    @property
    def weights(self) -> int:
        embeddings = self.vocabulary * self.width * (1 if self.tied else 2)
        biases_and_norms = self.layers * (3 * self.width + 2 * self.key_value_width) + self.width
        return self.layer_weights + embeddings + biases_and_norms + self.towers

    def adapter_weights(self, rank: int) -> int:
        """LoRA on every linear layer of the language model: rank × (in + out) each."""
        attention = 4 * self.width + 2 * (self.width + self.key_value_width)
        return self.layers * rank * (attention + 3 * (self.width + self.inner))


SHAPES = {
    "7B": Shape(3584, 28, 512, 18944, 152064, tied=False, towers=1_316_197_376),
    "3B": Shape(2048, 36, 256, 11008, 151936, tied=False, towers=1_306_360_832),
}


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU."""

    weights: float
    adapters: float
    layer_inputs: float
    one_layer: float
    logits: float

    @property
    def total(self) -> float:
        return self.weights + self.adapters + self.layer_inputs + self.one_layer + self.logits


def memory(shape: Shape, config: RecipeConfig, *, tokens: int, targets: int) -> Memory:
    """Memory of one forward and backward pass over `tokens` tokens, `targets` of them answers."""
    train, bytes_each = config.train, 4 if config.model.dtype == "float32" else 2
    # A layer's activations for its backward pass: its inputs and norms, q, k, v and output, gate, up and product.
    in_layer = bytes_each * tokens * (6 * shape.width + 2 * shape.key_value_width + 3 * shape.inner)
    layers_kept = 1 if train.gradient_checkpointing else shape.layers
    return Memory(
        weights=bytes_each * shape.weights,
        adapters=16 * shape.adapter_weights(config.lora.rank),
        layer_inputs=bytes_each * tokens * shape.width * shape.layers if train.gradient_checkpointing else 0,
        one_layer=in_layer * layers_kept,
        # Logits in float32, their softmax, and its gradient.
        logits=3 * 4 * targets * shape.vocabulary,
    )


def operations_per_token(shape: Shape, *, checkpointing: bool) -> float:
    """Forward, backward through frozen weights (as much again), and with checkpointing the forward once more."""
    return 2.0 * shape.layer_weights * (3 if checkpointing else 2)


def hours(shape: Shape, config: RecipeConfig, *, tokens: float, peak: float, share: float, gpus: int = 1) -> float:
    """Hours of the whole run, at `tokens` an example and a share of the chips' peak."""
    work = config.schedule.steps * config.schedule.batch_size * tokens
    per_token = operations_per_token(shape, checkpointing=config.train.gradient_checkpointing)
    return work * per_token / (peak * share * gpus) / 3600


def example_tokens(*, seconds: float, words: float, compress: CompressConfig = NO_COMPRESSION) -> tuple[int, int]:
    """All tokens of an example, and those of its answer."""
    answer = round(words * TOKENS_PER_WORD) + 1
    sound = compressed_tokens(round(seconds * FRAMES_PER_SECOND), compress)
    return sound + PROMPT_TOKENS + answer, answer


def shape_of(config: RecipeConfig, size: str | None) -> tuple[Shape, str]:
    """The shape of the config's model and the name of its size, which `size` gives or else `model.path`."""
    name = size or next((each for each in SHAPES if each.lower() in config.model.path.lower()), None)
    if name is None:
        raise RecipeError(f"model.path = {config.model.path!r} doesn't say its size: add --size {' or '.join(SHAPES)}.")
    return SHAPES[name], name
