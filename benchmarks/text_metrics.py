"""Arabic text metrics against their peers, on the same sentences in the same run.

`python benchmarks/text_metrics.py [--sentences 5000]`. Sentences are drawn from a small vocabulary with
diacritics, digits, Latin words and punctuation; answers are the references with a fifth of the words
changed. Each line is the best of three; the ratio is the peer's time over ours. The chain of `re.sub` is
the Open Universal Arabic ASR Leaderboard's way to write the `asr` profile.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable

import jiwer
import regex
import sacrebleu
from rouge_score import rouge_scorer

from aramega.text import cer, chrf, normalize, rouge, strip_diacritics, wer, words

TEXT = (
    "قالَ الوزيرُ إنّ المشروعَ اكتمل أمس، في القاهرة ٢٥ طالبًا video Facebook مؤتمر الصحافة «الجديدة» و أعلن "
    "رئيس الحكومة عن خطة لتطوير التعليم؛ وأضاف أن 3.5 مليون مواطن سيستفيدون منها خلال العام المقبل."
)


def corpus(sentences: int, seed: int = 0) -> tuple[list[str], list[str]]:
    rng, vocabulary = random.Random(seed), TEXT.split()
    references, answers = [], []
    for _ in range(sentences):
        reference = rng.choices(vocabulary, k=rng.randint(8, 40))
        answer = [rng.choice(vocabulary) if rng.random() < 0.2 else word for word in reference]
        references.append(" ".join(reference))
        answers.append(" ".join(answer))
    return references, answers


def leaderboard_chain(text: str) -> str:
    text = regex.sub(r"[\p{p}\p{s}]", "", text)
    text = re.sub("[\u064b-\u0652]", "", text)
    for old, new in (("پ", "ب"), ("ڤ", "ف"), ("[آ]", "ا"), ("[أإ]", "ا"), ("[ؤ]", "و"), ("[ئ]", "ي"), ("[ء]", "")):
        text = re.sub(old, new, text)
    for i in range(10):
        text = text.replace(chr(0x0660 + i), str(i))
    text = re.sub("\u0640", "", text)
    return re.sub(r"\s\s+", " ", text)


class Words:
    def tokenize(self, text: str) -> list[str]:
        return words(text)


def best_of_three(function: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=5000)
    n = parser.parse_args().sentences
    raw_references, raw_answers = corpus(n)
    normalize("،", "asr")  # builds the class of signs once
    references = [normalize(text, "asr") for text in raw_references]
    answers = [normalize(text, "asr") for text in raw_answers]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Words())
    from camel_tools.tokenizers.word import simple_word_tokenize
    from camel_tools.utils.dediac import dediac_ar

    assert abs(wer(references, answers, profile="none") - jiwer.wer(references, answers)) < 1e-12
    assert abs(cer(references, answers, profile="none") - jiwer.cer(references, answers)) < 1e-12
    assert abs(chrf(references, answers) - sacrebleu.corpus_chrf(answers, [references]).score) < 1e-9
    rows = [
        (
            "asr profile",
            "leaderboard's chain",
            lambda: [normalize(t, "asr") for t in raw_references],
            lambda: [leaderboard_chain(t) for t in raw_references],
        ),
        (
            "diacritics",
            "camel-tools dediac_ar",
            lambda: [strip_diacritics(t) for t in raw_references],
            lambda: [dediac_ar(t) for t in raw_references],
        ),
        (
            "words",
            "camel-tools simple_word_tokenize",
            lambda: [words(t) for t in raw_references],
            lambda: [simple_word_tokenize(t) for t in raw_references],
        ),
        (
            "WER",
            "jiwer.wer",
            lambda: wer(references, answers, profile="none"),
            lambda: jiwer.wer(references, answers),
        ),
        (
            "CER",
            "jiwer.cer",
            lambda: cer(references, answers, profile="none"),
            lambda: jiwer.cer(references, answers),
        ),
        (
            "ROUGE-1/2/L",
            "rouge_score",
            lambda: [rouge(r, a) for r, a in zip(references, answers, strict=True)],
            lambda: [scorer.score(r, a) for r, a in zip(references, answers, strict=True)],
        ),
        (
            "chrF",
            "sacrebleu",
            lambda: chrf(references, answers),
            lambda: sacrebleu.corpus_chrf(answers, [references]),
        ),
    ]
    print(f"{n} sentences of 8 to 40 words; microseconds a sentence, best of three")
    print(f"{'what':<14} {'ours':>9} {'peer':>9} {'ratio':>7}  peer")
    for name, peer, ours, theirs in rows:
        one, other = best_of_three(ours) / n * 1e6, best_of_three(theirs) / n * 1e6
        print(f"{name:<14} {one:>9.2f} {other:>9.2f} {other / one:>6.1f}x  {peer}")


if __name__ == "__main__":
    main()
