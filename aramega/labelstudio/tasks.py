"""Tasks: makes a Label Studio task of a drafted passage: what the annotator sees, and the draft as a prediction.

Pure: records in, plain JSON out. A transcript is what a stranger said into a microphone and a machine made of it,
so every text is cleaned of bidirectional controls and of what cannot be seen before it leaves; Label Studio itself
shows it as text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aramega.errors import AramegaError
from aramega.labelstudio.form import CHOICE, SPEECH, TEXT, Control, Form
from aramega.records import Draft, DraftedPassage, Line, Passage, Segment
from aramega.settle.shown import draft_fingerprint
from aramega.text import clean

Task = dict[str, Any]

UNSURE = 0.5
"""Words the recognizer gave less than even odds are named to the annotator."""
_WORDS_NAMED = 12
_IN_ARABIC = {
    "nothing heard": "لم تسمع الآلة شيئًا في جزء منه",
    "loop": "تكرار آلي",
    "phantom": "كلام قد لا يكون في التسجيل",
    "too fast": "كلام أسرع من المعقول",
    "too slow": "المكتوب أقل من المسموع",
    "no speech": "قد لا يكون كلامًا",
    "unsure": "الآلة غير متأكدة",
    "drawn out": "قد يكون غناءً أو تلاوة لا كلامًا",
    "divided": "تقسيم النص على الأجزاء تقريبي",
    "unsure of the words": "الآلة غير متأكدة من الكلمات",
    "partly doubtful": "بعض النص مشكوك فيه",
    "partly unheard": "بعض الكلام غير مكتوب",
    "too fast to be true": "النص أطول من أن يقال في هذه المدة",
    "too slow to be all": "النص أقصر من أن يكون كل ما قيل",
    "few words to judge by": "كلمات قليلة لا تكفي للحكم",
    "much that is not Arabic": "فيه كثير من غير العربية",
    "noisy": "ضجيج",
    "unlike the subtitles": "يخالف النص المكتوب على الشاشة",
    "a number that was not said": "رقم لم يُقل",
    "a name that was not said": "اسم لم يُقل",
    "the opposite of what was said": "جملة في الملخص تخالف ما قيل",
    "a sentence that was not said": "جملة في الملخص لم تُقل",
    "hardly shorter than what was said": "الملخص طويل: يقارب طول النص",
    "mostly new words": "كلمات الملخص ليست من النص",
}
"""What the stages flag and the usual rules call their reasons; a curator's own rules are shown as they are written."""
_DOUBTS_IN_ARABIC = {
    "number": "رقم لم يُقل",
    "name": "اسم لم يُقل",
    "negation": "نفي لم يُقل أو سقط",
    "direction": "عكس ما قيل",
    "foreign": "لم تُقل في المقطع",
}
_EVIDENCE = "أين تسمع جمل الملخص:"
_WORDS_OF_SENTENCE = 5
_NOTHING_UNSURE = "لا شيء يلفت النظر."


def make_task(drafted: DraftedPassage, audio: str, form: Form, model_version: str) -> Task:
    """Make a task as Label Studio imports it."""
    data = task_data(drafted, audio)
    result = list(_result(drafted, form, data))
    verdict = drafted.draft.verdict
    prediction = {"model_version": model_version, "score": verdict.score if verdict else 0.0, "result": result}
    return {"data": data, "predictions": [prediction]} if result else {"data": data}


def task_data(drafted: DraftedPassage, audio: str) -> dict[str, Any]:
    """Make a task's data: the form's $variables, and what tells us later which passage and draft this was."""
    draft, metadata = drafted.draft, drafted.recording.metadata
    verdict = draft.verdict
    return {
        "aramega": passage_key(drafted.id, audio),
        "passage": drafted.id,
        "audio": audio,
        "transcript": clean(draft.transcript.text) if draft.transcript else "",
        "summary": clean(draft.summary.text) if draft.summary else "",
        "title": clean(draft.summary.title) if draft.summary else "",
        "recording": clean(metadata.title or drafted.recording.name),
        "uncertain": "\n".join(filter(None, (describe_doubts(draft), describe_evidence(drafted)))),
        "draft": draft_fingerprint(draft),
        "priority": round(verdict.priority, 4) if verdict else 0.0,
    }


def pair_data(drafted: DraftedPassage, rival: Draft) -> dict[str, str]:
    """Make the data of two summaries to choose from. Their order is drawn for each passage, so that nobody learns which
    model is first."""
    pair = [draft.summary for draft in (drafted.draft, rival) if draft.summary]
    if len(pair) < 2:
        raise AramegaError(f"{drafted.id}: there are no two summaries of it to compare; it was left out.")
    if hashlib.sha256(drafted.id.encode()).digest()[0] % 2:
        pair.reverse()
    first, second = pair
    return {
        "first": clean(first.text),
        "second": clean(second.text),
        "first_by": " ".join(filter(None, (first.model, first.prompt))),
        "second_by": " ".join(filter(None, (second.model, second.prompt))),
        "draft": pair_fingerprint(drafted.draft, rival),
    }


def pair_fingerprint(draft: Draft, rival: Draft) -> str:
    return hashlib.sha256(f"{draft_fingerprint(draft)} {draft_fingerprint(rival)}".encode()).hexdigest()[:16]


def passage_key(passage: str, audio: str) -> str:
    """Hash a passage with the clip it plays: if either is edited on the server, the key no longer fits."""
    return hashlib.sha256(f"aramega task\n{passage}\n{audio}".encode()).hexdigest()[:20]


def describe_doubts(draft: Draft) -> str:
    """Describe what the machine was unsure of, a line for each kind, in the annotator's language."""
    lines = draft.transcript.lines if draft.transcript else ()
    words = _once(w.text for line in lines for w in line.words if w.probability < UNSURE)
    check, verdict = draft.check, draft.verdict
    flags = [flag for line in lines for flag in line.flags] + list(check.flags if check else ())
    doubts = {
        "كلمات غير مؤكدة": words[:_WORDS_NAMED],
        "أرقام في الملخص لم ترد في النص": list(check.unsupported_numbers if check else ()),
        "أسماء في الملخص لم ترد في النص": list(check.unsupported_names if check else ()),
        "انتبه إلى": _once(_IN_ARABIC.get(flag, flag) for flag in flags),
        "سبب المراجعة": [_IN_ARABIC.get(reason, reason) for reason in (verdict.reasons if verdict else ())],
    }
    described = [f"{what}: {clean('، '.join(things))}" for what, things in doubts.items() if things]
    return "\n".join(described) or _NOTHING_UNSURE


def describe_evidence(drafted: DraftedPassage) -> str:
    """Describe where in the clip to listen for each sentence of the summary, and what in it was not said so."""
    check = drafted.draft.check
    places = {segment.id: segment for segment in drafted.segments}
    described = []
    for evidence in check.evidence if check else ():
        heard = [places[segment] for segment in evidence.segments if segment in places]
        when = "، ".join(
            f"{_clock(s.start - drafted.passage.start)}–{_clock(s.end - drafted.passage.start)}" for s in heard
        )
        start = " ".join(clean(evidence.sentence).split()[:_WORDS_OF_SENTENCE])
        doubts = "، ".join(_DOUBTS_IN_ARABIC.get(doubt.partition(":")[0], doubt) for doubt in evidence.doubts)
        described.append(f"«{start}…»: {when or 'لم يوجد موضعها'}{f' ({doubts})' if doubts else ''}")
    return "\n".join([_EVIDENCE, *described]) if described else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def _once(things: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, things))))


def _result(drafted: DraftedPassage, form: Form, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The draft as if a person had filled it in. What the form does not ask, or does not offer, is left out."""
    for name in ("transcript", "summary", "title"):
        control = form.controls.get(name)
        if control and control.tag == TEXT and not control.per_region and data[name]:
            yield _filled(control, {"text": [data[name]]})
    labels = drafted.draft.labels
    for name, scores in (("dialect", labels.dialect), ("emotion", labels.emotion)) if labels else ():
        control = form.controls.get(name)
        if control and control.tag == CHOICE and scores and scores[0].label in control.choices:
            yield _filled(control, {"choices": [scores[0].label]})
    speech, spoken = form.controls.get("speech"), form.controls.get("transcript")
    if speech and speech.tag == SPEECH and spoken and spoken.per_region:
        yield from _regions(drafted, speech, spoken)


def _filled(control: Control, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"from_name": control.name, "to_name": control.about, "type": control.tag.lower(), "value": value, **more}


def _regions(drafted: DraftedPassage, speech: Control, spoken: Control) -> Iterator[dict[str, Any]]:
    """Each segment as a stretch of the waveform with its own text."""
    lines = {line.segment: line for line in (drafted.draft.transcript.lines if drafted.draft.transcript else ())}
    for number, segment in enumerate(drafted.segments):
        stretch = _stretch(drafted.passage, segment)
        more = {"id": f"seg{number:03d}", "original_length": round(drafted.passage.seconds, 3)}
        yield _filled(speech, {**stretch, "labels": [speech.choices[0] if speech.choices else "speech"]}, **more)
        text = clean(lines.get(segment.id, Line(segment.id, "", segment.start, segment.end)).text)
        if text:
            yield _filled(spoken, {**stretch, "text": [text]}, **more)


def _stretch(passage: Passage, segment: Segment) -> dict[str, Any]:
    """Seconds of the clip, which begins where its passage does."""
    start = max(0.0, round(segment.start - passage.start, 3))
    return {"start": start, "end": round(min(segment.end, passage.end) - passage.start, 3), "channel": 0}
