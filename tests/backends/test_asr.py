"""Recognizers: many windows at once are heard as each would be by itself, and bad models are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aramega.backends.asr.by_name import make_recognizer
from aramega.backends.asr.checkpoints import check_model, expand_token_rows, read_checkpoint
from aramega.backends.asr.openai_whisper import OpenAiWhisper, choose_device
from aramega.backends.asr.reading import Vocabulary, looks_wrong
from aramega.backends.asr.recognizer import Sound
from aramega.config import TranscribeConfig
from aramega.records import RATE, AramegaError
from aramega.text import compression_ratio
from tests.support.drafts import SENTENCES, TITLES

pytest.importorskip("whisper")

from tests.support.whisper_models import save_random_ct2_whisper, save_random_whisper


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random_whisper(tmp_path_factory.mktemp("whisper") / "random.pt")


@pytest.fixture
def loaded(checkpoint: Path) -> Callable[..., OpenAiWhisper]:
    def load(**options: object) -> OpenAiWhisper:
        known = {"model": str(checkpoint), "temperatures": (0.0,), "max_tokens": 24, "threads": 1, **options}
        recognizer = OpenAiWhisper(TranscribeConfig.model_validate(known))
        recognizer.load()
        return recognizer

    return load


def noises(*seconds: float, seed: int = 0) -> list[Sound]:
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(round(RATE * s)) * 0.1).astype(np.float32) for s in seconds]


def test_a_batch_is_heard_as_whisper_hears_each_window_by_itself(loaded: Callable[..., OpenAiWhisper]) -> None:
    import torch
    import whisper

    recognizer = loaded(batch=3)
    sounds = noises(2, 29.5, 7, 1, 14)
    for sound, heard in zip(sounds, recognizer.recognize(sounds), strict=True):
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(torch.from_numpy(sound)))
        options = whisper.DecodingOptions(language="ar", fp16=False, sample_len=24)
        alone = whisper.decode(recognizer.decoder.model, mel, options)
        assert [t for p in heard.phrases for t in p.tokens] == [
            t for t in alone.tokens if t < recognizer.vocabulary.end
        ]
        assert heard.avg_logprob == pytest.approx(alone.avg_logprob, abs=1e-4)
        assert heard.no_speech == pytest.approx(alone.no_speech_prob, rel=1e-3)


def test_rows_that_end_early_leave_the_batch_and_change_nothing(loaded: Callable[..., OpenAiWhisper]) -> None:
    recognizer = loaded(max_tokens=40, temperatures=(0.9,), min_logprob=-100)
    sounds = noises(*[3.0] * 8)
    together = recognizer.recognize(sounds)
    lengths = {len(heard.phrases) for heard in together}
    assert len(lengths) > 1, "some end earlier than others"
    assert [h.text for h in together] == [recognizer.recognize([sound])[0].text for sound in sounds]


def test_only_what_fails_is_decoded_again_at_the_next_temperature(loaded: Callable[..., OpenAiWhisper]) -> None:
    recognizer = loaded(temperatures=(0.0, 0.5), min_logprob=-100, max_compression_ratio=100)
    sounds = noises(4, 9)
    assert [h.temperature for h in recognizer.recognize(sounds)] == [0.0, 0.0]
    calm = [h.avg_logprob for h in recognizer.recognize(sounds)]
    between = loaded(
        temperatures=(0.0, 0.5), min_logprob=sum(calm) / 2, max_no_speech=1.0, max_compression_ratio=100
    ).recognize(sounds)
    assert sorted(h.temperature for h in between) == [0.0, 0.5]


def test_openai_whisper_decodes_a_hopeless_window_three_times_and_keeps_the_likeliest(
    loaded: Callable[..., OpenAiWhisper], monkeypatch: pytest.MonkeyPatch
) -> None:
    default = TranscribeConfig().temperatures
    recognizer = loaded(temperatures=default, min_logprob=-1e-6, max_no_speech=1.0, max_compression_ratio=100)
    decode, calls = recognizer.decoder.decode, list[float]()

    def counted(features: Any, temperature: float, seeds: Any) -> Any:
        calls.append(temperature)
        return decode(features, temperature, seeds)

    monkeypatch.setattr(recognizer.decoder, "decode", counted)
    [heard] = recognizer.recognize(noises(4))
    assert calls == list(default)
    assert len(calls) == 3
    [first] = loaded(max_compression_ratio=100).recognize(noises(4))
    assert heard.avg_logprob >= first.avg_logprob


def test_words_come_with_times_when_asked_for(loaded: Callable[..., OpenAiWhisper]) -> None:
    heard = loaded(word_timestamps=True).recognize(noises(6))[0]
    words = [word for phrase in heard.phrases for word in phrase.words]
    assert words
    assert all(0 <= w.start <= w.end <= 30.1 for w in words)


def test_the_language_may_be_left_to_the_model(loaded: Callable[..., OpenAiWhisper]) -> None:
    from whisper.tokenizer import LANGUAGES

    assert loaded(language="auto").recognize(noises(3))[0].language in LANGUAGES
    with pytest.raises(AramegaError, match="no such code"):
        loaded(language="arabic!")


def test_phrases_lie_between_timestamps_and_control_tokens_are_no_text() -> None:
    words = {1: "مرحبا", 2: " بكم", 3: " في", 4: " النشرة"}
    vocabulary = Vocabulary(end=100, times_from=200, decode=lambda tokens: "".join(words[t] for t in tokens))
    read = vocabulary.phrases([200, 1, 2, 250, 260, 150, 3, 4], seconds=2.0)
    assert [(p.start, p.end, p.text) for p in read] == [(0.0, 1.0, "مرحبا بكم"), (1.2, 2.0, "في النشرة")]
    assert vocabulary.phrases([200, 250, 250], seconds=2.0) == []


def test_a_loop_and_a_guess_look_wrong_and_a_guess_about_silence_does_not() -> None:
    options = TranscribeConfig()
    assert compression_ratio("نعم " * 40) > 2.4
    assert looks_wrong("نعم " * 40, -0.1, 0.0, options)
    assert looks_wrong("قال الوزير", -1.5, 0.1, options)
    assert not looks_wrong("قال الوزير", -1.5, 0.9, options)
    assert not looks_wrong("قال الوزير", -0.4, 0.1, options)


def test_a_checkpoint_of_the_used_rows_alone_becomes_whole(tmp_path: Path, checkpoint: Path) -> None:
    import torch

    whole = torch.load(checkpoint, weights_only=True)
    name = "decoder.token_embedding.weight"
    rows = torch.tensor([5, 50257, 50364])
    kept = torch.cat([whole["model_state_dict"][name][rows], torch.full((1, 32), 9.0)])
    small = {**whole, "model_state_dict": {**whole["model_state_dict"], name: kept}, "token_rows": rows}
    torch.save(small, tmp_path / "small.pt")
    full = read_checkpoint(tmp_path / "small.pt")["model_state_dict"][name]
    assert full.shape == (51865, 32)
    assert torch.equal(full[rows], kept[:-1])
    assert torch.equal(full[7], kept[-1])
    assert expand_token_rows(whole) is whole


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("largge-v3", r"largge-v3: no such Whisper.*large-v3-turbo"),
        ("models/none.pt", "no such file"),
        (".", "is a folder"),
        ("notes.pt", "not a checkpoint"),
    ],
)
def test_a_model_that_cannot_be_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.pt").write_text("not weights")
    with pytest.raises(AramegaError, match=says):
        check_model("./." if name == "." else name)


def test_a_file_that_only_looks_like_a_checkpoint_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    import torch

    torch.save({"weights": 1}, tmp_path / "other.pt")
    with pytest.raises(AramegaError, match="not openai-whisper's format"):
        read_checkpoint(tmp_path / "other.pt")
    cut = tmp_path / "cut.pt"
    cut.write_bytes(checkpoint.read_bytes()[:5000])
    with pytest.raises(AramegaError, match="cannot be read as a checkpoint"):
        read_checkpoint(cut)


class Attack:
    """What a hostile checkpoint holds: code that runs when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch /tmp/aramega-attacked",)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    import torch

    torch.save({"dims": Attack(), "model_state_dict": {}}, tmp_path / "evil.pt")
    with pytest.raises(AramegaError, match="cannot be read"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not Path("/tmp/aramega-attacked").exists()


def test_a_gpu_that_is_not_there_is_said_not_to_be() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one here")
    with pytest.raises(AramegaError, match="no CUDA GPU"):
        choose_device("cuda")
    assert choose_device("auto") in ("cpu", "mps")


def test_faster_whisper_speaks_the_same_protocol(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    folder = save_random_ct2_whisper(tmp_path / "ct2")
    options = TranscribeConfig(
        model=f"faster-whisper:{folder}",
        temperatures=(0.0, 0.4),
        max_tokens=12,
        threads=1,
        language="auto",
        word_timestamps=True,
    )
    recognizer = make_recognizer(options)
    recognizer.check()
    recognizer.load()
    heard = recognizer.recognize(noises(3, 12))
    assert {h.temperature for h in heard} <= {0.0, 0.4}
    assert all(0 <= p.start <= p.end <= 12 for h in heard for p in h.phrases)
    assert all(h.language and h.avg_logprob < 0 for h in heard)


class Counting:
    """A CTranslate2 model that counts what it is asked for."""

    def __init__(self, model: Any) -> None:
        self.model, self.decoded, self.encoded, self.tries = model, list[int](), 0, list[tuple[int, int, float]]()

    def generate(self, encoded: Any, prompts: list[list[int]], **options: Any) -> Any:
        self.decoded.append(len(prompts))
        self.tries.append((options["beam_size"], options["no_repeat_ngram_size"], options["sampling_temperature"]))
        return self.model.generate(encoded, prompts, **options)

    def encode(self, features: Any, **options: Any) -> Any:
        self.encoded += features.shape[0]
        return self.model.encode(features, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)


def test_a_hopeless_window_is_decoded_three_times_and_encoded_once_and_its_likeliest_text_stays(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    model = f"faster-whisper:{save_random_ct2_whisper(tmp_path / 'ct2')}"
    recognizer = make_recognizer(TranscribeConfig(model=model, threads=1, min_logprob=-1e-6, max_no_speech=1.0))
    recognizer.load()
    counting = Counting(recognizer.model.model)
    recognizer.model.model = counting
    heard = recognizer.recognize(noises(3, 12))
    assert (counting.decoded, counting.encoded) == ([2, 2, 2], 2)
    assert counting.tries == [(5, 0, 0.0), (5, 3, 0.0), (1, 0, 0.8)], "a search without loops before anything is drawn"
    calm = make_recognizer(TranscribeConfig(model=model, threads=1, temperatures=(0.0,)))
    calm.load()
    for best, first in zip(heard, calm.recognize(noises(3, 12)), strict=True):
        assert best.compression_ratio <= 2.4 or first.compression_ratio > 2.4
        assert best.avg_logprob >= first.avg_logprob or best.compression_ratio <= 2.4 < first.compression_ratio


def test_beams_are_faster_whispers_alone() -> None:
    with pytest.raises(AramegaError, match="beam needs faster-whisper"):
        make_recognizer(TranscribeConfig(model="openai-whisper:tiny", beam=5)).check()
    with pytest.raises(AramegaError, match="precision int8 needs faster-whisper"):
        make_recognizer(TranscribeConfig(model="demo", precision="int8")).check()


def test_a_correct_half_minute_of_arabic_does_not_look_like_a_loop() -> None:
    """In UTF-8 its 90 words shrink by more than 2.4, since half of its bytes say only that a letter is Arabic."""
    news = " ".join([*SENTENCES, *TITLES])
    said = news + " " + " ".join(reversed(news.split()))
    assert len(said.split()) > 60
    assert not looks_wrong(said, -0.3, 0.0, TranscribeConfig())
    assert looks_wrong(f"{news} {'شكرا لكم ' * 40}", -0.3, 0.0, TranscribeConfig())


def test_faster_whisper_names_what_is_no_model(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    for wanted, says in ((str(tmp_path), "no model.bin"), ("huge", "The names are"), ("/no/where", "no such folder")):
        with pytest.raises(AramegaError, match=says):
            make_recognizer(TranscribeConfig(model=f"faster-whisper:{wanted}")).check()
