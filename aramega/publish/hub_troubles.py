"""What goes wrong at the Hub: what will pass by itself, and what a curator must be told.

huggingface_hub has changed its HTTP library twice, so trouble is told by status codes and by where an
exception was defined, never by one library's classes. Messages name what we were doing and the status;
URLs, which may be signed, and headers stay out.
"""

from __future__ import annotations

from collections.abc import Iterator

from aramega.records import AramegaError, NotNow
from aramega.retry import PASSING_STATUSES

_WIRE = ("httpx", "requests", "urllib3", "http.client", "httpcore")


def is_passing(error: BaseException) -> bool:
    """Whether trying again may help: the Hub is overloaded or down for a moment, or the line broke."""
    if isinstance(error, AramegaError):  # explained already: whoever did has tried
        return False
    for cause in _causes(error):
        status = status_of(cause)
        if status is not None:
            return status in PASSING_STATUSES
        if type(cause).__module__.startswith(_WIRE) or isinstance(cause, ConnectionError | TimeoutError):
            return True
    return False


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error, if there was an answer at all."""
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        if response is not None:
            return int(response.status_code)
    return None


EXPLAINED = {
    401: "the Hub does not accept the token. `hf auth login` again, or correct HF_TOKEN.",
    403: "the Hub says that this token may not. It needs write access to this repository.",
    404: "the Hub knows no such thing, or keeps it from this token.",
}


def explain(error: BaseException, doing: str) -> AramegaError:
    """One line: what we were doing, what the Hub said, what to do."""
    if isinstance(error, AramegaError):
        return error
    status = status_of(error)
    if status is not None:
        trouble = EXPLAINED.get(status, f"the Hub answered {status}. What was uploaded is kept: run again later.")
    elif is_passing(error):
        trouble = f"the Hub can't be reached ({type(error).__name__}). What was uploaded is kept: run again later."
    else:
        trouble = str(error)
    kind = NotNow if is_passing(error) else AramegaError
    return kind(f"{doing}: {trouble}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
