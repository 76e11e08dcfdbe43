"""What commands that start a server print for machines: where it is, and no password."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aramega.api.review import RunningServer
from aramega.cli import review, review_start
from aramega.labelstudio.credentials import Credentials
from aramega.workspace import WorkspaceFolder
from tests.support.cli import Run


def test_start_names_the_file_of_the_password_and_never_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    credentials = Credentials("http://127.0.0.1:8080", "curator@example.org", "a-password", "a-token")
    server = RunningServer(credentials.url, credentials, Path("/home/c/credentials.json"), True, lambda: None)
    review_start._print(server)
    printed = capsys.readouterr().out
    assert json.loads(printed) == {
        "address": credentials.url,
        "user": credentials.email,
        "credentials": "/home/c/credentials.json",
    }
    assert len(printed.splitlines()) == 1


def test_serve_says_where_drafts_and_webhooks_are_answered(capsys: pytest.CaptureFixture[str]) -> None:
    review._print_address("نشرات", "http://127.0.0.1:9090")
    assert json.loads(capsys.readouterr().out) == {
        "project": "نشرات",
        "address": "http://127.0.0.1:9090",
        "webhooks": "http://127.0.0.1:9090/webhook",
    }


def test_the_compose_file_comes_as_json_too(aramega: Run, workspace_alone: WorkspaceFolder) -> None:
    plain = aramega("review", "start", workspace_alone.root, "--with-compose")
    assert json.loads(aramega("review", "start", workspace_alone.root, "--with-compose", "--json").out) == {
        "compose": plain.out
    }
