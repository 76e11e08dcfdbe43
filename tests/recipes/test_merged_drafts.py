"""From a fine-tuned thinker back to a build: train, merge, and `hf:FOLDER` writes a broadcast's summaries."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from recipes.merge import main as merge
from recipes.models.collate import Encoder, Prompt, chat_template
from recipes.models.config import TinyShape
from recipes.models.load import LoadedModel, save_model
from recipes.models.tiny import make_tiny_model, sample_text, tiny_config, train_tokenizer
from recipes.serve import open_served
from recipes.train import main as train
from tests.recipes.test_serve import serving
from tests.recipes.toys import toy_config, toy_dataset, toy_model
from tests.support.chat_server import SUMMARY
from tests.support.cli import Run
from tests.support.whisper_models import save_random_whisper


def thinker_that_answers(folder: Path, answer: str) -> Path:
    """A thinker that gives this answer, as one token, to everything: each token decides the next.

    The weights are set by hand; the code that trains, merges and asks it is the real one.
    """
    from tokenizers import AddedToken
    from transformers import Qwen2_5OmniThinkerForConditionalGeneration

    shape = TinyShape(width=64, layers=1, audio_width=32, audio_layers=1, vocabulary=400)
    _, _, features = make_tiny_model(shape)
    tokenizer = train_tokenizer(sample_text(), vocabulary=shape.vocabulary)
    tokenizer.add_tokens([AddedToken(answer, normalized=False)])
    config = tiny_config(shape, tokenizer)
    config.text_config.max_position_embeddings = 16_384
    torch.manual_seed(0)
    thinker = Qwen2_5OmniThinkerForConditionalGeneration(config)
    encoder = Encoder(tokenizer, features, audio_token_id=config.audio_token_id, system="You are a helpful assistant.")
    turn = int(encoder.prompts([Prompt("كلمة")]).input_ids[0, -1])
    said, end = tokenizer.convert_tokens_to_ids([answer, "<|im_end|>"])
    layer = (
        thinker.model.language_model.layers[0] if hasattr(thinker.model, "language_model") else thinker.model.layers[0]
    )
    with torch.no_grad():
        torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
        torch.nn.init.zeros_(layer.mlp.down_proj.weight)
        tokens, heads = thinker.get_input_embeddings().weight, thinker.lm_head.weight
        torch.nn.init.normal_(tokens)
        heads.zero_()
        heads[said], heads[end] = tokens[turn], tokens[said]
    save_model(LoadedModel(thinker.eval(), encoder, "toy"), folder)
    return folder


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on such a thinker, merged. It learns next to nothing, so as to keep its answer."""
    folder = tmp_path_factory.mktemp("merged")
    base = thinker_that_answers(folder / "base", SUMMARY)
    config = toy_config(folder, toy_dataset(folder / "data"))
    options = [f"model.path={base}", "schedule.steps=2", 'schedule.kind="uniform"', "eval.every=2",
               "lora.language.learning_rate=1e-6", "lora.audio.learning_rate=1e-6"]  # fmt: skip
    overrides = [argument for option in options for argument in ("--set", option)]
    assert train([str(config), "--run", str(folder / "run"), *overrides]) == 0
    assert merge([str(folder / "run"), "--merged", str(folder / "out"), "--examples", "1"]) == 0
    return folder / "out"


@pytest.fixture
def broadcast(short_broadcast: Path, tmp_path: Path) -> Path:
    """A broadcast whose transcripts are subtitles at hand: the recognizer that a build wants named is never asked."""
    audio = tmp_path / "news.wav"
    audio.write_bytes(short_broadcast.read_bytes())
    lines = [
        f"{i + 1}\n00:00:{5 * i:02},000 --> 00:00:{5 * i + 4:02},900\nالخبر رقم {i} من النشرة\n" for i in range(12)
    ]
    audio.with_suffix(".srt").write_text("\n".join(lines), encoding="utf-8")
    return audio


def build(aramega: Run, audio: Path, workspace: Path, *options: object) -> list[tuple[str, str, str, int]]:
    """Text, model, prompt and prompt tokens of the summaries of a build."""
    pytest.importorskip("whisper")
    recognizer = save_random_whisper(workspace.parent / "random.pt", width=16)
    done = aramega(
        "build-ssum", audio, "-w", workspace, "-q", "--asr-model", recognizer, "--set", "transcribe.at_hand=prefer", *options
    )  # fmt: skip
    assert done.code == 0, done
    columns = "text, model, prompt, prompt_tokens"
    return sqlite3.connect(workspace / "aramega.db").execute(f"SELECT {columns} FROM summaries").fetchall()


def test_a_merged_thinker_writes_the_summaries_of_a_build(
    merged: Path, broadcast: Path, tmp_path: Path, aramega: Run
) -> None:
    rows = build(aramega, broadcast, tmp_path / "work", "--summarizer", f"hf:{merged}", "--set", "summarize.device=cpu")
    assert rows
    assert {row[:2] for row in rows} == {("افتتحت الوزارة ثلاثة مستشفيات.", f"hf:{merged.name}")}


def test_a_served_thinker_hears_the_passages_of_a_build_and_drafts_their_summaries(
    merged: Path, broadcast: Path, tmp_path: Path, aramega: Run
) -> None:
    with serving(open_served(merged, which="best", device="cpu"), name="mine") as server:
        rows = build(
            aramega, broadcast, tmp_path / "work", "--summarizer", server.backend, "--set", "summarize.hears=true"
        )
    assert rows
    for text, model, prompt, tokens in rows:
        assert (text, model) == ("افتتحت الوزارة ثلاثة مستشفيات.", "openai:mine")
        assert prompt.startswith("hear@1#")
        assert tokens > 15 * 25  # a passage has fifteen seconds at least, and was heard


@pytest.mark.parametrize("system", ["You are a helpful assistant.", 'أنت "مساعد"\nمفيد 🎙 \\ {{ no }}'])
def test_the_saved_template_writes_the_prompts_of_training(system: str) -> None:
    tiny = toy_model().encoder
    encoder = Encoder(tiny.tokenizer, tiny.features, audio_token_id=tiny.audio_id, system=system)
    encoder.tokenizer.chat_template = chat_template(system)
    heard = [{"role": "user", "content": [{"type": "audio"}, {"type": "text", "text": "لخّص المقطع"}]}]
    read = [{"role": "user", "content": "لخّص النص"}]
    sound = torch.zeros(16_000).numpy()
    for messages, prompt in ((heard, Prompt("لخّص المقطع", audio=sound)), (read, Prompt("لخّص النص"))):
        text = encoder.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = encoder.prompts([replace(prompt)]).input_ids[0].tolist()
        once = [token for i, token in enumerate(ids) if token != encoder.audio_id or ids[i - 1] != token]
        assert encoder.tokenizer(text, add_special_tokens=False)["input_ids"] == once
    own = [{"role": "system", "content": "قواعد"}, *read, {"role": "assistant", "content": "ملخّص"}]
    assert encoder.tokenizer.apply_chat_template(own, tokenize=False) == (
        "<|im_start|>system\nقواعد<|im_end|>\n<|im_start|>user\nلخّص النص<|im_end|>\n<|im_start|>assistant\nملخّص<|im_end|>\n"
    )
