"""Affective dialog and proactive audio in sessions: asides, voices, unanswered utterances."""

import asyncio
from difflib import SequenceMatcher

import numpy as np
import pytest

from live_cli.engine.backends.scripted import (
    ScriptedChatModel,
    ScriptedSynthesizer,
    ScriptedTranscriber,
)
from live_cli.engine.backends.vad.silero import SileroDetector
from live_cli.engine.setup.config import AFFECTIVE_STYLE
from live_cli.engine.setup.voices import traits_of
from live_cli.engine.stages import VoiceTraits
from live_cli.protocol.events import ContentReceived, ContextUpdated, TextReceived
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    Content,
    GenerationConfig,
    Part,
    PrebuiltVoiceConfig,
    ProactivityConfig,
    SessionResumptionConfig,
    Setup,
    SpeechConfig,
    VoiceConfig,
)
from tests.engine.backends.test_real_stages import spoken
from tests.engine.conversation.cues.test_prosody import buzz
from tests.harness.scripted_session import ScriptedRegistry, parts_of, silence, utterance

TRANSCRIPTS = {
    "input_audio_transcription": AudioTranscriptionConfig(),
    "output_audio_transcription": AudioTranscriptionConfig(),
}
PROACTIVE = ProactivityConfig(proactive_audio=True)
CHATTER = "The train to Berlin was late again."
SISTER = "Could you help me write a letter to my sister?"
QUESTION = "What is the capital of France?"


OWN_VOICE = traits_of(None)


def affective(wanted=True, **fields):
    kore = VoiceConfig(prebuilt_voice_config=PrebuiltVoiceConfig(voice_name="Kore"))
    generation = GenerationConfig(
        enable_affective_dialog=wanted, speech_config=SpeechConfig(voice_config=kore)
    )
    return Setup(model="models/local", generation_config=generation, **(TRANSCRIPTS | fields))


def proactive(**fields):
    return Setup(model="models/local", **({"proactivity": PROACTIVE} | TRANSCRIPTS | fields))


def instruction(text):
    return Content(parts=[Part(text=text)])


class ListeningSynthesizer(ScriptedSynthesizer):
    """A synthesizer that notes the voices it was asked for."""

    def __init__(self):
        self.voices = []

    def speak(self, text, voice):
        self.voices.append(voice)
        return super().speak(text, voice)


def said(pitch_hz=120.0, seconds=1.5, level=0.05):
    return np.concatenate([silence(0.3), buzz(pitch_hz, seconds, level), silence(1.0)])


USUAL = said()
EXCITED = said(pitch_hz=170.0, level=0.15)
SOFT = said(level=0.012)


async def turn(harness, samples):
    """Run one spoken turn, played to its end."""
    done = harness.words().count("turnComplete+usage")
    await harness.say(samples)
    await harness.until(lambda harness: played(harness, done))


def played(harness, done):
    if not all(woken.done() for _, woken in harness.time.sleepers):
        harness.time.advance(60)
    return harness.words().count("turnComplete+usage") > done


def asked(chat, index=-1):
    return chat.requests[index].messages[-1].text


def sound(harness):
    return [part.inline_data.data for m in harness.messages for part in parts_of(m)]


@pytest.mark.parametrize(
    ("samples", "tells", "higher", "faster"),
    [(EXCITED, "excited", True, True), (SOFT, "softly", False, False)],
)
async def test_how_the_user_sounds_is_told_and_answered_in_kind(
    connect, samples, tells, higher, faster
):
    chat, synthesizer = ScriptedChatModel(["Oh really."]), ListeningSynthesizer()
    transcriber = ScriptedTranscriber(["Where are you going now?"])
    harness = await connect(affective(), ScriptedRegistry(chat, transcriber, synthesizer))
    for _ in range(3):
        await turn(harness, USUAL)
    assert set(synthesizer.voices) == {OWN_VOICE}
    await turn(harness, samples)
    words, aside = asked(chat).split("\n")
    assert words == "Where are you going now?"
    assert aside.startswith("(")
    assert tells in aside
    assert (synthesizer.voices[-1].pitch > 1, synthesizer.voices[-1].pace > 1) == (higher, faster)
    assert AFFECTIVE_STYLE in chat.requests[-1].messages[0].text
    assert asked(chat, 0) == words  # usual speech is not commented on
    assert tells not in harness.said() + "".join(harness.heard())
    await turn(harness, USUAL)
    assert synthesizer.voices[-1] == OWN_VOICE
    # What the model has read of the turn before is still there: its cache holds.
    assert f"{words}\n{aside}" in [message.text for message in chat.requests[-1].messages]


@pytest.mark.parametrize(
    ("voice", "gain", "tells"),
    [
        (VoiceTraits(), 1.0, None),
        (VoiceTraits(pitch=1.28, pace=1.2), 2.0, "excited"),
        (VoiceTraits(pace=0.9), 0.2, "softly"),
    ],
)
async def test_real_speech_through_a_real_transcriber(
    connect, transcriber, synthesizer, voice, gain, tells
):
    chat, spoke = ScriptedChatModel(["Oh really."]), ListeningSynthesizer()
    harness = await connect(affective(), ScriptedRegistry(chat, transcriber, spoke, SileroDetector))
    usual = ("Where are you going now?", "Tell me about the book on the table.", QUESTION)
    for text in usual:
        await turn(harness, np.concatenate([silence(0.5), spoken(synthesizer, text), silence(1.0)]))
    loudness = np.sqrt(np.mean(spoken(synthesizer, SISTER) ** 2))
    speech = spoken(synthesizer, SISTER, voice)
    speech *= np.float32(gain * loudness / np.sqrt(np.mean(speech**2)))
    await turn(harness, np.concatenate([silence(0.5), speech, silence(1.0)]))
    words, _, aside = asked(chat).partition("\n")
    # Which word is misheard differs between processors, and the manner is what is tested.
    assert SequenceMatcher(None, words.split(), SISTER.split()).ratio() > 0.8
    assert aside == "" if tells is None else tells in aside
    assert (spoke.voices[-1] == OWN_VOICE) == (tells is None)


async def test_without_the_flag_nothing_is_read_told_or_changed(connect):
    outcomes = []
    for setup in (affective(wanted=False), affective(wanted=None)):
        chat, synthesizer = ScriptedChatModel(["Oh really."]), ListeningSynthesizer()
        harness = await connect(setup, ScriptedRegistry(chat, ScriptedTranscriber(), synthesizer))
        for samples in (USUAL, USUAL, USUAL, EXCITED, SOFT):
            await turn(harness, samples)
        assert set(synthesizer.voices) == {OWN_VOICE}
        outcomes.append((chat.requests, sound(harness)))
    assert outcomes[0] == outcomes[1]
    assert {asked(chat, index) for index in range(5)} == {"Hello."}
    assert AFFECTIVE_STYLE not in chat.requests[0].messages[0].text


async def test_typed_words_have_no_tone(connect):
    chat, synthesizer = ScriptedChatModel(["Oh really."]), ListeningSynthesizer()
    harness = await connect(affective(), ScriptedRegistry(chat, ScriptedTranscriber(), synthesizer))
    for samples in (USUAL, USUAL, USUAL, EXCITED):
        await turn(harness, samples)
    await harness.session.handle(TextReceived("And now?"))
    await harness.until(lambda harness: played(harness, 4))
    assert synthesizer.voices[-1] == OWN_VOICE
    assert asked(chat) == "And now?"


async def test_a_new_instruction_keeps_the_word_on_tone(connect):
    chat = ScriptedChatModel(["Oh."])
    harness = await connect(affective(), ScriptedRegistry(chat))
    await harness.session.handle(ContextUpdated(instruction("New rules."), None))
    await harness.session.handle(TextReceived("Hello?"))
    await harness.until(lambda harness: bool(chat.requests))
    assert AFFECTIVE_STYLE in chat.requests[0].messages[0].text
    assert "New rules." in chat.requests[0].messages[0].text


async def test_chatter_ends_as_a_turn_without_a_word_and_is_remembered(connect):
    chat = ScriptedChatModel(["Paris."])
    transcriber = ScriptedTranscriber([CHATTER, QUESTION])
    harness = await connect(proactive(), ScriptedRegistry(chat, transcriber))
    await turn(harness, utterance())
    assert harness.words() == ["heard", "generationComplete", "turnComplete+usage"]
    assert sound(harness) == []
    assert chat.requests == []
    usage = harness.messages[-1].usage_metadata
    assert usage.response_token_count == 0
    assert [(d.modality, d.token_count) for d in usage.response_tokens_details] == [("AUDIO", 0)]
    assert usage.prompt_token_count >= 25
    await turn(harness, utterance())
    assert harness.said() == "Paris."
    assert asked(chat).split("\n") == [CHATTER, "(Said to somebody else.)", QUESTION]


async def test_without_the_flag_everything_is_answered(connect):
    chat = ScriptedChatModel(["I see."])
    harness = await connect(
        proactive(proactivity=None), ScriptedRegistry(chat, ScriptedTranscriber([CHATTER]))
    )
    await turn(harness, utterance())
    assert asked(chat) == CHATTER


@pytest.mark.parametrize("field", ["proactive_audio", "proactive_video"])
@pytest.mark.parametrize(
    "event",
    [
        TextReceived(CHATTER),
        ContentReceived([Content(role="user", parts=[Part(text=CHATTER)])], True),
    ],
)
async def test_what_is_typed_is_always_answered(connect, field, event):
    chat = ScriptedChatModel(["I see."])
    setup = proactive(proactivity=ProactivityConfig(**{field: True}))
    harness = await connect(setup, ScriptedRegistry(chat, ScriptedTranscriber([CHATTER])))
    await turn(harness, utterance())
    assert chat.requests == []
    await harness.session.handle(event)
    await harness.shows("said")
    assert len(chat.requests) == 1


@pytest.mark.parametrize(("seconds", "answers"), [(3.0, 2), (60.0, 1)])
async def test_a_statement_right_after_a_reply_belongs_to_the_conversation(
    connect, seconds, answers
):
    chat = ScriptedChatModel(["It is in Hamburg."])
    transcriber = ScriptedTranscriber([QUESTION, CHATTER])
    harness = await connect(proactive(), ScriptedRegistry(chat, transcriber))
    await harness.say(utterance())
    await harness.until(lambda harness: bool(harness.time.sleepers))
    harness.time.advance(harness.time.sleepers[0][0] - harness.time.now)  # just played
    await harness.shows("turnComplete+usage")
    while harness.session.busy:  # noqa: ASYNC110 - it has nothing more to tell
        await asyncio.sleep(0)
    harness.time.now += seconds
    await turn(harness, utterance())
    assert len(chat.requests) == answers


async def test_its_name_calls_it_and_may_change(connect):
    chat = ScriptedChatModel(["Yes."])
    lines = ["Nova, the door was open.", "Ivy, the door was open.", "Ivy, the door was open."]
    setup = proactive(system_instruction=instruction("You are Nova."))
    harness = await connect(setup, ScriptedRegistry(chat, ScriptedTranscriber(lines)))
    await turn(harness, utterance())
    harness.time.now += 60
    await turn(harness, utterance())
    assert len(chat.requests) == 1
    await harness.session.handle(ContextUpdated(instruction("You are Ivy."), None))
    await turn(harness, utterance())
    assert len(chat.requests) == 2


async def test_an_hour_of_television_does_not_fill_the_window(connect):
    chat = ScriptedChatModel(["Paris."])
    news = " ".join([CHATTER] * 10)
    transcriber = ScriptedTranscriber([*[news] * 99, QUESTION])
    harness = await connect(proactive(), ScriptedRegistry(chat, transcriber))
    for _ in range(99):
        await turn(harness, utterance(seconds=0.5, pause=0.6))
    assert chat.requests == []
    await turn(harness, utterance())
    [request] = chat.requests
    assert sum(len(message.text) for message in request.messages) / 4 < 0.8 * 4096
    assert asked(chat).endswith(QUESTION)
    assert CHATTER in asked(chat)


async def test_a_silent_turn_can_be_resumed_from(connect):
    setup = proactive(session_resumption=SessionResumptionConfig())
    registry = ScriptedRegistry(transcriber=ScriptedTranscriber([CHATTER]))
    harness = await connect(setup, registry)
    await harness.say(utterance())
    await harness.shows("resumption")
    assert harness.words()[-2:] == ["turnComplete+usage", "resumption"]


async def test_real_chatter_is_left_alone_and_a_real_question_is_answered(
    connect, transcriber, synthesizer
):
    chat = ScriptedChatModel(["Paris."])
    harness = await connect(
        proactive(), ScriptedRegistry(chat, transcriber, ScriptedSynthesizer(), SileroDetector)
    )
    for text in ("They said that he had left the house before noon.", CHATTER, QUESTION):
        samples = spoken(synthesizer, text)
        await turn(harness, np.concatenate([silence(0.5), samples, silence(1.0)]))
    assert len(harness.heard()) == 3
    assert len(chat.requests) == 1
    assert "France" in asked(chat)
