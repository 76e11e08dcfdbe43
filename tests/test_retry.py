"""Asking again: which errors, how long, and what is said of it."""

from __future__ import annotations

import logging

import pytest

from aramega.retry import LONGEST_WAIT, PATIENCE, retry, without_waiting


class Server:
    """Answers after as many troubles."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles, self.asked = list(troubles), 0

    def __call__(self) -> str:
        self.asked += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return "answer"


def is_broken_line(error: BaseException) -> bool:
    return isinstance(error, ConnectionError)


def test_trouble_that_passes_costs_nothing_but_time_and_is_said_once():
    said: list[str] = []
    server = Server(ConnectionError("away"), ConnectionError("away"), ConnectionError("away"))
    with without_waiting():
        assert retry(server, may_pass=is_broken_line, doing="asking", say=said.append) == "answer"
    assert server.asked == 4
    assert said == ["asking: ConnectionError, trying again for up to 30 s"]


def test_trouble_that_stays_is_raised_as_it_came_once_patience_is_spent():
    errors = [ConnectionError(str(number)) for number in range(200)]
    server = Server(*errors)
    with without_waiting(), pytest.raises(ConnectionError) as raised:
        retry(server, may_pass=is_broken_line, doing="asking")
    assert raised.value is errors[server.asked - 1]
    assert PATIENCE / LONGEST_WAIT < server.asked < 50


def test_trouble_that_does_not_pass_is_not_asked_about_again():
    server = Server(PermissionError("no"))
    with pytest.raises(PermissionError):
        retry(server, may_pass=is_broken_line, doing="asking")
    assert server.asked == 1


def test_without_patience_there_is_one_try():
    server = Server(ConnectionError("away"))
    with pytest.raises(ConnectionError):
        retry(server, may_pass=is_broken_line, doing="asking", patience=0)
    assert server.asked == 1


def test_who_gives_no_place_for_the_line_finds_it_in_the_log(caplog):
    with without_waiting(), caplog.at_level(logging.WARNING):
        retry(Server(ConnectionError("away")), may_pass=is_broken_line, doing="s3://bucket/a.mp3")
    assert "s3://bucket/a.mp3: ConnectionError, trying again" in caplog.text
