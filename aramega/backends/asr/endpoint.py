"""Any OpenAI-compatible `audio/transcriptions` endpoint as a recognizer: Qwen3-ASR, Voxtral, a vendor's Whisper.

Windows are sent as WAV, some at a time. `verbose_json` is asked for, and what comes is somebody else's: times that are
no numbers, run backwards or lie outside the window are dropped, and the phrase is then the whole window. A server that
is away or busy is asked again; one that stays away stops the stage for another run. What it does not do: prompts of
several turns, streams, and any guess of how sure the server was where it does not say.
"""

from __future__ import annotations

import importlib.util
import io
import math
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aramega.backends.asr.recognizer import Heard, Phrase, Sound, Spoken, seconds_of
from aramega.config import TranscribeConfig
from aramega.display import visible
from aramega.records import RATE, AramegaError, NotNow
from aramega.retry import PASSING_STATUSES, retry
from aramega.text import clean, compression_ratio

if TYPE_CHECKING:
    import httpx

_NAME = re.compile(r"endpoint:(?P<model>.+)@(?P<url>https?://[^@\s]+)")
_SLACK = 0.5
"""Seconds that a time may lie outside the window: servers round, and pad the end."""
_MOST_BYTES = 4_000_000
"""Of an answer for half a minute."""
_WITHOUT_TIMES = frozenset({400, 415, 422})
"""What a server answers that knows no `verbose_json`, or no times for words."""


class TranscriptionEndpoint:
    """A recognizer behind HTTP."""

    def __init__(self, options: TranscribeConfig) -> None:
        self.options = options
        match = _NAME.fullmatch(options.model)
        self.model, self.url = (match["model"], match["url"].rstrip("/")) if match else ("", "")
        self.name = f"endpoint:{self.model}"
        self._key = os.environ.get(options.key_variable, "")
        self._client: httpx.Client
        self._asks_for_times = True

    def check(self) -> None:
        if not self.url:
            raise AramegaError(
                f"--asr-model {visible(self.options.model)}: give it as endpoint:MODEL@URL, for example "
                "endpoint:Qwen/Qwen3-ASR-0.6B@http://127.0.0.1:8000/v1. The key is read from "
                f"{self.options.key_variable}, never from the address."
            )
        if importlib.util.find_spec("httpx") is None:
            raise AramegaError("an endpoint needs httpx: pip install '.[review]' in aramega's clone.")

    def load(self) -> None:
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._client = httpx.Client(headers=headers, timeout=httpx.Timeout(self.options.timeout, connect=10.0))

    @property
    def windows_at_once(self) -> int:
        return self.options.batch or 4

    def recognize(self, sounds: Sequence[Sound]) -> list[Heard]:
        """What the server heard in each window; several are asked at a time."""
        with ThreadPoolExecutor(self.windows_at_once) as pool:
            return list(pool.map(self._recognize, sounds))

    def _recognize(self, sound: Sound) -> Heard:
        return read_answer(self._ask(sound), seconds_of(sound), self.options.language)

    def _ask(self, sound: Sound) -> Mapping[str, Any]:
        """The server's answer; a server that knows no times is asked for the text alone, from then on."""
        content = _as_wav(sound)
        if self._asks_for_times:
            response = self._post(content, _TIMED)
            if response.status_code not in _WITHOUT_TIMES:
                return self._read(response)
            self._asks_for_times = False
        return self._read(self._post(content, {"response_format": "json"}))

    def _post(self, content: bytes, form: Mapping[str, Any]) -> httpx.Response:
        import httpx

        fields: dict[str, Any] = {"model": self.model, **form}
        if self.options.language != "auto":
            fields["language"] = self.options.language
        if self.options.prompt:
            fields["prompt"] = self.options.prompt

        def post() -> httpx.Response:
            file = {"file": ("window.wav", content, "audio/wav")}
            response = self._client.post(f"{self.url}/audio/transcriptions", data=fields, files=file)
            if response.status_code in PASSING_STATUSES:
                response.raise_for_status()
            return response

        try:
            return retry(
                post,
                may_pass=lambda error: isinstance(error, (httpx.TransportError, httpx.HTTPStatusError)),
                doing=f"asking {self.url} for a transcript",
                patience=self.options.patience,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotNow(f"{self.url}: gives no transcripts now ({_why(error)}). Run again when it does.") from None

    def _read(self, response: httpx.Response) -> Mapping[str, Any]:
        if response.status_code >= 400:
            raise AramegaError(
                f"{self.url}: refuses with {response.status_code}: {visible(response.text[:300])}. "
                f"The model is {visible(self.model)}; the key is read from {self.options.key_variable}."
            )
        try:
            answer = response.json() if len(response.content) <= _MOST_BYTES else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise AramegaError(f"{self.url}: answers with no transcript: {visible(response.text[:200])}.")
        return answer


_TIMED = {"response_format": "verbose_json", "timestamp_granularities[]": ["segment", "word"]}


def read_answer(answer: Mapping[str, Any], seconds: float, language: str) -> Heard:
    """What a server says of a window of so many seconds, as far as it can be believed."""
    whole = clean(answer["text"]).strip()
    phrases = _believable(answer.get("segments"), seconds, whole) or ((Phrase(0.0, seconds, whole),) if whole else ())
    logprobs = [value for value in map(_logprob, _rows(answer.get("segments"))) if value is not None]
    return Heard(
        phrases=tuple(_with_words(phrases, _words(answer.get("words"), seconds))),
        language=language if language != "auto" else _language(answer.get("language")),
        avg_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
        compression_ratio=compression_ratio(whole),
        no_speech=None,
        temperature=0.0,
    )


def _believable(segments: Any, seconds: float, whole: str) -> tuple[Phrase, ...]:
    """The segments as phrases, if all their times are in order and their words are those of the text."""
    phrases: list[Phrase] = []
    for row in _rows(segments):
        times = _times(row, seconds)
        text = clean(row["text"]).strip() if isinstance(row.get("text"), str) else ""
        if not text:
            continue
        if times is None or (phrases and times[0] < phrases[-1].end - _SLACK):
            return ()
        phrases.append(Phrase(max(times[0], phrases[-1].end) if phrases else times[0], times[1], text))
    is_whole = "".join(p.text for p in phrases).replace(" ", "") == whole.replace(" ", "")
    return tuple(phrases) if is_whole and all(p.end > p.start for p in phrases) else ()


def _words(words: Any, seconds: float) -> list[Spoken]:
    """The words in time; none where one of them can't be believed."""
    spoken: list[Spoken] = []
    for row in _rows(words):
        times = _times(row, seconds)
        text = row.get("word", row.get("text"))
        if times is None or not isinstance(text, str) or (spoken and times[0] < spoken[-1].start):
            return []
        probability = _number(row.get("probability"))
        if text.strip():
            spoken.append(Spoken(clean(text).strip(), *times, min(1.0, max(0.0, probability or 0.0))))
    return spoken


def _with_words(phrases: Sequence[Phrase], words: Sequence[Spoken]) -> Sequence[Phrase]:
    """The phrases with their words, where the words are the phrases' own, one by one."""
    texts = [text for phrase in phrases for text in phrase.text.split()]
    if not words or [word.text for word in words] != texts:
        return phrases
    rest = iter(words)
    return [replace(phrase, words=tuple(next(rest) for _ in phrase.text.split())) for phrase in phrases]


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _times(row: Mapping[str, Any], seconds: float) -> tuple[float, float] | None:
    """Start and end inside the window; None where they can't be true."""
    start, end = _number(row.get("start")), _number(row.get("end"))
    if start is None or end is None or not -_SLACK <= start <= end <= seconds + _SLACK:
        return None
    return max(0.0, start), min(seconds, end)


def _logprob(row: Mapping[str, Any]) -> float | None:
    value = _number(row.get("avg_logprob"))
    return value if value is not None and value <= 0 else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def _language(value: Any) -> str:
    """A code; servers say `arabic`, too."""
    name = value.strip().lower()[:20] if isinstance(value, str) else ""
    return {"arabic": "ar", "english": "en", "french": "fr"}.get(name, name)


def _as_wav(sound: Sound) -> bytes:
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, sound, RATE, format="WAV", subtype="PCM_16")
    return content.getvalue()


def _why(error: Exception) -> str:
    return visible((str(error).splitlines() or [""])[0] or type(error).__name__, 200)
