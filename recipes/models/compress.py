"""Token compression: fewer audio tokens before the language model, so that whole passages fit.

The audio tower gives 25 frames a second. Between its last normalization and the aligner we make N = ceil(T / factor)
tokens of T frames: by averaging neighbours, by keeping every k-th, or by averaging segments whose bounds lie where the
sound changes. Afterwards LoRA lets the language model get used to the shorter input (Bhati and others, 2511.20973).

The number of audio placeholders must be known before the tower runs. So `segments` is rate-matched: only where its
bounds lie depends on the sound, never how many there are. All kinds therefore give equal tokens and compare fairly.

What it does not do: it drops no sound before the tower, which hears every frame and takes as long as before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from recipes.errors import RecipeError
from recipes.sections import Section

if TYPE_CHECKING:
    import torch

SETTINGS_FILE = "aramega.json"


class CompressConfig(Section):
    """[model.compress]"""

    kind: Literal["none", "mean", "skip", "segments", "fixed"] = Field(
        "none",
        description="how frames of sound become fewer tokens. mean: neighbours averaged; skip: every factor-th kept; "
        "segments: averaged between changes of the sound; fixed: as many tokens for any length",
    )
    factor: int = Field(3, ge=1, description="tokens of sound are a factor-th of the frames, rounded up; 1: all")
    tokens: int = Field(128, ge=1, description="fixed: tokens of a clip, or its frames where those are fewer")
    longest: int = Field(12, ge=1, description="segments: frames of 40 ms in the longest segment, factor at least")
    positions: Literal["dense", "time"] = Field(
        "dense", description="dense: tokens are counted; time: they keep the clock of 25 a second"
    )

    @model_validator(mode="after")
    def _segments_hold_the_rate(self) -> CompressConfig:
        if self.kind == "segments" and self.longest < self.factor:
            raise ValueError(f"longest = {self.longest} is less than factor = {self.factor}: too few tokens to do it")
        return self

    @property
    def active(self) -> bool:
        """Whether anything is compressed."""
        return self.kind == "fixed" or (self.kind != "none" and self.factor > 1)

    def __str__(self) -> str:
        if not self.active:
            return "every token of sound"
        amount = f"{self.tokens} tokens a clip" if self.kind == "fixed" else f"one token in {self.factor}"
        return f"{amount} ({self.kind}, {self.positions} positions)"


NO_COMPRESSION = CompressConfig()


def compressed_tokens(frames: int, config: CompressConfig) -> int:
    """The tokens of a clip with so many frames."""
    if config.kind == "fixed":
        return min(frames, config.tokens)
    return -(-frames // config.factor) if config.active else frames


def token_times(frames: int, config: CompressConfig) -> list[int]:
    """The frame at which each token of a clip stands on the clock of 25 a second."""
    count = compressed_tokens(frames, config)
    if config.kind == "fixed":
        return [token * frames // count for token in range(count)]
    return [token * (config.factor if config.active else 1) for token in range(count)]


def compress_frames(frames: torch.Tensor, lengths: Sequence[int], config: CompressConfig) -> torch.Tensor:
    """Shorten the frames (clips end to end × width) of clips with these lengths."""
    import torch

    if config.kind == "none":
        return frames
    clips = frames.split(list(lengths))
    sizes = torch.cat([group_sizes(clip, config) for clip in clips])
    if config.kind == "skip":
        return frames[sizes.cumsum(0) - sizes]
    # In float32, so that a mean of one frame is that frame and a mean of twelve loses nothing in bfloat16.
    return torch.segment_reduce(frames.float(), "mean", lengths=sizes, axis=0).to(frames.dtype)


def group_sizes(clip: torch.Tensor, config: CompressConfig) -> torch.Tensor:
    """How many frames of a clip each of its tokens stands for, in order."""
    import torch

    frames = len(clip)
    count = compressed_tokens(frames, config)
    if config.kind == "segments":
        starts = segment_starts(clip, count, longest=config.longest)
    elif config.kind == "fixed":
        starts = torch.arange(count, device=clip.device) * frames // max(1, count)
    else:
        starts = torch.arange(count, device=clip.device) * config.factor
    return torch.diff(starts, append=torch.tensor([frames], device=clip.device))


def segment_starts(clip: torch.Tensor, count: int, *, longest: int) -> torch.Tensor:
    """The first frames of `count` segments: a bound at every `longest`-th frame, the others at the greatest changes.

    A change is one minus the cosine of two neighbouring frames. The bounds at fixed places keep a long even stretch
    from becoming one token; where to put them is our reading of the paper, whose code is not public.
    """
    import torch
    from torch.nn import functional as F

    still = clip.detach().float()
    change = 1 - F.cosine_similarity(still[:-1], still[1:], dim=-1)
    change[longest - 1 :: longest] = torch.inf
    bounds = change.topk(count - 1).indices.sort().values + 1
    return torch.cat([bounds.new_zeros(1), bounds])


def install_compression(thinker: Any, tower: Any, config: CompressConfig) -> None:
    """Make a thinker's audio tower write compressed tokens. Hooks leave all module names as LoRA knows them.

    They sit behind the last normalization: the aligner is linear, so a mean before it is the mean after it, of fewer
    rows, and an adapter on the aligner sees the same rows as the aligner.
    """
    if config.kind == "none":
        return
    waiting: list[int] = []  # the lengths of the clips that are in the tower now
    plain_lengths = tower._get_feat_extract_output_lengths

    def note_lengths(_: Any, positional: Any, named: dict[str, Any]) -> None:
        lengths = named["feature_lens"] if "feature_lens" in named else positional[1]
        waiting[:] = plain_lengths(lengths)[1].tolist()

    def shorten(_: Any, __: Any, frames: torch.Tensor) -> torch.Tensor:
        return compress_frames(frames, take_lengths(waiting, len(frames)), config)

    def shorter_lengths(lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        halved, frames = plain_lengths(lengths)
        counts = [compressed_tokens(count, config) for count in frames.reshape(-1).tolist()]
        return halved, frames.new_tensor(counts).view_as(frames)

    tower.register_forward_pre_hook(note_lengths, with_kwargs=True)
    tower.ln_post.register_forward_hook(shorten)
    tower._get_feat_extract_output_lengths = shorter_lengths
    if config.positions == "time":
        keep_time(thinker, config, plain_lengths)


def take_lengths(waiting: list[int], frames: int) -> list[int]:
    """The lengths of the next clips, which together have so many frames: all of them, or one in older versions."""
    taken: list[int] = []
    while waiting and sum(taken) < frames:
        taken.append(waiting.pop(0))
    if sum(taken) != frames:
        raise RecipeError(
            f"model.compress: the audio tower gave {frames} frames where its clips should have {sum(taken)}. "
            'This version of transformers runs it in another way: set model.compress.kind = "none".'
        )
    return taken


def keep_time(thinker: Any, config: CompressConfig, plain_lengths: Callable[..., Any]) -> None:
    """Give audio tokens the temporal positions of their first frames, in training and in generation."""
    import torch

    def rope_index(
        input_ids: torch.Tensor,
        image_grid_thw: Any = None,
        video_grid_thw: Any = None,
        attention_mask: torch.Tensor | None = None,
        use_audio_in_video: bool = False,
        audio_seqlens: torch.Tensor | None = None,
        second_per_grids: Any = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        clips = iter([] if audio_seqlens is None else plain_lengths(audio_seqlens)[1].tolist())
        positions = torch.ones(3, *input_ids.shape, dtype=torch.long)
        deltas = []
        for row, (ids, real) in enumerate(zip(input_ids.cpu(), mask.bool().cpu(), strict=True)):
            real_ids = ids[real].tolist()
            places = sequence_positions(real_ids, clips, audio_id=thinker.config.audio_token_id, config=config)
            positions[:, row, real] = torch.tensor(places)
            deltas.append([max(map(max, places)) + 1 - len(real_ids)])
        return positions.to(input_ids.device), torch.tensor(deltas, device=input_ids.device)

    for module in {id(each): each for each in (thinker, thinker.model)}.values():
        if hasattr(module, "get_rope_index"):
            module.get_rope_index = rope_index


def sequence_positions(
    ids: Sequence[int], clips: Any, *, audio_id: int, config: CompressConfig
) -> tuple[list[int], list[int], list[int]]:
    """Positions in time, height and width of a sequence; `clips` gives the frames of each clip, in order.

    Only the temporal axis keeps the clock, as Qwen's vision tokens do; words after a clip go on behind its end.
    """
    if config.positions == "dense" or not config.active:
        dense = list(range(len(ids)))
        return dense, dense, dense
    time: list[int] = []
    across: list[int] = []
    place = following = 0
    while place < len(ids):
        steps = [0] if ids[place] != audio_id else token_times(next(clips), config)
        time += [following + step for step in steps]
        across += [following + step for step in range(len(steps))]
        place += len(steps)
        following = max(time[-1], across[-1]) + 1
    return time, across, across


def write_settings(folder: Path, config: CompressConfig) -> None:
    """Note beside a saved model how its sound was compressed: nothing in its weights says so."""
    if config.active:
        text = json.dumps({"compress": config.model_dump()}, indent=2) + "\n"
        (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")


def read_settings(folder: Path) -> CompressConfig | None:
    """How a saved model's sound was compressed; None where nothing was noted."""
    path = folder / SETTINGS_FILE
    if not path.is_file():
        return None
    try:
        return CompressConfig.model_validate(json.loads(path.read_text(encoding="utf-8"))["compress"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecipeError(f"{path}: not the settings of a model ({str(error).splitlines()[0]}).") from None


def check_settings(folder: Path, config: CompressConfig, *, trained: bool) -> None:
    """Refuse a saved model under another compression: its answers would be noise.

    A folder without a note is a base model, which any compression may start from; a `trained` one had none.
    """
    saved = read_settings(folder) or (NO_COMPRESSION if trained else config)
    if str(saved) != str(config) or (saved.kind == "segments" and saved.longest != config.longest):
        raise RecipeError(
            f"{folder}: this model was trained on {saved}, and [model.compress] says {config}. "
            "Set [model.compress] to what it was trained with."
        )
