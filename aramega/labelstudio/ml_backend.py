"""ML backend: answers Label Studio's requests for drafts, and pulls a task when a webhook says it was annotated.

It speaks the ML backend protocol (`/health`, `/setup`, `/predict`, …), so that a task opened in the browser can be
drafted by the current model, and takes webhooks, so that work arrives without polling. A webhook is only a nudge:
what was said is fetched from the server with our own token, never taken from the request. One request at a time,
since they all use the one store; whoever is not on this machine must know the secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from typing import Any

from aramega.errors import AramegaError
from aramega.labelstudio.client import LabelStudioClient
from aramega.labelstudio.clips import clip_name
from aramega.labelstudio.form import read_form
from aramega.labelstudio.projects import Project
from aramega.labelstudio.pull import pull_task
from aramega.labelstudio.task_drafts import draft_version
from aramega.labelstudio.tasks import make_task, passage_key
from aramega.records import Draft
from aramega.store import Store
from aramega.store.passages import load_drafted

LARGEST = 64 << 20
"""Bytes of a request we read; Label Studio sends some tasks at a time."""
ANNOTATION_EVENTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED")

Redraft = Callable[[str], Draft]
"""Draft a passage anew, by whatever models there are."""
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """An HTTP status and what is said with it."""

    status: int
    body: Json


@dataclass
class Backend:
    """Answers the requests of the ML backend protocol and of webhooks."""

    store: Store
    client: LabelStudioClient
    project: Project
    redraft: Redraft
    secret: str = ""

    def answer(self, method: str, path: str, body: Json) -> Answer:
        """What to say to a request that may come in."""
        routes: dict[tuple[str, str], Callable[[Json], Answer]] = {
            ("GET", "/"): self._health,
            ("GET", "/health"): self._health,
            ("GET", "/versions"): lambda _: Answer(200, {"versions": [self._version()]}),
            ("POST", "/setup"): lambda _: Answer(200, {"model_version": self._version()}),
            ("POST", "/validate"): self._validate,
            ("POST", "/predict"): self._predict,
            ("POST", "/train"): lambda _: Answer(201, {}),
            ("POST", "/webhook"): self._pull_annotated,
        }
        route = routes.get((method, path.partition("?")[0].rstrip("/") or "/"))
        return route(body) if route else Answer(404, {"error": f"nothing is served at {path}"})

    def _health(self, _: Json) -> Answer:
        return Answer(200, {"status": "UP", "model_class": "aramega"})

    def _validate(self, body: Json) -> Answer:
        wrong = read_form(str(body.get("config", ""))).complaints
        return Answer(400, {"error": " ".join(wrong)}) if wrong else Answer(200, {"status": "valid"})

    def _version(self) -> str:
        return self.project.model_version or "aramega"

    def _predict(self, body: Json) -> Answer:
        form = read_form(str(body.get("label_config") or self.project.config))
        results = []
        for task in body.get("tasks") or ():
            data = task.get("data") or {}
            passage, audio = str(data.get("passage", "")), str(data.get("audio", ""))
            if data.get("aramega") != passage_key(passage, audio) or clip_name(audio) != passage:
                return Answer(422, {"error": f"task {task.get('id')} does not speak of a passage of this workspace"})
            drafted = replace(load_drafted(self.store, passage), draft=self.redraft(passage))
            drafted_task = make_task(drafted, audio, form, draft_version(self.store, passage))
            results += drafted_task.get("predictions", [{"result": [], "score": 0.0}])
        return Answer(200, {"results": results, "model_version": self._version()})

    def _pull_annotated(self, body: Json) -> Answer:
        if body.get("action") not in ANNOTATION_EVENTS:
            return Answer(200, {"new": 0})
        project = (body.get("project") or {}).get("id")
        if project != self.project.id:
            return Answer(422, {"error": f"this endpoint is for project {self.project.id}, not {project}"})
        task = (body.get("task") or {}).get("id") or (body.get("annotation") or {}).get("task")
        if not isinstance(task, int):
            return Answer(422, {"error": "the webhook names no task"})
        summary = pull_task(self.store, self.client, self.project, task)
        return Answer(200, {"new": summary.new, "complaints": summary.complaints})


def make_server(backend: Backend, host: str, port: int) -> HTTPServer:
    """The server, bound and not yet serving. An address others can reach needs a secret."""
    if not backend.secret and not _is_loopback(host):
        raise AramegaError(
            f"--host {host}: others can reach this address. Set ARAMEGA_SERVE_SECRET, and give it to Label Studio "
            "as the ML backend's basic-auth password and in the webhook's header `Authorization: Bearer …`."
        )

    class Handler(_Handler):
        pass

    Handler.backend = backend
    try:
        return HTTPServer((host, port), Handler)
    except OSError as error:
        raise AramegaError(
            f"port {port} of {host} cannot be used ({error.strerror}). Give another: --port N."
        ) from None


def connect(client: LabelStudioClient, project: Project, address: str, secret: str = "") -> None:
    """Tell Label Studio of the endpoint, once: as ML backend and as webhook."""
    backends = client.get("api/ml", project=project.id)
    if not any(backend.get("url") == address for backend in backends):
        login = {"auth_method": "BASIC_AUTH", "basic_auth_user": "aramega", "basic_auth_pass": secret} if secret else {}
        client.send("POST", "api/ml/", json={"project": project.id, "url": address, "title": "aramega", **login})
    hooks = client.get("api/webhooks/", project=project.id)
    if not any(hook.get("url") == f"{address}/webhook" for hook in hooks):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        asked = {
            "project": project.id,
            "url": f"{address}/webhook",
            "actions": list(ANNOTATION_EVENTS),
            "headers": headers,
        }
        client.send("POST", "api/webhooks/", json={**asked, "send_payload": True, "send_for_all_actions": False})


class _Handler(BaseHTTPRequestHandler):
    backend: Backend
    timeout = 30
    """Seconds a client may take to speak: nobody else is served meanwhile."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        if not _is_let_in(self.headers.get("Authorization", ""), self.backend.secret):
            return self._send(Answer(401, {"error": "the secret is missing or wrong"}))
        try:
            answer = self.backend.answer(method, self.path, self._read())
        except AramegaError as error:
            answer = Answer(503, {"error": str(error)})
        except (ValueError, TypeError, AttributeError):
            answer = Answer(400, {"error": "the request is not what Label Studio sends"})
        return self._send(answer)

    def _read(self) -> Json:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            raise AramegaError(f"requests are at most {LARGEST >> 20} MB.")
        body = json.loads(self.rfile.read(length)) if length else {}
        return body if isinstance(body, dict) else {}

    def _send(self, answer: Answer) -> None:
        data = json.dumps(answer.body, ensure_ascii=False).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """A line for each request; never its headers, which may hold the secret."""
        sys.stderr.write(f"{self.log_date_time_string()} {format % args}\n")


def _is_let_in(given: str, secret: str) -> bool:
    """By `Bearer SECRET`, or as the password of basic auth; anyone where there is no secret."""
    if not secret:
        return True
    kind, _, value = given.partition(" ")
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    return hmac.compare_digest(value.encode(), secret.encode())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
