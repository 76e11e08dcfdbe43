"""Whisper checkpoints: by name, as files in openai-whisper's format, or as transformers' folders.

A checkpoint is somebody else's file, so it is read as tensors and never as code. One thing is ours: a
checkpoint may hold the embedding rows of the tokens it uses alone (`token_rows`), which makes a small
model a few megabytes rather than mostly rows of Chinese; the last row stands for all the others.
"""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aramega.backends.asr.transformers_folder import check_folder, fetch_from_hub, is_hub_name, read_folder
from aramega.records import AramegaError
from aramega.sample import RECOGNIZER

if TYPE_CHECKING:
    from whisper.model import Whisper

DEMO = "demo"
"""The name of the small checkpoint that comes with the package."""

_EMBEDDING = "decoder.token_embedding.weight"


def check_model(name: str) -> None:
    """Raise for a name or a file that can't be a checkpoint, without loading it."""
    if importlib.util.find_spec("whisper") is None:
        raise AramegaError(
            "transcribing needs openai-whisper: pip install '.[draft]' in aramega's clone. Or stop before it: --until passages."
        )
    if not _is_path(name):
        _check_name(name)
        return
    path = checkpoint_path(name)
    if path.is_dir():
        check_folder(path)
        return
    if is_hub_name(name):
        return
    if not path.exists():
        raise AramegaError(f"--asr-model {name}: no such file.")
    if not zipfile.is_zipfile(path):
        raise AramegaError(f"{path}: not a checkpoint (torch.save writes a zip, and this is none). Download it again?")


def load_model(name: str, device: str) -> Whisper:
    """The model on its device; a name is downloaded the first time, by whisper itself, which checks its hash."""
    import whisper

    if not _is_path(name):
        _check_name(name)
        try:
            return whisper.load_model(name, device=device)
        except (OSError, RuntimeError) as error:
            raise AramegaError(
                f"--asr-model {name}: could not be downloaded or read ({_first_line(error)}). Check the connection, or "
                "give the path of a checkpoint file."
            ) from None
    path = fetch_from_hub(name) if is_hub_name(name) else checkpoint_path(name)
    checkpoint = read_folder(path) if path.is_dir() else read_checkpoint(path)
    try:
        return model_of(checkpoint, device)
    except (TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise AramegaError(
            f"{path}: its weights are not those of a Whisper of its dimensions ({_first_line(error)})."
        ) from None


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The file's dimensions and weights, the embedding in full."""
    import torch

    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise AramegaError(f"--asr-model {path}: no such file.") from None
    except Exception as error:  # noqa: BLE001  torch raises many kinds for a file that is cut short or is something else
        raise AramegaError(f"{path}: cannot be read as a checkpoint ({_first_line(error)}).") from None
    if not isinstance(checkpoint, dict) or not {"dims", "model_state_dict"} <= checkpoint.keys():
        raise AramegaError(
            f"{path}: not openai-whisper's format (it has no `dims` and `model_state_dict`). Of a transformers "
            "checkpoint name the folder."
        )
    return expand_token_rows(checkpoint)


def expand_token_rows(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of only the used tokens' rows, with all rows; any other one as it is."""
    rows = checkpoint.get("token_rows")
    if rows is None:
        return checkpoint
    weights = dict(checkpoint["model_state_dict"])
    embedding = weights[_EMBEDDING]
    full = embedding[-1].repeat(checkpoint["dims"]["n_vocab"], 1)
    full[rows] = embedding[:-1]
    weights[_EMBEDDING] = full
    return {**checkpoint, "model_state_dict": weights}


def model_of(checkpoint: dict[str, Any], device: str) -> Whisper:
    """The model with the checkpoint's weights; told which heads tell the time of a word, it uses those."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict({name: value.float() for name, value in checkpoint["model_state_dict"].items()})
    if heads := checkpoint.get("alignment_heads"):
        mask = torch.zeros(model.dims.n_text_layer, model.dims.n_text_head, dtype=torch.bool)
        mask[tuple(zip(*heads, strict=True))] = True
        model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
    return model.to(device).eval()


def checkpoint_path(name: str) -> Path:
    if name == DEMO:
        return RECOGNIZER
    return Path(name).expanduser()


def _is_path(name: str) -> bool:
    path = Path(name)
    return (
        name == DEMO
        or "/" in name
        or name.endswith((".pt", ".pth", ".bin"))
        or path.is_file()
        or (path / "config.json").is_file()
    )


def _check_name(name: str) -> None:
    import whisper

    model_names = whisper.available_models()
    if name not in model_names:
        raise AramegaError(
            f"--asr-model {name}: no such Whisper, and no such file. The names are: {', '.join(model_names)}; "
            f"and `{DEMO}`, a toy that comes with this package."
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
