"""Clips of speech for the figures of turn-taking, made by the engine's own voices, and readings."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import soundfile
import soxr

from live_cli.audio.pcm import Samples
from live_cli.catalog import VOICES
from live_cli.engine.backends.tts.hibari import HibariSynthesizer
from live_cli.engine.setup.voices import traits_of
from tests.harness.speech import moonshine_asset

RATE = 16_000
QUESTIONS = (
    "How many legs does a dog have?",
    "What is the capital of France?",
    "Can you tell me a joke?",
    "What time is it in Tokyo right now?",
    "Set a timer for ten minutes.",
    "Turn off the lights in the kitchen.",
    "Who wrote Romeo and Juliet?",
    "How do I boil an egg?",
    "What's the weather going to be like tomorrow?",
    "Remind me to call my mother this evening.",
    "I would like to book a table for two.",
    "Where is the nearest train station?",
    "Why is the sky blue?",
    "Tell me something about whales.",
    "Play some music, please.",
    "What does that word mean?",
    "How far away is the moon?",
    "Could you repeat that?",
    "I think that's all for today.",
    "Do you speak German?",
)
SHORT = (
    *("Yes.", "No.", "Tuesday.", "Stop.", "Okay.", "Tomorrow.", "Seven.", "Maybe later."),
    *(
        "In London.",
        "My name is Anna.",
        "The red one.",
        "Not really.",
        "Thank you.",
        "Two, please.",
    ),
    *("Good morning.",),
)
HALTING = (
    "Set a timer for, | ten minutes please.",
    "I'd like to order a pizza with, | mushrooms and olives.",
    "My number is five five five, | one two three, | four five six seven.",
    "What I wanted to ask is, | um, | whether the shop is open.",
    "On Monday I have to go to, | the dentist.",
    "So I was thinking, | that maybe we could go to Italy.",
    "The code is seven three, | nine two, | eight eight.",
    "When I came home yesterday, | the door was open.",
    "If it rains tomorrow, | we will stay at home.",
    "Zero one seven six, | four four five, | nine one two.",
)
"""Said in one breath each; at a bar a pause of 0.6 to 1.2 s is put into the sound."""
BACKCHANNELS = ("Mm-hmm.", "Yeah.", "Okay.", "Right.", "Uh-huh.", "I see.")
INTERRUPTIONS = (
    *(
        "Stop.",
        "Wait.",
        "No, I meant the other one.",
        "Hold on a second.",
        "Wait, what about Rome?",
    ),
    *("Can you say that again?", "What does that mean?", "Excuse me, how much is it?"),
    *("Actually, tell me about cats.", "How about tomorrow?", "Never mind.", "That's enough."),
)
_QUIET = 0.012
_SHORTEST_GAP_MS = 60


@dataclass(frozen=True)
class Clip:
    """Speech at 16 kHz without silence around it, and how many of its own pauses it holds."""

    text: str
    samples: Samples

    @property
    def seconds(self) -> float:
        return self.samples.size / RATE


@cache
def _voice() -> HibariSynthesizer:
    return HibariSynthesizer()


@cache
def said(text: str, number: int) -> Clip:
    """``text`` in one of thirty voices."""
    traits = traits_of([*VOICES][number % len(VOICES)])
    sound = np.concatenate(list(_voice().speak(text.replace("|", ""), traits)))
    samples = soxr.resample(sound, 24_000, RATE).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    return Clip(text, samples[max(0, loud[0] - 160) : loud[-1] + 160])


def halting(text: str, number: int) -> Clip:
    """``text`` with a pause of 0.6 to 1.2 s in its longest gaps, one for each bar."""
    clip, pauses = said(text, number), text.count("|")
    gaps = sorted(_gaps(clip.samples), key=lambda gap: gap[0] - gap[1])[:pauses]
    pieces, at = [], 0
    for place, (start, end) in enumerate(sorted(gaps)):
        middle = (start + end) // 2
        pieces += [clip.samples[at:middle], np.zeros(round((0.6 + 0.3 * (place % 3)) * RATE), "f4")]
        at = middle
    return Clip(text, np.concatenate([*pieces, clip.samples[at:]]).astype(np.float32))


def reading(name: str) -> Clip:
    """A recording of a person who reads aloud."""
    samples, rate = soundfile.read(moonshine_asset(name), dtype="float32", always_2d=True)
    return Clip(name, soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32))


def _gaps(samples: Samples) -> list[tuple[int, int]]:
    """Stretches within ``samples`` that are quiet for long enough to be between words."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    ends = np.flatnonzero(np.diff(loud) > _SHORTEST_GAP_MS * RATE // 1000)
    return [(int(loud[end]), int(loud[end + 1])) for end in ends]
