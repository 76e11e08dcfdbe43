"""Overview: a whole recording in short, with its chapters, from the summaries of its passages.

A chapter is passages in a row on one subject. A model reads the numbered summaries and says at which number each
chapter begins; so it can't invent a time, and a number that isn't there is sent back. A recording longer than
the context is done in parts: their chapters stand one after another, and their summaries are summarized again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aramega.backends.llm import ChatModel, Talk
from aramega.backends.llm.answers import Limits, OverviewAnswer, read_overview
from aramega.backends.llm.estimates import room_beside, split_to_fit
from aramega.backends.llm.journal import forget_invalid_answers
from aramega.backends.llm.models import check_model, open_model
from aramega.backends.llm.quoting import known_about, make_request
from aramega.backends.llm.talks import Bill, ask
from aramega.config.overview import OverviewConfig
from aramega.config.summarize import SummarizeConfig
from aramega.prompts import Prompt, fill, load_prompt
from aramega.records import AramegaError, Chapter, Overview, Part, Passage, SummarizedRecording, Summary
from aramega.stages.base import Stage, Step, Takes
from aramega.stages.names import OVERVIEW, PASSAGES, SUMMARIZE
from aramega.text.chapters import find_chapters, most_central
from aramega.text.extractive import extract, method
from aramega.workspace import WorkspaceFolder


class Overviews(Stage[SummarizedRecording]):
    name = OVERVIEW
    version = 1
    takes = Takes.RECORDING
    makes = (Overview,)
    counts = "overview"
    table = "overviews"
    after = (PASSAGES, SUMMARIZE)
    parts = Part.PASSAGES

    options: OverviewConfig

    def __init__(self, options: OverviewConfig, workspace: WorkspaceFolder, asking: SummarizeConfig) -> None:
        super().__init__(options, workspace)
        self.asking = asking
        """The summarize stage's options: the same model is asked. What of them counts is in that stage's fingerprint."""
        self._model: ChatModel | None = None
        self._rules: Rules | None = None
        if not self._picks:
            self.batch_size = asking.concurrency
            self.workers = 1

    def check(self) -> None:
        check_model(self.asking)
        answer, context = self.options.max_answer_tokens, self.asking.context_tokens
        if not self._picks and 2 * answer > context:
            raise AramegaError(
                f"overview.max_answer_tokens ({answer}) leaves too little of summarize.context_tokens ({context}): "
                "give it half at most."
            )
        load_rules(self.options, self.asking)

    def prepare(self) -> None:
        if not self._picks:
            self._rules = load_rules(self.options, self.asking)
            self._model = open_model(self.asking, self.workspace.answers)
            self._model.load()

    def forget_failures(self) -> None:
        forget_invalid_answers(self.workspace.answers)

    def run(self, item: SummarizedRecording) -> Sequence[Overview]:
        if self._picks:
            return [pick_overview(item, self.options, self.asking.formulas)]
        (end,) = self._talk_about([item])
        if isinstance(end, Exception):
            raise end
        return end

    def run_batch(self, items: Sequence[SummarizedRecording]) -> Iterator[Sequence[Overview] | Exception | Step]:
        return super().run_batch(items) if self._picks else iter(self._talk_about(items))

    def _talk_about(self, items: Sequence[SummarizedRecording]) -> list[Sequence[Overview] | Exception]:
        assert self._model is not None, "prepare comes first"
        assert self._rules is not None
        ends = self._model.hold([survey_recording(item, self._rules) for item in items])
        return [end if isinstance(end, Exception) else [end] for end in ends]

    @property
    def _picks(self) -> bool:
        """Whether sentences are picked, and no model is asked."""
        return self.asking.model.kind == "extractive"


@dataclass(frozen=True)
class Rules:
    """What a talk must know."""

    prompt: Prompt
    options: OverviewConfig
    asking: SummarizeConfig


def load_rules(options: OverviewConfig, asking: SummarizeConfig) -> Rules:
    return Rules(load_prompt("overview", options.prompt), options, asking)


def pick_overview(item: SummarizedRecording, options: OverviewConfig, formulas: Sequence[str] = ()) -> Overview:
    """The most central of the passages' sentences, and chapters under the titles of their most central passages."""
    summarized = _summarized(item)
    texts = [summary.text for _, summary in summarized]
    extracted = extract(
        texts, max_sentences=options.max_sentences, max_words=options.max_words, max_topics=1, formulas=formulas
    )
    runs = find_chapters([f"{s.title} {s.text}" for _, s in summarized], options.max_chapters)
    titles = [summarized[most_central(texts, run)][1].title for run in runs]
    chapters = _as_chapters(item.passages, [(summarized[r.start][0], t) for r, t in zip(runs, titles, strict=True)])
    return Overview(item.id, extracted.text, chapters, model=method())


def survey_recording(item: SummarizedRecording, rules: Rules) -> Talk[Overview]:
    """The talk about one recording. One of whose passages nothing is said is not talked about."""
    summarized, made_by, bill = _summarized(item), rules.asking.model.provenance, Bill()
    if not summarized:
        return Overview(item.id, "", (), made_by, rules.prompt.tag)
    answer = yield from _survey([summary.text for _, summary in summarized], item, rules, bill)
    begins = [(summarized[chapter.first - 1][0], chapter.title) for chapter in answer.chapters]
    return Overview(
        recording=item.id,
        text=answer.summary,
        chapters=_as_chapters(item.passages, begins),
        model=made_by,
        prompt=rules.prompt.tag,
        prompt_tokens=bill.prompt_tokens,
        completion_tokens=bill.completion_tokens,
    )


def _survey(texts: Sequence[str], item: SummarizedRecording, rules: Rules, bill: Bill) -> Talk[OverviewAnswer]:
    """Summary and chapters of consecutive texts; by parts where they don't fit."""
    room = room_beside(rules.prompt, rules.asking, rules.options.max_answer_tokens)
    parts = split_to_fit([f"{n}. {text}" for n, text in enumerate(texts, 1)], room, at_least=2)
    if len(parts) == 1:
        return (yield from _ask_about(texts, rules.options.max_chapters, item, rules, bill))
    answers, first, chapters = [], 0, []
    most = max(1, rules.options.max_chapters // len(parts))
    for part in parts:
        answer = yield from _ask_about(texts[first : first + len(part)], most, item, rules, bill)
        chapters += [c.model_copy(update={"first": c.first + first}) for c in answer.chapters]
        answers.append(answer)
        first += len(part)
    whole = yield from _survey([answer.summary for answer in answers], item, rules, bill)
    return OverviewAnswer(summary=whole.summary, chapters=chapters)


def _ask_about(
    texts: Sequence[str], most: int, item: SummarizedRecording, rules: Rules, bill: Bill
) -> Talk[OverviewAnswer]:
    options, prompt = rules.options, rules.prompt
    numbered = "\n".join(f"{n}. {text}" for n, text in enumerate(texts, 1))
    named_limits = {"max_sentences": options.max_sentences, "max_words": options.max_words, "max_chapters": most}
    material = {"passages": numbered, **known_about(item.recording.metadata)}
    request = make_request(prompt, material, named_limits, OverviewAnswer, options.max_answer_tokens)
    limits, read = Limits(options.max_sentences, options.max_words), read_overview(len(texts), most)
    (answer,) = yield from ask(
        [request], lambda text: read(text, limits), lambda error: fill(prompt.repair, {"error": error}), bill
    )
    return answer


def _summarized(item: SummarizedRecording) -> list[tuple[Passage, Summary]]:
    """The passages of which something is said, in order."""
    summaries = {summary.passage: summary for summary in item.summaries if summary.text}
    return [(passage, summaries[passage.id]) for passage in item.passages if passage.id in summaries]


def _as_chapters(passages: Sequence[Passage], begins: Sequence[tuple[Passage, str]]) -> tuple[Chapter, ...]:
    """Chapters from where each begins to where the next does; the first holds what comes before it, too."""
    places = [passages.index(passage) for passage, _ in begins]
    edges = [0, *places[1:], len(passages)] if places else []
    runs = [passages[a:b] for a, b in pairwise(edges)]
    titles = [title for _, title in begins]
    return tuple(
        Chapter(run[0].start, title, tuple(passage.id for passage in run))
        for run, title in zip(runs, titles, strict=True)
    )
