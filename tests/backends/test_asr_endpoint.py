"""A transcription endpoint over real HTTP: asked as the API has it, and believed as far as its times can be true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aramega.backends.asr.by_name import choose_recognizer, make_recognizer
from aramega.backends.asr.endpoint import read_answer
from aramega.backends.asr.recognizer import Heard, Sound
from aramega.config import TranscribeConfig
from aramega.records import RATE, AramegaError, NotNow
from aramega.retry import without_waiting
from tests.support.transcription_server import Answer, heard_by, serving

pytest.importorskip("httpx")


def ask(answer: Answer, **options: Any) -> tuple[Heard, list[dict[str, Any]]]:
    with serving(answer) as (url, requests):
        recognizer = make_recognizer(TranscribeConfig(model=f"endpoint:voxtral@{url}", **options))
        recognizer.check()
        recognizer.load()
        return recognizer.recognize([np.zeros(4 * RATE, np.float32)])[0], requests


def test_a_whisper_behind_http_is_heard_as_it_is_here(tmp_path: Path) -> None:
    pytest.importorskip("whisper")
    from tests.support.whisper_models import save_random_whisper

    options: dict[str, Any] = {"max_tokens": 12, "temperatures": (0.0,), "threads": 1}
    here = make_recognizer(TranscribeConfig(model=str(save_random_whisper(tmp_path / "random.pt")), **options))
    here.load()
    sounds: list[Sound] = [
        np.round(np.random.default_rng(seed).standard_normal(3 * RATE) * 3000).astype(np.float32) / 32768
        for seed in (1, 2)
    ]
    with serving(heard_by(here)) as (url, requests):
        remote = make_recognizer(TranscribeConfig(model=f"endpoint:whisper@{url}", batch=1))
        remote.load()
        heard = remote.recognize(sounds)
    expected = here.recognize(sounds)
    assert [h.text.split() for h in heard] == [h.text.split() for h in expected]
    assert [r["path"] for r in requests] == ["/v1/audio/transcriptions"] * 2
    assert requests[0]["form"]["language"] == ["ar"]


def test_the_key_comes_from_the_environment_and_travels_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", "sesame")
    heard, requests = ask(lambda *_: (200, {"text": "مرحبا"}), key_variable="OUR_KEY")
    assert requests[0]["key"] == "Bearer sesame"
    assert (heard.text, heard.avg_logprob, heard.phrases[0].end) == ("مرحبا", None, 4.0)


def test_a_server_without_times_is_asked_for_the_text_alone() -> None:
    def answer(_: Sound, form: dict[str, list[str]]) -> tuple[int, Any]:
        return (400, {"error": "no verbose_json"}) if form["response_format"] != ["json"] else (200, {"text": "أهلا"})

    heard, requests = ask(answer)
    assert heard.text == "أهلا"
    assert [r["form"]["response_format"] for r in requests] == [["verbose_json"], ["json"]]


def test_a_server_that_is_busy_once_is_asked_again_and_one_that_stays_away_stops_the_run() -> None:
    statuses = iter([503, 200])
    with without_waiting():
        heard, _ = ask(lambda *_: (next(statuses), {"text": "نعم"}))
        assert heard.text == "نعم"
        with pytest.raises(NotNow, match="gives no transcripts now"):
            ask(lambda *_: (503, {}), patience=1)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"text": 5}', b'{"text": "' + b"x" * 5_000_000 + b'"}'])
def test_an_answer_that_is_no_transcript_is_one_clear_line(body: bytes) -> None:
    with pytest.raises(AramegaError, match="answers with no transcript"):
        ask(lambda *_: (200, body))


def test_a_refusal_is_said_in_the_servers_words() -> None:
    with pytest.raises(AramegaError, match=r"refuses with 401: .*bad key"):
        ask(lambda *_: (401, {"error": "bad key"}))


def test_an_address_that_is_none_is_named_before_anything_starts() -> None:
    assert choose_recognizer("endpoint:m@http://x").plugin.name == "endpoint"
    with pytest.raises(AramegaError, match="endpoint:MODEL@URL"):
        make_recognizer(TranscribeConfig(model="endpoint:qwen")).check()


TRUE = [{"start": 0.0, "end": 1.5, "text": "قال"}, {"start": 1.5, "end": 3.0, "text": "الوزير"}]


def test_true_times_are_taken_with_their_words() -> None:
    words = [{"word": "قال", "start": 0.2, "end": 1.0}, {"word": "الوزير", "start": 1.6, "end": 2.8}]
    heard = read_answer({"text": "قال الوزير", "segments": TRUE, "words": words}, 4.0, "ar")
    assert [(p.start, p.end) for p in heard.phrases] == [(0.0, 1.5), (1.5, 3.0)]
    assert [w.start for p in heard.phrases for w in p.words] == [0.2, 1.6]


@pytest.mark.parametrize(
    "segments",
    [
        [{"start": 0.0, "end": 900.0, "text": "قال الوزير"}],
        [{"start": 3.0, "end": 1.0, "text": "قال الوزير"}],
        [{"start": "0", "end": None, "text": "قال الوزير"}],
        [{"start": float("nan"), "end": 1.0, "text": "قال الوزير"}],
        [TRUE[1], TRUE[0]],
        [{"start": 0.0, "end": 1.0, "text": "شيء آخر"}],
        "no list",
    ],
)
def test_times_that_cannot_be_true_leave_the_text_and_the_whole_window(segments: Any) -> None:
    heard = read_answer({"text": "قال الوزير", "segments": segments}, 4.0, "ar")
    assert [(p.start, p.end, p.text) for p in heard.phrases] == [(0.0, 4.0, "قال الوزير")]


def test_silence_is_no_phrase() -> None:
    assert read_answer({"text": "  "}, 4.0, "auto").phrases == ()
