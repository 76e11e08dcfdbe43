"""Makers of sound with known truth: voices, music, noises, and whole broadcasts put together from them.

Everything comes from one `numpy` generator, so a seed gives the same samples every time. `voices` speak, `delivery`
changes how, `music` and `noises` are what they are heard with, `shaping` is the microphone and the room, and
`broadcasts` lays it all out in time and remembers where each thing is.

Not here: speech whose truth is doubtful (singing is music, babble of many voices is noise).
"""

from tests.support.synth.broadcasts import Broadcast, Style, broadcast
from tests.support.synth.delivery import chanted, slowed, whisper
from tests.support.synth.music import HELD_OUT_MUSIC, MUSIC, band, drums, gamelan, melody, singing
from tests.support.synth.noises import NOISES, coloured, crowd, hum
from tests.support.synth.shaping import RATE, band_passed, echoed, in_a_hall, reverberated, scaled
from tests.support.synth.voices import EspeakSpeaker, RecordedSpeaker, recorded_speakers, trim

__all__ = [
    "HELD_OUT_MUSIC",
    "MUSIC",
    "NOISES",
    "RATE",
    "Broadcast",
    "EspeakSpeaker",
    "RecordedSpeaker",
    "Style",
    "band",
    "band_passed",
    "broadcast",
    "chanted",
    "coloured",
    "crowd",
    "drums",
    "echoed",
    "gamelan",
    "hum",
    "in_a_hall",
    "melody",
    "recorded_speakers",
    "reverberated",
    "scaled",
    "singing",
    "slowed",
    "trim",
    "whisper",
]
