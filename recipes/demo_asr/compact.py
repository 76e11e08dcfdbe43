"""Compacts a training checkpoint to the small file that ships, and makes a whole Whisper of it again.

The file is openai-whisper's checkpoint in float16, but that its embedding holds the rows of used tokens only
(`token_rows` says which) and one last row for every other token: 51,865 rows become some 1,700, 13 MB become 0.4.
`python -m recipes.demo_asr.compact OUT/state.pt demo-asr.pt --about cer="6 %"`
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from recipes.demo_asr.model import DemoModel
from recipes.demo_asr.rows import Tokens

if TYPE_CHECKING:
    from whisper.model import Whisper

EMBEDDING = "decoder.token_embedding.weight"
ABOUT = {
    "what": "A demonstration: small Whisper with a vocabulary of 263 Arabic words. Of no use on other speech.",
    "recipe": "recipes/demo_asr of aramega",
    "corpus": "espeak-ng's Arabic voices saying generated sentences; Arabic Speech Commands Dataset, train split",
    "credit": "Arabic Speech Commands Dataset by Abdulkader Ghandoura, Farouk Hjabo and Oumayma Al Dakkak, "
    "doi:10.5281/zenodo.4662481, CC BY 4.0",
    "licence": "CC BY 4.0",
}


def compacted(model: DemoModel, about: Mapping[str, str]) -> dict[str, Any]:
    """The checkpoint that ships: `dims`, `model_state_dict`, `token_rows`, `about`."""
    state = {name: tensor.half() for name, tensor in model.whisper_state().items()}
    dims = {**model.dims.__dict__, "n_vocab": model.tokens.vocabulary_size}
    return {
        "dims": dims,
        "model_state_dict": state,
        "token_rows": torch.tensor(model.tokens.rows),
        "about": dict(about),
    }


def whole_whisper(checkpoint: Mapping[str, Any]) -> Whisper:
    """The compacted checkpoint as a Whisper over the full vocabulary, ready to decode."""
    from whisper.model import ModelDimensions, Whisper

    rows = checkpoint["model_state_dict"][EMBEDDING].float()
    embedding = rows[-1].repeat(checkpoint["dims"]["n_vocab"], 1)
    embedding[checkpoint["token_rows"]] = rows[:-1]
    model = Whisper(ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict({**checkpoint["model_state_dict"], EMBEDDING: embedding})
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the small file from a training checkpoint.")
    parser.add_argument("state", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--about", nargs="*", default=[], metavar="KEY=VALUE", help="further facts to keep in the file")
    options = parser.parse_args()
    state = torch.load(options.state, weights_only=True)
    model = DemoModel(Tokens())
    model.load_state_dict(state["model"])
    facts = dict(fact.split("=", 1) for fact in options.about)
    about = {**ABOUT, "steps": str(state["step"]), "training seconds": str(round(state["spent"])), **facts}
    torch.save(compacted(model, about), options.out)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB at step {state['step']}")


if __name__ == "__main__":
    main()
