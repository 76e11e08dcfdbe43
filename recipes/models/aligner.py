"""Clips as vectors: the output of the aligner, the audio tower's last layer, averaged over a clip.

The aligner writes into the language model's embedding space, so clips that lie near each other here are alike to
the language model. The schedule ADS fills a batch with clips that lie far from each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from recipes.models.load import LoadedModel, audio_tower


def aligner_embeddings(loaded: LoadedModel, clips: Sequence[np.ndarray]) -> np.ndarray:
    """Each clip (16 kHz mono) at the aligner, averaged over its frames: float32, one row a clip."""
    mels = [loaded.encoder.mel(clip) for clip in clips]
    return embed_mels(loaded, mels)


def embed_mels(loaded: LoadedModel, mels: Sequence[np.ndarray]) -> np.ndarray:
    """Mel features (bands × frames) at the aligner. The tower takes clips end to end: no padding at all."""
    import torch

    tower = audio_tower(loaded.thinker)
    lengths = torch.tensor([mel.shape[1] for mel in mels])
    packed = torch.from_numpy(np.concatenate(mels, axis=1))
    with torch.inference_mode():
        halved, tokens = tower._get_feat_extract_output_lengths(lengths)
        frames = tower(
            packed.to(loaded.device, tower.conv1.weight.dtype),
            feature_lens=lengths.to(loaded.device),
            aftercnn_lens=halved.to(loaded.device),
        )
        means = torch.segment_reduce(frames.last_hidden_state.float(), "mean", lengths=tokens.to(loaded.device), axis=0)
    return means.cpu().numpy()


def aligner_key(loaded: LoadedModel) -> str:
    """A hash of the audio tower's weights and its compression: it names the model that embeddings belong to."""
    import torch

    digest = hashlib.sha256()
    for name, weight in sorted(audio_tower(loaded.thinker).state_dict().items()):
        digest.update(name.encode())
        digest.update(weight.detach().contiguous().view(torch.uint8).cpu().numpy().tobytes())
    if loaded.encoder.compress.active:
        digest.update(loaded.encoder.compress.model_dump_json().encode())
    return digest.hexdigest()[:16]
