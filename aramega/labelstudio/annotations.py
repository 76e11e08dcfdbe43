"""Annotations: reads reviews from the JSON of a Label Studio task, and says what is wrong with it.

Pure: plain JSON in, records and complaints out. Nothing an annotator did is thrown away because some of it is
odd: an unknown label or an empty transcript is taken as it is and complained of in one line. Only a task that no
longer speaks of the passage it was made for is refused whole, since its words would go to the wrong passage; it
stays on the server until someone looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aramega.display import visible
from aramega.labelstudio.clips import clip_name
from aramega.labelstudio.form import FIELDS, VERDICTS, Form
from aramega.labelstudio.tasks import passage_key
from aramega.records import Passage, Region, Review, ReviewState
from aramega.records.choices import current_flag
from aramega.text import clean

Json = Mapping[str, Any]
_HIGHEST_RATING = 100
_LARGEST = 1e18
"""More than any time or rating can be, less than what SQLite's integers hold."""


@dataclass(frozen=True)
class TaskReader:
    """Reads the tasks of one project: knows its form, its annotators, and how to find a passage."""

    url: str
    project: int
    form: Form
    people: Mapping[int, str]
    """Label Studio's number of each user, and their e-mail address."""
    find: Callable[[str], Passage | None]
    pushed: Callable[[int], str]
    """Which passage we sent as this task; empty if we did not."""

    def link(self, task: object) -> str:
        return f"{self.url}/projects/{self.project}/data?task={visible(task, 40)}"


@dataclass(frozen=True)
class ParsedTask:
    """The reviews in one task, with complaints; `refused` where it no longer fits its passage."""

    reviews: tuple[Review, ...] = ()
    complaints: tuple[str, ...] = ()
    refused: bool = False


def parse_task(task: Json, reader: TaskReader) -> ParsedTask:
    """Read all annotations and open drafts of one task, as exports and the API give it."""
    annotations, drafts = _numbered(task.get("annotations")), _numbered(task.get("drafts"))
    if not annotations and not drafts:
        return ParsedTask()
    why_not = doubt_identity(task, reader)
    passage = reader.find(_named(task, "passage"))
    if why_not or passage is None:
        return ParsedTask(complaints=(f"{reader.link(task.get('id'))}: {why_not}",), refused=True)
    reviews, complaints = [], []
    for answer in (*annotations, *drafts):
        review, wrong = _read_answer(answer, task, passage, reader, is_draft=any(answer is d for d in drafts))
        reviews.append(review)
        complaints += [f"{reader.link(task['id'])}, {review.annotator}: {line}" for line in wrong]
    return ParsedTask(tuple(reviews), tuple(complaints))


def doubt_identity(task: Json, reader: TaskReader) -> str:
    """Why a task can't be trusted to speak of the passage it names; empty if it can."""
    passage, audio, number = _named(task, "passage"), _named(task, "audio"), task.get("id")
    if not isinstance(number, int):
        return "it has no number, so that nobody could find it again; its annotations were left there."
    sent = reader.pushed(number)
    if sent and passage != sent:
        return f"it was made for passage {sent} and now names {passage[:80] or 'none'}. Put `passage` back; its annotations wait there."
    if reader.find(passage) is None:
        return f"it names passage {passage[:80] or 'none'}, which this workspace does not have; its annotations were left there."
    if audio and clip_name(audio) != passage:
        return f"it names passage {passage} but plays {audio[:120]}. Put `audio` back; its annotations wait there."
    if _data(task).get("aramega") != passage_key(passage, audio):
        return "its `passage` or `audio` was edited on the server (its key no longer fits). Put them back; its annotations wait there."
    return ""


def _named(task: Json, key: str) -> str:
    """What a task says of itself, in characters that can be looked up and shown."""
    return visible(_data(task).get(key, ""), 500)


def _numbered(answers: object) -> list[Json]:
    """Answers as Label Studio gives them; short exports hold only their numbers."""
    listed = answers if isinstance(answers, list) else []
    return [a for a in listed if isinstance(a, dict) and _is_id(a.get("id"))]


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _data(task: Json) -> Json:
    data = task.get("data")
    return data if isinstance(data, dict) else {}


def _read_answer(
    answer: Json, task: Json, passage: Passage, reader: TaskReader, *, is_draft: bool
) -> tuple[Review, list[str]]:
    wrong: list[str] = []
    fields = _Fields(_entries(answer), reader.form, wrong)
    updated = _moment(answer.get("updated_at"))
    number = f"draft-{answer['id']}" if is_draft else str(answer["id"])
    state: ReviewState = "draft" if is_draft else "skipped" if answer.get("was_cancelled") else "submitted"
    regions = tuple(fields.regions(passage))
    transcript = fields.text("transcript")
    if transcript is None and regions:
        transcript = clean(" ".join(region.text for region in regions))
    verdict = fields.verdict()
    if state == "submitted" and transcript == "" and verdict != "reject":
        wrong.append("the transcript is empty and the passage is not rejected; taken as it is.")
    review = Review(
        id=f"{reader.url}/{number}@{updated}",
        passage=passage.id,
        annotator=_who(answer.get("completed_by", answer.get("user")), reader.people),
        state=state,
        updated_at=updated,
        created_at=_moment(answer.get("created_at")),
        verdict=verdict,
        reason=fields.preference(_data(task)) + fields.reason(),
        transcript=transcript,
        summary=fields.text("summary"),
        title=fields.text("title"),
        dialect=fields.choice("dialect"),
        emotion=fields.choice("emotion"),
        flags=tuple(map(current_flag, fields.choices("flags"))),
        confidence=fields.rating("confidence"),
        regions=regions,
        seconds_spent=_number(answer.get("lead_time")),
        draft=_named(task, "draft"),
        place=reader.link(task["id"]),
        gold=bool(answer.get("ground_truth")),
    )
    return review, wrong


def _entries(answer: Json) -> list[Json]:
    result = answer.get("result")
    return (
        [e for e in result if isinstance(e, dict) and isinstance(e.get("value"), dict)]
        if isinstance(result, list)
        else []
    )


class _Fields:
    """The filled-in controls of one annotation, by name; what is odd is noted in `wrong`."""

    def __init__(self, entries: Iterable[Json], form: Form, wrong: list[str]) -> None:
        self._by_name: dict[str, list[Json]] = {}
        self._form, self._wrong = form, wrong
        for entry in entries:
            self._by_name.setdefault(str(entry.get("from_name", "")), []).append(entry)
        if strange := sorted(set(self._by_name) - set(FIELDS)):
            wrong.append(f"pull does not read {visible(', '.join(strange))}; the rest was taken.")

    def text(self, name: str) -> str | None:
        """None where it was not asked or left alone; regions have their own."""
        texts = [t for e in self._of(name) if "start" not in e["value"] for t in _strings(e["value"].get("text"))]
        return clean(" ".join(texts)) if name in self._by_name and (texts or not self._has_regions(name)) else None

    def choices(self, name: str) -> list[str]:
        chosen = [c for e in self._of(name) for c in _strings(e["value"].get("choices"))]
        offered = self._form.controls[name].choices if self._form.has(name) else ()
        if stray := [c for c in chosen if offered and c not in offered]:
            self._wrong.append(f"{name} is {visible(', '.join(stray))}, which the form does not offer; taken as it is.")
        return [clean(c) for c in chosen]

    def choice(self, name: str) -> str | None:
        chosen = self.choices(name)
        return chosen[0] if chosen else None

    def verdict(self) -> str:
        chosen = self.choice("verdict") or ""
        return chosen if chosen in VERDICTS else ""

    def reason(self) -> str:
        """Why it was rejected, and whatever else the annotator wanted to say."""
        return ": ".join(filter(None, (", ".join(self.choices("reason")), self.text("comment"))))

    def preference(self, data: Json) -> str:
        """Which of two summaries is better, by what made them; nothing where that was not asked."""
        chosen = self.choice("preference")
        if chosen in ("first", "second"):
            other = "second" if chosen == "first" else "first"
            liked, left = (visible(data.get(f"{which}_by", which)) for which in (chosen, other))
            return f"prefers {liked} to {left}. "
        return "finds both summaries as good as each other. " if chosen == "same" else ""

    def rating(self, name: str) -> int | None:
        given = [_number(e["value"].get("rating")) for e in self._of(name)]
        if not given or given[0] is None:
            return None
        if not 0 <= given[0] <= _HIGHEST_RATING:
            self._wrong.append(f"{name} is {given[0]:g}, which no scale of stars holds; left out.")
            return None
        return round(given[0])

    def regions(self, passage: Passage) -> Iterator[Region]:
        """Stretches of the waveform in their order, with their texts, in seconds of the recording."""
        texts = {str(e.get("id")): " ".join(_strings(e["value"].get("text"))) for e in self._of("transcript")}
        marked = {
            str(e.get("id")): e["value"]
            for e in (*self._of("transcript"), *self._of("speech"))
            if "start" in e["value"]
        }
        for number, value in sorted(
            marked.items(), key=lambda entry: (_number(entry[1].get("start")) or 0.0, entry[0])
        ):
            start, end = _number(value.get("start")), _number(value.get("end"))
            if start is None or end is None or not 0 <= start < end:
                edges = (visible(value.get(edge), 40) for edge in ("start", "end"))
                self._wrong.append(f"a region from {' to '.join(edges)} is none; left out.")
                continue
            begin, stop = (round(passage.start + min(at, passage.seconds), 3) for at in (start, end))
            yield Region(begin, stop, clean(texts.get(number, "")))

    def _of(self, name: str) -> list[Json]:
        return self._by_name.get(name, [])

    def _has_regions(self, name: str) -> bool:
        return any("start" in e["value"] for e in self._of(name))


def _strings(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for text in listed if isinstance(text, str)]


def _number(value: object) -> float | None:
    """JSON's numbers as far as they are any: Python also reads NaN, Infinity and integers no float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return None
    return float(value)


def _who(user: object, people: Mapping[int, str]) -> str:
    """An e-mail address, however this answer names its author."""
    if isinstance(user, dict):
        number = user.get("id")
        email = people.get(number) if isinstance(number, int) else None
        return visible(user.get("email") or email or f"user {number}")
    if isinstance(user, int):
        return people.get(user, f"user {user}")
    return visible(user or "unknown").partition(",")[0]


def _moment(given: object) -> str:
    """A time in UTC, always written alike: it is part of a review's id, by which the next pull finds it known."""
    try:
        moment = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
        in_utc = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):  # no time at all, or one that UTC would move out of the calendar
        return visible(given or "", 80)
    return in_utc.isoformat(timespec="microseconds")
