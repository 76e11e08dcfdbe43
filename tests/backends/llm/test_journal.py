"""The journal: what was answered is known again, whoever was killed, and what it cost is counted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aramega.backends.llm import Message, Reply, Request
from aramega.backends.llm.journal import Journal, Spent, forget_invalid_answers, request_hash, spent_so_far
from aramega.records import AramegaError

ANSWER = Reply("نعم", 100, 20)


def test_an_answer_is_known_again_by_another_process_of_the_same_workspace(tmp_path: Path) -> None:
    Journal(tmp_path / "answers.db").note("a", "m", ANSWER)
    other = Journal(tmp_path / "answers.db")
    assert other.find("a") == ANSWER
    assert other.find("b") is None
    assert other.spent() == Spent(1, 100, 20) == spent_so_far(tmp_path / "answers.db")


def test_an_answer_survives_a_kill_the_moment_it_was_noted(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from aramega.backends.llm import Reply;"
        "from aramega.backends.llm.journal import Journal;"
        "Journal(Path(sys.argv[1])).note('a', 'm', Reply('نعم', 100, 20)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path / "answers.db"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert Journal(tmp_path / "answers.db").find("a") == ANSWER


def test_an_invalid_answer_is_known_until_failures_are_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    journal = Journal(path)
    first_key = journal.idempotency_key("a")
    journal.note("a", "m", ANSWER)
    journal.note("b", "m", ANSWER)
    journal.mark_invalid(["a"])
    assert journal.find("a") == ANSWER, "a build killed now comes to the same failure without paying again"
    assert journal.idempotency_key("a") == first_key
    forget_invalid_answers(path)
    assert journal.find("a") is None
    assert journal.find("b") == ANSWER
    assert journal.idempotency_key("a") != first_key, "a server that remembers keys is to think again"
    journal.note("a", "m", Reply("لا", 90, 10))
    assert journal.find("a") == Reply("لا", 90, 10)
    assert journal.spent() == Spent(3, 290, 50), "what was answered badly was paid for, too"


def test_of_two_journals_the_answers_come_together_and_what_both_have_was_paid_for_once(tmp_path: Path) -> None:
    ours, theirs = Journal(tmp_path / "answers.db"), Journal(tmp_path / "other?.db")
    ours.note("a", "m", ANSWER)
    for asked in ("a", "b"):
        theirs.note(asked, "m", ANSWER)
    for _ in range(2):
        ours.take_from(tmp_path / "other?.db")
        assert ours.find("b") == ANSWER
        assert ours.spent() == Spent(2, 200, 40)


def test_a_request_is_known_by_all_that_its_answer_depends_on() -> None:
    request = Request((Message("user", "نص"),), "{}", 100)
    known = request_hash(request, "m", 0.0)
    assert known == request_hash(Request((Message("user", "نص"),), "{}", 100), "m", 0.0)
    others = [
        request_hash(request, "n", 0.0),
        request_hash(request, "m", 0.5),
        request_hash(Request((Message("system", "نص"),), "{}", 100), "m", 0.0),
        request_hash(Request((Message("user", "نص"),), "{}", 101), "m", 0.0),
    ]
    assert known not in others
    assert len(set(others)) == 4


def test_a_workspace_without_a_journal_has_spent_nothing_and_gets_none(tmp_path: Path) -> None:
    assert spent_so_far(tmp_path / "answers.db") == Spent()
    forget_invalid_answers(tmp_path / "answers.db")
    assert not os.listdir(tmp_path)


def test_a_journal_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "answers.db").write_text("not a database, and long enough to be seen as none" * 100)
    with pytest.raises(AramegaError, match=r"answers\.db: cannot be opened .* Move it away to go on"):
        Journal(tmp_path / "answers.db")
