"""A sample plugin: counts laughs, lets rules ask about them, hears one sentence in everything, sums it up, lists clips."""

import json

from pydantic import Field

from aramega.backends.asr.recognizer import Heard, Phrase
from aramega.backends.llm import Reply
from aramega.backends.llm.rounds import hold_in_rounds
from aramega.config import Options
from aramega.export.files import WholeSet
from aramega.plugins import Fact
from aramega.records import DraftedPassage
from aramega.stages.base import Takes
from aramega.stages.plugin import PluginStage


class LaughterOptions(Options):
    laugh: str = Field("هههه", min_length=1, description="What is written where somebody laughs.")


class Laughter(PluginStage[DraftedPassage]):
    name, version, takes, after = "laughter", 1, Takes.PASSAGE, ("transcribe",)
    options: LaughterOptions

    def values(self, item: DraftedPassage) -> dict[str, int]:
        return {"laughs": item.draft.transcript.text.count(self.options.laugh)}


LAUGHS = Fact("laughter", lambda values: values["laughs"], "how often somebody laughs")
SUMMARY = {"summary": "يسكت المذيع قليلا بعد أن يضحك أمام الناس", "title": "ضحك المذيع قليلا", "topics": ["ضحك"]}
CLIPS = WholeSet({"clips.txt": lambda contents, unit: [f"{p.clip}\n" for p in contents.passages]}, units=("passages",))


class Parrot:
    name, windows_at_once = "parrot", 8

    def __init__(self, options):
        self.sentence = options.model.partition(":")[2] or "قال المذيع هههه ثم سكت قليلا"

    def check(self): ...

    def load(self): ...

    def recognize(self, sounds):
        return [Heard((Phrase(0.0, len(s) / 16000, self.sentence),), "ar", -0.1, 1.0, 0.0, 0.0) for s in sounds]


class Echo:
    def __init__(self, options): ...

    def load(self): ...

    def hold(self, talks):
        return hold_in_rounds(talks, lambda requests: [Reply(json.dumps(SUMMARY), 1, 1) for _ in requests])
