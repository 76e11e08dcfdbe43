"""Answer for a fine-tuned model over HTTP: `python -m recipes.serve RUN|FOLDER`.

RUN is a run folder of `recipes.train`, FOLDER a model of `recipes.merge --merged`. It speaks OpenAI's chat protocol with
`input_audio`, so a build can have its summaries drafted from sound: what it prints is what to give `build-ssum`.

It listens on this machine alone and answers one question after another, the model being one. For a model of real size
and many questions, merge it and serve the folder with vLLM.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from recipes.config import load_config
from recipes.errors import RecipeError
from recipes.models.chat import answer_question, model_list, read_question
from recipes.models.compress import NO_COMPRESSION, read_settings
from recipes.models.config import ModelConfig
from recipes.models.load import LoadedModel, load_model, saved_system
from recipes.models.lora import add_adapters
from recipes.training import checkpoint

LONGEST_BODY = 64 * 2**20
"""Bytes of a request: ten minutes of sound are 26 MB, so a clip that is too long is read and refused by its seconds."""
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recipes.serve", description="Answer for a fine-tuned model over HTTP.")
    parser.add_argument("model", type=Path, help="run folder of recipes.train, or a model of recipes.merge --merged")
    parser.add_argument("--checkpoint", default="best", help="of a run: best, last or step-N")
    parser.add_argument("--port", type=int, default=8010, help="on this machine; 0: any that is free")
    parser.add_argument("--device", default="cpu", help="cuda for models of real size")
    options = parser.parse_args(arguments)
    try:
        model = open_served(options.model, which=options.checkpoint, device=options.device)
        server = ModelServer(model, name=options.model.resolve().name, port=options.port)
    except RecipeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: port {options.port} cannot be listened on ({error}). Give another with --port.", file=sys.stderr)
        return 2
    print(
        f'{server.backend}\n  aramega build-ssum … --summarizer "{server.backend}" --set summarize.hears=true',
        flush=True,
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
    finally:
        server.server_close()
    return 0


def open_served(folder: Path, *, which: str, device: str) -> LoadedModel:
    """The model of a run, as it stood at a checkpoint, or of a merged folder."""
    if (folder / "checkpoints").is_dir():
        config = load_config(folder / "config.toml")
        model = load_model(config.model, device=device)
        if config.train.method == "lora":
            add_adapters(model, config.lora)
        checkpoint.load_weights(model, checkpoint.find_checkpoint(folder, which) / "model")
        model.model.eval()
        return model
    if not (folder / "config.json").is_file():
        raise RecipeError(
            f"{folder}: neither a run of recipes.train with a checkpoint nor a merged model. "
            "An adapter alone is merged first: python -m recipes.merge RUN --merged FOLDER"
        )
    served = ModelConfig(
        path=str(folder),
        dtype="float32" if device == "cpu" else "bfloat16",
        system_prompt=saved_system(folder) or ModelConfig().system_prompt,
        compress=read_settings(folder) or NO_COMPRESSION,
    )
    return load_model(served, device=device)


class ModelServer(ThreadingHTTPServer):
    """A model at an address of this machine."""

    daemon_threads = True

    def __init__(self, model: LoadedModel, *, name: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), ModelRequest)
        self.model, self.model_name = model, name
        self.turn = threading.Lock()

    @property
    def backend(self) -> str:
        """What `summarize.backend` is set to."""
        return f"openai:{self.model_name}@http://127.0.0.1:{self.server_port}/v1"


class ModelRequest(BaseHTTPRequestHandler):
    """One request to a model server."""

    server: ModelServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self.is_local():
            self.send_error_json(403, "only this machine is answered")
        elif self.path.rstrip("/") == "/v1/models":
            self.send_json(200, model_list([self.server.model_name]))
        else:
            self.send_error_json(404, f"{self.path}: not known here. There are /v1/models and /v1/chat/completions.")

    def do_POST(self) -> None:
        body = self.read_body()
        if body is None:
            return
        if not self.is_local():
            self.send_error_json(403, "only this machine is answered")
        elif self.path.rstrip("/") != "/v1/chat/completions":
            self.send_error_json(404, f"{self.path}: not known here. There are /v1/models and /v1/chat/completions.")
        else:
            self.answer(body)

    def answer(self, body: bytes) -> None:
        """Answer a question, or say what is wrong with it; a question that breaks the model leaves the server up."""
        try:
            question = read_question(json.loads(body))
            with self.server.turn:
                reply = answer_question(self.server.model, question, name=self.server.model_name)
        except ValueError as error:
            self.send_error_json(400, f"the body is not JSON: {error}")
        except RecipeError as error:
            self.send_error_json(400, str(error))
        except RuntimeError as error:
            self.send_error_json(500, f"the model failed: {str(error).splitlines()[0]}")
        else:
            self.send_json(200, reply)

    def is_local(self) -> bool:
        """Whether the address that was asked is this machine's: a page elsewhere may have had its name point here."""
        host = self.headers.get("Host", "")
        return host.rsplit(":", 1)[0] in LOCAL_NAMES and self.headers.get("Origin") is None

    def read_body(self) -> bytes | None:
        """The body; None where it was refused for its length."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self.send_error_json(413, f"give a Content-Length of {LONGEST_BODY} bytes at most")
            return None
        return self.rfile.read(int(length))

    def send_error_json(self, status: int, message: str) -> None:
        self.send_json(status, {"error": {"message": message, "type": "invalid_request_error", "code": status}})

    def send_json(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged: questions hold what people said."""


if __name__ == "__main__":
    sys.exit(main())
