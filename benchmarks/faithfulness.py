"""Are made errors in summaries seen? Recall by kind of error, and false alarms by kind, beside overlap of words.

    python benchmarks/faithfulness.py [--errors 200] [--seed 11]

From made stories (`made_stories.py`) come true sentences (their own, some shortened, some joined, and the leads) and, of
those, sentences with one error each: another number, another name, a negation put in or taken out, a direction turned
into its contrary, a sentence of another story. Both are weighed against the story's lines as a recognizer breaks them.
The rival calls a sentence false where the share of its words that were said is below a threshold; its threshold is the
best that keeps its false alarms at 5 % of these same true sentences, which favours it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from aramega.stages.check.evidence import find_doubts
from aramega.text import normalize, words
from benchmarks.made_stories import CITIES, NAMES, Story, make_stories

KINDS = ("number", "name", "negation", "direction", "foreign")
_CONTRARY = (
    ("ارتفعت", "انخفضت"), ("ارتفع", "انخفض"), ("ازداد", "تراجع"), ("زاد", "نقص"), ("زيادة", "نقص"), ("ارتفاع", "انخفاض"),
    ("قبل", "بعد"), ("فتح", "إغلاق"), ("فاز", "خسر"), ("بدأ", "انتهى"), ("خفض", "رفع"), ("تقوي", "تضعف"), ("أكثر", "أقل"),
)  # fmt: skip
_VERBS = (
    ("أعلن", "لم يعلن"), ("افتتحت", "لم تفتتح"), ("ارتفعت", "لم ترتفع"), ("وقعت", "لم توقع"), ("أطلقت", "لم تطلق"),
    ("وسجل", "ولم يسجل"), ("وحضر", "ولم يحضر"), ("وتضم", "ولا تضم"), ("وبدأ", "ولم يبدأ"), ("ويبدأ", "ولا يبدأ"),
    ("ودربت", "ولم تدرب"), ("ورحب", "ولم يرحب"), ("وأغلقت", "ولم تغلق"), ("وقررت", "ولم تقرر"), ("وانخفضت", "ولم تنخفض"),
    ("ولم تشمل", "وشملت"), ("ولا يصح", "ويصح"), ("ولم يعرف", "وعرف"), ("لن تنخفض", "ستنخفض"), ("لا تحتاج", "تحتاج"),
    ("لا يملكون", "يملكون"), ("ولا تغني", "وتغني"), ("لن تفتح", "ستفتح"), ("لم يلعب", "لعب"), ("ولم تصدر", "وصدرت"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    story: Story
    sentence: str
    kind: str
    """Of the error; empty for a true sentence."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--show", type=int, default=0, help="print so many misses and false alarms of each kind")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    stories = make_stories(400, options.seed)
    true = [Case(story, sentence, "") for story in stories[:200] for sentence in true_sentences(story, rng)]
    wrong = {kind: make_errors(kind, stories, options.errors, rng) for kind in KINDS}
    report(true, wrong, options.show)


def true_sentences(story: Story, rng: random.Random) -> list[str]:
    """What a good summary may say: the lead, a sentence without its «and», a shortened one, two joined."""
    first, second = rng.sample(story.sentences, 2)
    shortened = re.sub(r" (?:حتى الآن|أخرى|في الأيام الماضية|اليوم|كما تقول الدراسة)", "", rng.choice(story.sentences))
    return [story.lead, first.removeprefix("و"), shortened, f"{first} {second}"]


def make_errors(kind: str, stories: Sequence[Story], count: int, rng: random.Random) -> list[Case]:
    make = {"number": _number, "name": _name, "negation": _negation, "direction": _direction, "foreign": _foreign}[kind]
    cases: list[Case] = []
    while len(cases) < count:
        story = rng.choice(stories)
        true = rng.choice([*story.sentences, story.lead])
        wrong = make(true, story, stories, rng)
        if wrong and wrong != true:
            cases.append(Case(story, wrong, kind))
    return cases


def _number(sentence: str, story: Story, _: Sequence[Story], rng: random.Random) -> str:
    numbers = re.findall(r"\d+", sentence)
    if not numbers:
        return ""
    old = rng.choice(numbers)
    said = set(re.findall(r"\d+", " ".join(story.lines)))
    new = str(rng.choice([n for n in range(2, 500) if str(n) not in said]))
    return re.sub(rf"\b{old}\b", new, sentence, count=1)


def _name(sentence: str, story: Story, _: Sequence[Story], rng: random.Random) -> str:
    spoken = " ".join(story.lines)
    for pool in rng.sample([NAMES, CITIES], 2):
        inside = [name for name in pool if re.search(rf"\b{name}\b", sentence)]
        if inside:
            others = [name for name in pool if not any(word in spoken for word in words(name))]
            return sentence.replace(rng.choice(inside), rng.choice(others), 1) if others else ""
    return ""


def _negation(sentence: str, _: Story, __: Sequence[Story], ___: random.Random) -> str:
    for old, new in _VERBS:
        if re.search(rf"(?<!\w){old}(?!\w)", sentence):
            return re.sub(rf"(?<!\w){old}(?!\w)", new, sentence, count=1)
    return ""


def _direction(sentence: str, _: Story, __: Sequence[Story], rng: random.Random) -> str:
    pairs = [(a, b) for pair in _CONTRARY for a, b in (pair, pair[::-1])]
    fitting = [(a, b) for a, b in pairs if re.search(rf"(?<!\w)(و|ل|ب)?{a}(?!\w)", sentence)]
    if not fitting:
        return ""
    old, new = rng.choice(fitting)
    return re.sub(rf"(?<!\w)((?:و|ل|ب)?){old}(?!\w)", rf"\g<1>{new}", sentence, count=1)


def _foreign(_: str, story: Story, stories: Sequence[Story], rng: random.Random) -> str:
    other = rng.choice([other for other in stories if other.theme != story.theme])
    sentence = rng.choice([*other.sentences, other.lead])
    return "" if sentence in story.sentences else sentence


def report(true: Sequence[Case], wrong: dict[str, list[Case]], show: int) -> None:
    alarms = [find_doubts(case.sentence, case.story.lines) for case in true]
    shares = sorted(overlap(case) for case in true)
    threshold = shares[int(0.05 * len(shares))]
    print(
        f"{len(true)} true sentences; {', '.join(f'{len(cases)} with another {kind}' for kind, cases in wrong.items())}\n"
    )
    print(
        "| error | seen, of its kind | seen, as any kind | false alarms of the kind | overlap sees |\n|---|---:|---:|---:|---:|"
    )
    for kind, cases in wrong.items():
        doubts = [find_doubts(case.sentence, case.story.lines) for case in cases]
        of_kind = sum(kind in doubt for doubt in doubts) / len(cases)
        any_kind = sum(bool(doubt) for doubt in doubts) / len(cases)
        rival = sum(overlap(case) < threshold for case in cases) / len(cases)
        false = sum(kind in alarm for alarm in alarms) / len(true)
        print(f"| {kind} | {of_kind:.3f} | {any_kind:.3f} | {false:.3f} | {rival:.3f} |")
        _show(kind, cases, doubts, show, lambda doubt, kind=kind: kind not in doubt)
        _show(f"{kind}, false alarm", true, alarms, show, lambda doubt, kind=kind: kind in doubt)
    false_rival = sum(share < threshold for share in shares) / len(true)
    print(f"\nfalse alarms of any kind: {sum(map(bool, alarms)) / len(true):.3f}; overlap's: {false_rival:.3f}")


def overlap(case: Case) -> float:
    """Share of the sentence's words that were said."""
    said = set(normalize(" ".join(case.story.lines), "asr").split())
    written = normalize(case.sentence, "asr").split()
    return sum(word in said for word in written) / len(written)


def _show(what: str, cases: Sequence[Case], doubts: Sequence[object], most: int, holds: Callable[..., bool]) -> None:
    shown = [(case, doubt) for case, doubt in zip(cases, doubts, strict=True) if holds(doubt)][:most]
    for case, doubt in shown:
        print(f"  {what}: {case.sentence} {doubt}\n      {' '.join(case.story.lines)}")


if __name__ == "__main__":
    main()
