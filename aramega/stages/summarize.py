"""Summarize: a passage gets a title, one to three sentences and its topics.

The passage's transcript goes to a language model as quoted material, or, with the `extractive` backend, its most
central sentences are picked. What is longer than the model's context is summarized in parts, and those summaries
once more together. This module decides what is asked and what becomes of the answers; who answers, how often and at
what price is `backends.llm`'s business.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from aramega.backends.llm import ChatModel, Message, Request, Talk
from aramega.backends.llm.answers import Limits, SummaryAnswer, answer_schema, read_heard, read_summary
from aramega.backends.llm.estimates import Estimate, estimate_talks, room_beside, split_to_fit
from aramega.backends.llm.journal import forget_invalid_answers
from aramega.backends.llm.models import check_model, open_model
from aramega.backends.llm.quoting import as_data, known_about, make_request
from aramega.backends.llm.talks import Bill, ask
from aramega.config.summarize import SummarizeConfig
from aramega.plugins import Plugin, find_plugins
from aramega.prompts import Prompt, fill, load_prompt
from aramega.records import AramegaError, DraftedPassage, Metadata, Part, Summary
from aramega.stages.base import Stage, Step, Takes
from aramega.stages.names import SUMMARIZE, TRANSCRIBE
from aramega.text.extractive import extract, method
from aramega.workspace import WorkspaceFolder

ROUNDS_A_TASK = 16
"""Times `concurrency` requests to a task: its last ones wait for each other, so few and large tasks are best, and
what a kill could cost is in the journal, not in the task."""


class Summarize(Stage[DraftedPassage]):
    name = SUMMARIZE
    version = 1
    takes = Takes.PASSAGE
    makes = (Summary,)
    counts = "summary"
    table = "summaries"
    after = (TRANSCRIBE,)
    parts = Part.TRANSCRIPT
    batch_size = 16

    options: SummarizeConfig

    def __init__(self, options: SummarizeConfig, workspace: WorkspaceFolder) -> None:
        super().__init__(options, workspace)
        self._model: ChatModel | None = None
        self._rules: Rules | None = None
        if options.model.kind == "openai":
            self.batch_size = options.concurrency * ROUNDS_A_TASK
        elif not self._picks:
            self.batch_size = options.concurrency  # nothing is journaled: a kill costs the task
        if not self._picks:
            self.workers = 1  # one process knows what is under way and what is spent, and holds the model

    def plugins(self) -> tuple[Plugin, ...]:
        plugin = find_plugins("summarizers").get(self.options.model.kind)
        return (plugin,) if plugin else ()

    def check(self) -> None:
        check_model(self.options)
        load_rules(self.options)

    def prepare(self) -> None:
        if not self._picks:
            self._rules = load_rules(self.options)  # once: a curator may be editing the prompt meanwhile
            self._model = open_model(self.options, self.workspace.answers, self._read_clip)
            self._model.load()

    def forget_failures(self) -> None:
        forget_invalid_answers(self.workspace.answers)

    def run(self, item: DraftedPassage) -> Sequence[Summary]:
        if self._picks:
            return [pick_summary(item, self.options)]
        (end,) = self._talk_about([item])
        if isinstance(end, Exception):
            raise end
        return end

    def run_batch(self, items: Sequence[DraftedPassage]) -> Iterator[Sequence[Summary] | Exception | Step]:
        return super().run_batch(items) if self._picks else iter(self._talk_about(items))

    def _read_clip(self, clip: str) -> bytes:
        """A clip as a WAV file, which every server can read."""
        import soundfile

        with self.workspace.borrow(clip) as path:
            try:
                samples, rate = soundfile.read(path, dtype="int16")
            except (OSError, RuntimeError) as error:
                raise AramegaError(f"{clip}: this clip cannot be read ({error}). Restore it, from a backup.") from None
        sound = io.BytesIO()
        soundfile.write(sound, samples, rate, format="WAV", subtype="PCM_16")
        return sound.getvalue()

    def _talk_about(self, items: Sequence[DraftedPassage]) -> list[Sequence[Summary] | Exception]:
        assert self._model is not None, "prepare comes first"
        assert self._rules is not None
        ends = self._model.hold([summarize_passage(item, self._rules) for item in items])
        return [end if isinstance(end, Exception) else [end] for end in ends]

    @property
    def _picks(self) -> bool:
        """Whether sentences are picked, and no model is asked."""
        return self.options.model.kind == "extractive"


def estimate(items: Iterable[DraftedPassage], options: SummarizeConfig) -> Estimate:
    """What summarizing `items` would ask of the endpoint, without asking it. Where answers need no repair, that is:
    allow for a tenth more."""
    if options.model.kind == "extractive":
        return Estimate()
    rules = load_rules(options)
    words = " ".join(["كلمة"] * (options.max_words // 2))
    answer = f'{{"summary": "{words}", "title": "عنوان من أربع كلمات", "topics": ["موضوع أول", "موضوع ثان"]}}'
    return estimate_talks((summarize_passage(item, rules) for item in items), answer, options)


def pick_summary(item: DraftedPassage, options: SummarizeConfig) -> Summary:
    """A summary of the passage's own sentences."""
    extracted = extract(
        said_lines(item, without=("phantom", "loop", "no speech")),
        max_sentences=options.max_sentences,
        max_words=options.max_words,
        max_topics=options.max_topics,
        formulas=options.formulas,
    )
    return Summary(item.id, extracted.text, extracted.title, extracted.topics, abstractive=False, model=method())


@dataclass(frozen=True)
class Rules:
    """What a talk must know: the prompts and the limits."""

    prompt: Prompt
    merge: Prompt
    limits: Limits
    options: SummarizeConfig

    def named_limits(self) -> dict[str, int]:
        """The limits as a prompt may name them."""
        return {
            "max_sentences": self.limits.max_sentences,
            "max_words": self.limits.max_words,
            "max_topics": self.limits.max_topics,
        }


def load_rules(options: SummarizeConfig) -> Rules:
    return Rules(
        prompt=load_prompt(options.prompt_kind, options.prompt),
        merge=load_prompt("merge", options.merge_prompt),
        limits=Limits(options.max_sentences, options.max_words, options.max_topics),
        options=options,
    )


def summarize_passage(item: DraftedPassage, rules: Rules) -> Talk[Summary]:
    """The talk about one passage. One in which nothing was said is not talked about."""
    lines, made_by = said_lines(item), rules.options.model.provenance
    if not any(char.isalnum() for line in lines for char in line):
        return Summary(item.id, "", "", (), abstractive=True, model=made_by, prompt=rules.prompt.tag)
    if rules.options.hears:
        return (yield from _hear_passage(item, rules, made_by))
    bill, options = Bill(), rules.options
    parts = split_to_fit(lines, room_beside(rules.prompt, options, options.max_answer_tokens))
    answers = yield from _ask_about(rules.prompt, "transcript", parts, item.recording.metadata, rules, bill)
    merged = len(answers) > 1
    while len(answers) > 1:
        notes = [answer.summary for answer in answers]
        parts = split_to_fit(notes, room_beside(rules.merge, options, options.max_answer_tokens), at_least=2)
        answers = yield from _ask_about(rules.merge, "summaries", parts, item.recording.metadata, rules, bill)
    return Summary(
        passage=item.id,
        text=answers[0].summary,
        title=answers[0].title,
        topics=tuple(answers[0].topics),
        abstractive=True,
        model=made_by,
        prompt=f"{rules.prompt.tag} {rules.merge.tag}" if merged else rules.prompt.tag,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
        requests=bill.requests,
    )


def _hear_passage(item: DraftedPassage, rules: Rules, made_by: str) -> Talk[Summary]:
    """The talk about a passage with a model that hears it."""
    bill, prompt = Bill(), rules.prompt
    limits = {key: str(value) for key, value in rules.named_limits().items()}
    about = {key: as_data(value) for key, value in known_about(item.recording.metadata).items()}
    question = fill(prompt.user, {**about, **limits})
    system = (Message("system", fill(prompt.system, limits)),) if prompt.system else ()
    request = Request(
        (*system, Message("user", question)),
        answer_schema(SummaryAnswer),
        rules.options.max_answer_tokens,
        clip=item.passage.clip,
        seconds=item.passage.seconds,
    )
    read = partial(read_heard, limits=rules.limits)
    (answer,) = yield from ask([request], read, lambda error: fill(prompt.repair, {**limits, "error": error}), bill)
    return Summary(
        passage=item.id,
        text=answer.summary,
        title=answer.title,
        topics=tuple(answer.topics),
        abstractive=True,
        model=made_by,
        prompt=prompt.tag,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
        requests=bill.requests,
    )


def said_lines(item: DraftedPassage, without: Sequence[str] = ("phantom",)) -> list[str]:
    """What was said, line by line. Lines the recognizer learned from subtitles and heard in music («ترجمة نانسي
    قنقر») stay in the transcript for people to judge, but nobody should read about them in a summary."""
    lines = item.draft.transcript.lines if item.draft.transcript else ()
    return [line.text for line in lines if line.text.strip() and not set(without) & set(line.flags)]


def _ask_about(
    prompt: Prompt, name: str, parts: Sequence[Sequence[str]], about: Metadata, rules: Rules, bill: Bill
) -> Talk[list[SummaryAnswer]]:
    """The checked answers about each part."""
    known_metadata, named_limits, room = known_about(about), rules.named_limits(), rules.options.max_answer_tokens
    requests = [
        make_request(prompt, {name: "\n".join(p), **known_metadata}, named_limits, SummaryAnswer, room) for p in parts
    ]
    read = partial(read_summary, limits=rules.limits)
    return (yield from ask(requests, read, lambda error: fill(prompt.repair, {"error": error}), bill))
