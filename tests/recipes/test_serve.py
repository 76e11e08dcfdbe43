"""A fine-tuned model over HTTP: what is asked of it in OpenAI's protocol, with sound, and what is refused."""

from __future__ import annotations

import base64
import http.client
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from recipes.models.collate import Prompt
from recipes.models.compress import CompressConfig
from recipes.models.generate import generate
from recipes.models.load import LoadedModel, save_model, saved_system
from recipes.serve import ModelServer, open_served
from recipes.serve import main as serve
from tests.recipes.models.test_compress import toy
from tests.recipes.toys import sound, toy_model


@contextmanager
def serving(model: LoadedModel, *, name: str) -> Iterator[ModelServer]:
    """A server of the model on a free port."""
    server = ModelServer(model, name=name, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with serving(toy_model(), name="toy") as running:
        yield running


def post(server: ModelServer, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON of a chat request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", "/v1/chat/completions", data, headers or {})
    reply = connection.getresponse()
    answer = reply.status, json.loads(reply.read())
    connection.close()
    return answer


def clip(audio: np.ndarray, *, rate: int = 16_000) -> dict[str, Any]:
    """Sound as a part of a message."""
    file = io.BytesIO()
    soundfile.write(file, audio, rate, format="WAV", subtype="FLOAT")
    return {"type": "input_audio", "input_audio": {"data": base64.b64encode(file.getvalue()).decode(), "format": "wav"}}


def ask(*parts: dict[str, Any], words: str = "لخّص هذا المقطع الصوتي.", **more: Any) -> dict[str, Any]:
    content = [*parts, {"type": "text", "text": words}]
    return {"model": "toy", "messages": [{"role": "user", "content": content}], "max_tokens": 4, **more}


def test_it_answers_what_the_model_answers_to_the_same_sound(server):
    audio = sound(1.5, seed=2)
    status, reply = post(server, ask(clip(audio)))
    inputs = server.model.encoder.prompts([Prompt("لخّص هذا المقطع الصوتي.", audio=audio)])
    assert status == 200
    assert reply["choices"][0]["message"]["content"] == generate(server.model, inputs, max_new_tokens=4)[0]
    assert reply["usage"]["prompt_tokens"] == inputs.tokens


def test_sound_of_another_rate_and_of_two_channels_is_heard(server):
    stereo = np.stack([sound(1.5, seed=2)] * 2, axis=1)
    _, mono = post(server, ask(clip(sound(1.5, seed=2))))
    assert post(server, ask(clip(stereo)))[1]["choices"] == mono["choices"]
    status, reply = post(server, ask(clip(np.repeat(sound(1.5, seed=2), 3), rate=48_000)))
    assert status == 200
    assert reply["usage"]["prompt_tokens"] == mono["usage"]["prompt_tokens"]


def test_text_alone_is_answered_by_text(server):
    status, reply = post(server, ask(words="لخّص النص التالي.\n\nقال المتحدث"))
    assert status == 200
    assert reply["choices"][0]["message"]["role"] == "assistant"


def test_ten_minutes_of_sound_are_refused_by_their_length(server):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(600 * 16_000, np.float32), 16_000, format="FLAC")
    part = {
        "type": "input_audio",
        "input_audio": {"data": base64.b64encode(file.getvalue()).decode(), "format": "flac"},
    }
    status, reply = post(server, ask(part))
    assert status == 400
    assert "600.0 s, the model takes 300 s at most" in reply["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 500, "the model failed"),
        ({}, 400, "a list of `messages`"),
        ({"messages": [{"role": "user", "content": 7}]}, 400, "a text or a list of parts"),
        (ask(words=" "), 400, "no text beside the sound"),
        (ask({"type": "image_url"}), 400, "only text and input_audio"),
        (ask({"type": "input_audio", "input_audio": {"data": "????"}}), 400, "no sound that can be read"),
        (ask({"type": "input_audio", "input_audio": {"data": "AAAA"}}), 400, "no sound that can be read"),
        (ask(clip(np.zeros(0, np.float32))), 400, "no samples in it"),
        (ask(clip(np.full(16_000, np.nan, np.float32))), 400, "no numbers"),
        (ask(clip(np.zeros(100, np.float32))), 400, "too short"),
        (ask(clip(sound(0.5, seed=1)), clip(sound(0.5, seed=1))), 400, "one clip at most"),
        (ask(stream=True), 400, "not streamed"),
        (ask(max_tokens="many"), 400, "whole number"),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            400,
            "one user's turn",
        ),
    ],
)
def test_a_bad_request_is_one_clear_line_and_the_server_goes_on(server, body, status, message):
    got, reply = post(server, body)
    assert got == status
    assert message in reply["error"]["message"]
    assert post(server, ask())[0] == 200


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_a_page_elsewhere_is_not_answered(server, headers):
    assert post(server, ask(), headers)[0] == 403


def test_a_merged_folder_is_served_as_it_was_trained(tmp_path: Path):
    trained = toy(CompressConfig(kind="mean", factor=3))
    trained.encoder.system = 'أنت "مساعد"\n{{ no }}'
    save_model(trained, tmp_path)
    served = open_served(tmp_path, which="best", device="cpu")
    assert saved_system(tmp_path) == served.encoder.system == trained.encoder.system
    assert served.encoder.compress == trained.encoder.compress


def test_a_folder_that_is_no_model_is_a_clear_error(tmp_path: Path, capsys):
    assert serve([str(tmp_path)]) == 2
    assert "neither a run of recipes.train" in capsys.readouterr().err
