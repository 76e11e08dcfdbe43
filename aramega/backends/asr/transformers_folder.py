"""Whisper checkpoints as transformers saves them: a folder, or the Hub's name of one, fine-tunes above all.

The weights are given openai-whisper's names and run in its code: the same decoder, batches and word times serve both,
and transformers itself is not needed. Files are read as tensors and JSON, never as code. What it does not do: adapters
that are not merged, and models whose vocabulary is not Whisper's own.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aramega.display import visible
from aramega.records import AramegaError

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_VOCABULARIES = (51864, 51865, 51866)
"""Whisper's own: English alone, 99 languages, 100."""
_HUB_FILES = ["*.json", "*.safetensors"]

_DIMENSIONS = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_vocab": "vocab_size",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
"""openai-whisper's names and transformers'."""
_RENAMED = (
    ("layers.", "blocks."),
    ("fc1.", "mlp.0."),
    ("fc2.", "mlp.2."),
    ("final_layer_norm.", "mlp_ln."),
    ("encoder_attn_layer_norm.", "cross_attn_ln."),
    ("self_attn_layer_norm.", "attn_ln."),
    (".encoder_attn.", ".cross_attn."),
    (".self_attn.", ".attn."),
    (".q_proj.", ".query."),
    (".k_proj.", ".key."),
    (".v_proj.", ".value."),
    (".out_proj.", ".out."),
    ("decoder.embed_tokens.", "decoder.token_embedding."),
    ("decoder.embed_positions.weight", "decoder.positional_embedding"),
    ("encoder.embed_positions.weight", "encoder.positional_embedding"),
    ("encoder.layer_norm.", "encoder.ln_post."),
    ("decoder.layer_norm.", "decoder.ln."),
)


def is_hub_name(name: str) -> bool:
    """Whether a name can be a model's on the Hub, `owner/model`, and is nothing on this disk."""
    return bool(_HUB_NAME.fullmatch(name)) and not name.endswith((".pt", ".pth", ".bin")) and not Path(name).exists()


def check_folder(folder: Path) -> None:
    """Raise for a folder that holds no Whisper as transformers saves it, without loading it."""
    config = _read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind != "whisper":
        raise AramegaError(
            f"{folder}: a model of another architecture ({visible(kind or 'its config.json names none')}); "
            "--asr-model takes a Whisper. Others are reached through a server: endpoint:MODEL@URL."
        )
    if config.get("vocab_size") not in _VOCABULARIES:
        raise AramegaError(
            f"{folder}: its vocabulary has {visible(config.get('vocab_size'))} entries and Whisper's has {_VOCABULARIES[1]}: "
            "a model with tokens of its own can't be read here."
        )
    if not any(_weight_files(folder)):
        adapter = " It is an adapter: merge it first." if (folder / "adapter_config.json").exists() else ""
        raise AramegaError(f"{folder}: no model.safetensors and no pytorch_model.bin in it.{adapter}")


def fetch_from_hub(name: str) -> Path:
    """The folder of a model on the Hub, downloaded the first time."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise AramegaError(f"--asr-model {name}: needs huggingface_hub: pip install huggingface_hub.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:  # noqa: BLE001  the Hub's client raises many kinds
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise AramegaError(
            f"--asr-model {name}: can't be had from the Hub, and no such file is here ({first})."
        ) from None


def read_folder(folder: Path) -> dict[str, Any]:
    """The folder's model as a checkpoint in openai-whisper's format, with the heads that tell the time of a word."""
    check_folder(folder)
    config = _read_json(folder / "config.json")
    try:
        dims = {ours: int(config[theirs]) for ours, theirs in _DIMENSIONS.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise AramegaError(f"{folder}/config.json: no Whisper's dimensions ({visible(error)}).") from None
    weights = {_rename(name): value for name, value in _weights(folder) if "proj_out" not in name}
    heads = _alignment_heads(folder, dims["n_text_layer"], dims["n_text_head"])
    return {"dims": dims, "model_state_dict": weights, "alignment_heads": heads}


def _rename(name: str) -> str:
    """A weight's name in openai-whisper's code."""
    name = name.removeprefix("model.")
    for theirs, ours in _RENAMED:
        name = name.replace(theirs, ours)
    return name


def _weight_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


def _weights(folder: Path) -> Iterator[tuple[str, Any]]:
    import torch

    for file in _weight_files(folder):
        try:
            if file.suffix == ".safetensors":
                from safetensors.torch import load_file

                yield from load_file(file).items()
            else:
                yield from torch.load(file, map_location="cpu", weights_only=True).items()
        except Exception as error:  # noqa: BLE001  of a file that is cut short many kinds come
            raise AramegaError(f"{file}: cannot be read as weights ({visible(error, 200)}).") from None


def _alignment_heads(folder: Path, layers: int, heads: int) -> list[tuple[int, int]]:
    """The decoder's heads that attend to the word being said, as the model's makers found them; empty: not told."""
    path = folder / "generation_config.json"
    named = _read_json(path).get("alignment_heads") if path.exists() else None
    try:
        pairs = [(int(layer), int(head)) for layer, head in named or ()]
    except (TypeError, ValueError):
        return []
    return [pair for pair in pairs if 0 <= pair[0] < layers and 0 <= pair[1] < heads]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AramegaError(f"{path.parent}: is a folder without a model (it has no config.json).") from None
    except (OSError, ValueError, RecursionError) as error:
        raise AramegaError(f"{path}: cannot be read ({visible(error, 200)}).") from None
    return content if isinstance(content, dict) else {}
