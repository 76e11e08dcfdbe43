"""What a command's exit code says, so that scripts and schedulers can act on it."""

from __future__ import annotations

ALL_DONE = 0
FAILED = 1
"""A disk, a database or a bug: nothing the command line could have said otherwise."""
WRONG_USAGE = 2
"""Nothing was started: an option, a file or a package that the command needs is wrong or missing."""
DONE_WITH_FAILURES = 3
"""All that could be done is done; some items failed, or some files are missing."""
COME_BACK_LATER = 75
"""Nothing is wrong with the command: a server is down, a budget is spent, another build is at work. The same command
goes on later. The number is EX_TEMPFAIL of sysexits.h."""
INTERRUPTED = 130

MEANINGS = {
    ALL_DONE: "all done",
    FAILED: "an error of the machine (a disk, a database), or a bug",
    WRONG_USAGE: "wrong usage: nothing was started",
    DONE_WITH_FAILURES: "done, but some items failed or some files are missing",
    COME_BACK_LATER: "come back later: a server is down, a budget is spent, another build is at work",
    INTERRUPTED: "interrupted; the same command goes on",
}
