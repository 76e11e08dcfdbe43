"""Labelers: dialect and emotion from how a passage sounds, or dialect from how it reads.

Models name their labels as they like; `Names` brings them to the inventory, so that a model that knows
countries can fill an inventory of regions. A score is the sum of what falls on a label.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aramega.records import RATE, AramegaError, Score

Sound = npt.NDArray[np.float32]

_CHUNK_SECONDS = 30
"""A long passage is heard in pieces of this length, and their scores are averaged by length."""

REGIONS: dict[str, tuple[str, ...]] = {
    region: (region, *names.split(", "))
    for region, names in {
        "MSA": "fusha, standard",
        "EGY": "Egyptian, Egypt, CAI, ALX, ASW",
        "SUD": "Sudanese, Sudan, SDN, KHA",
        "LEV": "Levantine, SYR, LBN, LEB, JOR, PSE, PAL, Syria, Lebanon, Jordan, Palestine, BEI, DAM, ALE, AMM, SAL, JER",
        "GLF": "Gulf, KSA, SAU, ARE, UAE, KWT, KUW, QAT, BHR, OMN, OMA, Saudi Arabia, Kuwait, Qatar, Oman, DOH, RIY, JED, MUS",
        "IRA": "Iraqi, Iraq, IRQ, BAG, BAS, MOS",
        "YEM": "Yemeni, Yemen, SAN",
        "NOR": "Maghrebi, North African, MAR, MOR, DZA, TUN, LBY, LIB, MRT, MAU, Morocco, Algeria, Tunisia, Libya, Mauritania, RAB, FES, "
        "ALG, SFX, TRI, BEN",
    }.items()
}
"""Names by region: the regions' own, ADI-17's countries, MADAR's cities."""
_WIDER = {"SUD": "EGY", "IRA": "GLF", "YEM": "GLF"}
"""Where a region's neighbours go when it is not in the inventory: five groups are usual; Sudanese goes with Egyptian
in them (the Nile basin), Iraqi and Yemeni with the Gulf."""

EMOTIONS: dict[str, tuple[str, ...]] = {
    "neutral": ("neutral", "neu", "calm"),
    "happy": ("happy", "hap", "happiness", "joy"),
    "sad": ("sad", "sadness"),
    "angry": ("angry", "ang", "anger"),
    "surprised": ("surprised", "surprise", "sur"),
    "fearful": ("fearful", "fear", "fea"),
    "disgusted": ("disgusted", "disgust", "dis"),
}


class Names:
    """Which label of the inventory a model's own label is."""

    def __init__(
        self, inventory: Sequence[str], other_names: Mapping[str, Iterable[str]], pairs: Sequence[str]
    ) -> None:
        self._label: dict[str, str] = {}
        for label, names in other_names.items():
            home = label if label in inventory else _WIDER.get(label, "")
            if home in inventory:
                self._label |= {name.lower(): home for name in names}
        self._label |= {label.lower(): label for label in inventory}
        for pair in pairs:
            name, _, label = (part.strip() for part in pair.partition("="))
            if label in inventory:
                self._label[name.lower()] = label

    def scores(self, scores_by_name: Mapping[str, float]) -> tuple[Score, ...]:
        """The inventory's scores, the best first; labels it has no place for are left out."""
        sums: dict[str, float] = {}
        for name, score in scores_by_name.items():
            label = self._label.get(name.strip().lower())
            if label:
                sums[label] = sums.get(label, 0.0) + float(score)
        ranked = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        return tuple(Score(label, round(score, 4)) for label, score in ranked)

    def unknown(self, labels: Iterable[str]) -> list[str]:
        return [label for label in labels if label.strip().lower() not in self._label]


class AudioLabeler:
    """A transformers audio-classification checkpoint."""

    def __init__(self, folder: str, names: Names, option: str) -> None:
        self.folder, self.names, self.option = folder, names, option
        self.name = f"transformers:{Path(folder).name}"
        self.model: Any = None

    def check(self) -> None:
        if importlib.util.find_spec("transformers") is None:
            raise AramegaError(
                f"{self.option} needs transformers and torch: pip install '.[recipes]' in aramega's clone."
            )
        if not (Path(self.folder).expanduser() / "config.json").exists():
            raise AramegaError(
                f"{self.option} {self.folder}: not a transformers checkpoint (a folder with config.json). "
                "`hf download NAME --local-dir FOLDER` makes one."
            )

    def load(self, device: str) -> None:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        folder = Path(self.folder).expanduser()
        try:
            self.extractor: Any = AutoFeatureExtractor.from_pretrained(folder)
            self.model = AutoModelForAudioClassification.from_pretrained(folder).to(device).eval()
        except (OSError, ValueError, KeyError) as error:
            raise AramegaError(
                f"{self.option} {self.folder}: cannot be loaded ({str(error).splitlines()[0]})."
            ) from None
        labels = list(self.model.config.id2label.values())
        if len(self.names.unknown(labels)) == len(labels):
            raise AramegaError(
                f"{self.option} {self.folder}: none of its labels ({', '.join(map(str, labels[:8]))}) is in the inventory. "
                "Say which is which: --set 'label.names=[\"label_0=MSA\"]'."
            )

    def label(self, sounds: Sequence[Sound]) -> list[tuple[Score, ...]]:
        """Scores for each passage; the pieces of all passages go through the model a few at a time."""
        pieces = [(i, piece) for i, sound in enumerate(sounds) for piece in _pieces(sound)]
        sums: list[dict[str, float]] = [{} for _ in sounds]
        for begin in range(0, len(pieces), 8):
            some = pieces[begin : begin + 8]
            for (i, piece), shares in zip(some, self._shares([p for _, p in some]), strict=True):
                weight = len(piece) / len(sounds[i])
                for number, share in enumerate(shares):
                    name = str(self.model.config.id2label[number])
                    sums[i][name] = sums[i].get(name, 0.0) + weight * share
        return [self.names.scores(scores_by_name) for scores_by_name in sums]

    def _shares(self, pieces: Sequence[Sound]) -> list[list[float]]:
        import torch

        features = self.extractor(list(pieces), sampling_rate=RATE, return_tensors="pt", padding=True)
        with torch.inference_mode():
            logits = self.model(**features.to(self.model.device)).logits
        shares: list[list[float]] = logits.float().softmax(-1).tolist()
        return shares


class TextLabeler:
    """camel-tools' dialect identification, by the transcript."""

    name = "camel-tools:dialectid-model6"

    def __init__(self, names: Names) -> None:
        self.names = names
        self.model: Any = None

    def check(self) -> None:
        if importlib.util.find_spec("camel_tools") is None:
            raise AramegaError("label.dialect_from_text needs camel-tools: pip install '.[arabic]' in aramega's clone.")

    def load(self) -> None:
        """The installed model; without its data the label is left open, so that drafts go on."""
        try:
            from camel_tools.dialectid import DIDModel6

            with contextlib.redirect_stderr(None):
                self.model = DIDModel6.pretrained()
        except Exception as error:  # noqa: BLE001  it tries to download, and fails in as many ways as a network can
            raise AramegaError(
                f"label.dialect_from_text: the data of camel-tools' dialect identification is not installed "
                f"({type(error).__name__}). Install it: camel_data -i dialectid-model6; or leave the option out."
            ) from None

    def label(self, texts: Sequence[str]) -> list[tuple[Score, ...]]:
        return [self.names.scores(answer.scores) for answer in self.model.predict(list(texts))]


def _pieces(sound: Sound) -> list[Sound]:
    """Equal parts of at most 30 s, so that no piece is a leftover of a second."""
    count = max(1, -(-len(sound) // (_CHUNK_SECONDS * RATE)))
    return np.array_split(sound, count)
