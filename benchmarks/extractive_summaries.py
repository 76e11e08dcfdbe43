"""Summaries without a model: are they worth reading, and nearer to a story's lead than its first sentence is?

    python benchmarks/extractive_summaries.py [--workspace DIR ...] [--old CHECKOUT] [--stories 40] [--seed 7] [--show]

- made stories (`made_stories.py`): ROUGE-L (rouge_score's, on letter-folded words) against leads written apart from them,
  beside two rivals in the same run: lead-1, the first sentence, also where greetings are passed over; and, with `--old`,
  the summaries that another checkout of aramega picks.
- drafts of real speech: each `--workspace` is one that was built with a real recognizer. What is counted of them and of
  the stories: summaries that hold nothing but formulas, titles of one word, topics with a pronoun. The lists that decide
  about that stand here and are not those of the package.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from rouge_score.rouge_scorer import RougeScorer

from aramega.text import normalize
from benchmarks.made_stories import make_stories

_PICK = """
import json, sys
from aramega.text.extractive import extract
limits = {"max_sentences": 3, "max_words": 90, "max_topics": 5}
for lines in json.load(sys.stdin):
    picked = extract(lines, **limits)
    print(json.dumps([picked.text, picked.title, picked.topics]))
"""
_FORMULA_WORDS = frozenset(
    normalize(
        "بسم باسم الله الرحمن الرحيم الحمد لله رب العالمين والصلاة والسلام على أشرف الأنبياء والمرسلين سيدنا نبينا محمد وعلى آله وصحبه "
        "أجمعين أما بعد السلام عليكم ورحمة وبركاته أهلا وسهلا بكم مرحبا مشاهدينا الكرام أعزائي المشاهدين مساء صباح الخير شكرا لكم "
        "صلى عليه وسلم سبحان والحمد ولا إله إلا والله أكبر آمين من في إلى يا و إن شاء تعالى إلى اللقاء أعلم المتابعة",
        "asr",
    ).split()
)
_PRONOUN_WORDS = frozenset("هو هي هم هن هما أنا نحن أنت أنتم هذا هذه ذلك تلك الذي التي".split())
_PRONOUN_END = re.compile(r"(?!ال|وال|بال).{3,}(?:ها|هم|هما|هن|كم|نا|ني|تك|سك)|(?!ال|وال|بال).{3,}(?<![ليفو])ه")
_END_OF_ANOTHER_KIND = frozenset("لبنان ميناء محاكم إبراهيم تفاهم مفاهيم دراهم مياه انتباه اتجاه توجيه تنبيه".split())


class _Words:
    """rouge_score's own tokenizer drops every letter that is not Latin."""

    def tokenize(self, text: str) -> list[str]:
        return normalize(text, "asr").split()


def main() -> None:
    options = _options()
    stories = make_stories(options.stories, options.seed)
    drafts = {Path(folder).name: read_drafts(Path(folder)) for folder in options.workspace}
    checkouts = {"ours": Path(__file__).parents[1]} | ({"old": Path(options.old)} if options.old else {})
    picked = {
        name: {"stories": pick([s.lines for s in stories], root)}
        | {place: pick(lines, root) for place, lines in drafts.items()}
        for name, root in checkouts.items()
    }
    report_leads(stories, {name: sets["stories"] for name, sets in picked.items()})
    report_faults(picked)
    if options.show:
        show(drafts, picked)


def pick(lines: Sequence[Sequence[str]], root: Path) -> list[tuple[str, str, list[str]]]:
    """Summary, title and topics of each, as the checkout at `root` picks them."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    answer = subprocess.run(
        [sys.executable, "-c", _PICK],
        input=json.dumps([list(part) for part in lines]),
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(json.loads(line)) for line in answer.stdout.splitlines()]


def report_leads(stories: Sequence[Any], picked: Mapping[str, Sequence[tuple[str, str, list[str]]]]) -> None:
    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    rows = {
        "lead-1: the first line": [story.lines[0] for story in stories],
        "lead-1: the first sentence that is no greeting": [story.sentences[0] for story in stories],
        **{name: [text for text, _, _ in summaries] for name, summaries in picked.items()},
    }
    scores = {
        name: mean(scorer.score(s.lead, text)["rougeL"].fmeasure for s, text in zip(stories, texts, strict=True))
        for name, texts in rows.items()
    }
    print(
        f"{len(stories)} made stories, against their own leads\n\n| what | ROUGE-L | ours to it | words |\n|---|---:|---:|---:|"
    )
    for name, score in scores.items():
        length = mean(len(text.split()) for text in rows[name])
        print(f"| {name} | {score:.3f} | {scores['ours'] / score:.2f} × | {length:.1f} |")


def report_faults(picked: Mapping[str, Mapping[str, Sequence[tuple[str, str, list[str]]]]]) -> None:
    print(
        "\n| what | where | summaries | empty | formulas only | one-word titles | no title | topics | with a pronoun |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, sets in picked.items():
        for place, summaries in sets.items():
            topics = [topic for _, _, topics in summaries for topic in topics]
            print(
                f"| {name} | {place} | {len(summaries)} | {sum(not text for text, _, _ in summaries)} "
                f"| {sum(map(is_formula_only, (text for text, _, _ in summaries)))} "
                f"| {sum(len(title.split()) == 1 for _, title, _ in summaries)} "
                f"| {sum(not title for _, title, _ in summaries)} | {len(topics)} | {sum(map(has_pronoun, topics))} |"
            )


def is_formula_only(text: str) -> bool:
    words = normalize(text, "asr").split()
    return bool(words) and sum(word not in _FORMULA_WORDS for word in words) < 3


def has_pronoun(topic: str) -> bool:
    return any(
        word in _PRONOUN_WORDS or (_PRONOUN_END.fullmatch(word) and word not in _END_OF_ANOTHER_KIND)
        for word in topic.split()
    )


def show(
    drafts: Mapping[str, Sequence[Sequence[str]]],
    picked: Mapping[str, Mapping[str, Sequence[tuple[str, str, list[str]]]]],
) -> None:
    for place, items in drafts.items():
        for i, lines in enumerate(items):
            print(f"\n{place} {i}: {' | '.join(lines)[:600]}")
            for name, sets in picked.items():
                print(f"  {name}: {sets[place][i]}")


def read_drafts(folder: Path) -> list[list[str]]:
    from aramega.store import Store
    from aramega.store.drafts import find_passages
    from aramega.store.passages import load_drafted
    from aramega.workspace import WorkspaceFolder

    with Store.open(WorkspaceFolder(folder)) as store:
        items = [load_drafted(store, passage) for passage in find_passages(store)]
    transcripts = [item.draft.transcript for item in items if item.draft.transcript]
    return [[line.text for line in transcript.lines if line.text] for transcript in transcripts if transcript.text]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", action="append", default=[], metavar="DIR", help="drafts of real speech")
    parser.add_argument("--old", default="", metavar="CHECKOUT", help="another checkout of aramega, as a rival")
    parser.add_argument("--stories", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", action="store_true", help="print every draft with what is picked of it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
