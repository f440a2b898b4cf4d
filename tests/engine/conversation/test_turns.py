"""Turns on scripted stages and fake time: order, interruption, truncation, activity, history."""

import asyncio
import gc
import threading
import weakref
from itertools import pairwise

import numpy as np
import pytest

from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.scripted import (
    ScriptedChatModel,
    ScriptedDetector,
    ScriptedSynthesizer,
    ScriptedTranscriber,
)
from live_cli.engine.engine import LiveEngine
from live_cli.engine.stages import ChatDelta, ChatUsage
from live_cli.errors import EngineError, UnsupportedError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    ContextUpdated,
    TextReceived,
)
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Content,
    ContextWindowCompressionConfig,
    GenerationConfig,
    HistoryConfig,
    Part,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    SlidingWindow,
    ThinkingConfig,
)
from tests.harness.scripted_session import (
    ScriptedRegistry,
    parts_of,
    short,
    silence,
    text_setup,
    utterance,
)
from tests.harness.speech import speech_like

LONG = "This is the first sentence. This is the second sentence. And here comes the third one."


def audio_setup(**fields):
    transcripts = {
        "input_audio_transcription": AudioTranscriptionConfig(),
        "output_audio_transcription": AudioTranscriptionConfig(),
    }
    return Setup(model="models/local", **(transcripts | fields))


def detection(**fields):
    return RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(**fields))


MANUAL = detection(disabled=True)


def prompts(chat):
    return [[(m.role, m.text) for m in r.messages if m.role != "system"] for r in chat.requests]


class GatedChatModel:
    """A chat model that says a word, then waits for the test, and notes whether it was stopped."""

    context_tokens = 4096
    sees = False

    def __init__(self):
        self.gate = threading.Event()
        self.stopped = threading.Event()

    def generate(self, request, on_delta):
        on_delta(ChatDelta("Once upon a time there was a king. And"))
        self.gate.wait(30)
        if on_delta(ChatDelta(" he")):
            self.stopped.set()
        return ChatUsage(3, 9)

    def prefill(self, messages, tools=(), salt=""):
        pass

    def close(self):
        pass


async def test_spoken_turn_comes_in_the_order_of_flow_a(connect):
    harness = await connect(audio_setup(), ScriptedRegistry(ScriptedChatModel(["Hi there. Bye."])))
    await harness.say(utterance())
    await harness.shows("generationComplete")
    assert harness.words() == ["heard", "said", "said", "generationComplete"]
    everything = [short(message) for message in harness.messages]
    assert everything.index("said") < everything.index("audio")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    harness.time.advance(60)
    await harness.shows("turnComplete+usage")
    assert harness.words()[-1] == "turnComplete+usage"
    assert harness.said() == "Hi there. Bye."
    assert harness.heard() == ["One."]


async def test_turn_completes_when_its_sound_has_been_played(connect):
    harness = await connect(audio_setup(), ScriptedRegistry(ScriptedChatModel([LONG])))
    await harness.ask("Talk.")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    [(until, _)] = harness.time.sleepers
    assert until - harness.time.now == pytest.approx(len(harness.audio()) / 24_000, abs=1e-6)
    harness.time.advance(until - harness.time.now - 0.01)
    assert "turnComplete+usage" not in harness.words()
    harness.time.advance(0.02)
    await harness.shows("turnComplete+usage")


async def test_audio_messages_last_20_to_250_ms(connect):
    harness = await connect(
        audio_setup(), ScriptedRegistry(ScriptedChatModel([LONG, "Yes. No. A."]))
    )
    for _ in range(2):
        await harness.ask("Talk.")
        await harness.until(lambda harness: bool(harness.time.sleepers))
        harness.time.advance(60)
    parts = [part for message in harness.messages for part in parts_of(message)]
    lengths_ms = [len(part.inline_data.data) / 48 for part in parts]
    assert min(lengths_ms) >= 20
    assert max(lengths_ms) <= 250
    assert {part.inline_data.mime_type for part in parts} == {"audio/pcm;rate=24000"}


async def test_transcripts_only_when_asked(connect):
    harness = await connect(Setup(model="models/local"))
    await harness.say(utterance())
    await harness.shows("generationComplete")
    assert harness.words() == ["generationComplete"]


async def test_usage_counts_25_audio_tokens_a_second_both_ways(connect):
    harness = await connect(audio_setup(), ScriptedRegistry(ScriptedChatModel(["Hello you."])))
    await harness.say(utterance(seconds=2.0))
    await harness.until(lambda harness: bool(harness.time.sleepers))
    harness.time.advance(60)
    await harness.shows("turnComplete+usage")
    usage = harness.messages[-1].usage_metadata
    replied = {detail.modality: detail.token_count for detail in usage.response_tokens_details}
    asked = {detail.modality: detail.token_count for detail in usage.prompt_tokens_details}
    assert replied["AUDIO"] == np.ceil(25 * len(harness.audio()) / 24_000)
    assert 50 <= asked["AUDIO"] <= 66  # 2 s of speech, with its look-back and tail
    assert usage.total_token_count == usage.prompt_token_count + usage.response_token_count


async def test_text_session_streams_text_and_completes_at_once(connect):
    harness = await connect(text_setup(), ScriptedRegistry(ScriptedChatModel(["One two three."])))
    await harness.ask("Count.")
    await harness.shows("turnComplete+usage")
    assert harness.texts() == ["One", " two", " three."]
    assert harness.words() == ["text"] * 3 + ["generationComplete", "turnComplete+usage"]
    usage = harness.messages[-1].usage_metadata
    assert [(d.modality, d.token_count) for d in usage.response_tokens_details] == [("TEXT", 3)]


async def test_barge_in_stops_everything_at_once(connect):
    chat = GatedChatModel()
    harness = await connect(audio_setup(), ScriptedRegistry(chat))
    await harness.ask("Tell me a story.")
    await harness.shows("said")
    await harness.say(utterance(pause=0.1))
    assert harness.words() == ["said", "interrupted", "turnComplete+usage"]
    chat.gate.set()
    assert chat.stopped.wait(10)
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("heard")
    assert harness.words()[3] == "heard"


@pytest.mark.parametrize(
    "event",
    [
        TextReceived("Stop."),
        ContentReceived([Content(role="user", parts=[Part(text="Stop.")])], True),
    ],
)
async def test_typed_input_interrupts_too(connect, event):
    harness = await connect(text_setup(), ScriptedRegistry(chat := GatedChatModel()))
    await harness.ask("Tell me a story.")
    await harness.shows("text")
    await harness.session.handle(event)
    chat.gate.set()
    assert harness.words()[:3] == ["text", "interrupted", "turnComplete+usage"]
    await harness.shows("turnComplete+usage", 2)


async def test_activity_start_interrupts(connect):
    harness = await connect(
        audio_setup(realtime_input_config=MANUAL), ScriptedRegistry(ScriptedChatModel([LONG]))
    )
    await harness.ask("Talk.")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    await harness.session.handle(ActivityStarted())
    assert harness.words()[-3:] == ["generationComplete", "interrupted", "turnComplete+usage"]


@pytest.mark.parametrize(
    ("played_s", "remembered"),
    [
        (0.0, None),
        (1.65, "This is the first sentence."),
        (2.5, "This is the first sentence. This is"),
        (60.0, LONG),
    ],
)
async def test_history_keeps_what_can_have_been_heard(connect, played_s, remembered):
    chat = ScriptedChatModel([LONG, "Well."])
    harness = await connect(audio_setup(), ScriptedRegistry(chat))
    await harness.ask("Talk.")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    harness.time.now += played_s
    await harness.ask("What did you say?")
    await harness.until(lambda harness: len(chat.requests) == 2)
    roles = prompts(chat)[1]
    if remembered is None:
        assert roles == [("user", "Talk.\nWhat did you say?")]
    else:
        assert roles[1] == ("assistant", remembered)


async def test_what_was_not_heard_is_not_billed_again(connect):
    chat = ScriptedChatModel([LONG, "Well."])
    harness = await connect(audio_setup(), ScriptedRegistry(chat))
    await harness.ask("Talk.")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    harness.time.now += 1.0
    await harness.ask("What did you say?")
    await harness.shows("turnComplete+usage")
    said = harness.messages[-1].usage_metadata.response_token_count
    assert said > 2 * 25
    await harness.until(lambda harness: len(harness.time.sleepers) == 2)
    harness.time.advance(60)
    await harness.shows("turnComplete+usage", 2)
    billed = harness.messages[-1].usage_metadata.prompt_tokens_details
    assert [d.token_count for d in billed if d.modality == "AUDIO"] == [25]


async def test_no_interruption_queues_the_input_as_the_next_turn(connect):
    chat = ScriptedChatModel([LONG, "Second answer."])
    config = RealtimeInputConfig(activity_handling="NO_INTERRUPTION")
    harness = await connect(audio_setup(realtime_input_config=config), ScriptedRegistry(chat))
    await harness.ask("Talk.")
    await harness.until(lambda harness: bool(harness.time.sleepers))
    await harness.say(utterance())
    assert "interrupted" not in harness.words()
    assert "heard" not in harness.words()
    harness.time.advance(60)
    await harness.until(lambda harness: len(chat.requests) == 2)
    assert prompts(chat)[1][1:] == [("assistant", LONG), ("user", "One.")]
    assert "interrupted" not in harness.words()


@pytest.mark.parametrize(("silence_ms", "turns"), [(100, 2), (800, 1)])
async def test_a_pause_of_400_ms_ends_the_turn_or_not(connect, silence_ms, turns):
    chat = ScriptedChatModel(["Yes."])
    config = detection(silence_duration_ms=silence_ms)
    harness = await connect(audio_setup(realtime_input_config=config), ScriptedRegistry(chat))
    pieces = [silence(0.3), speech_like(1), silence(0.4), speech_like(1), silence(1.2)]
    await harness.say(np.concatenate(pieces))
    await harness.until(lambda harness: bool(harness.time.sleepers))
    await harness.until(lambda harness: len(harness.heard()) == turns)
    assert len(harness.heard()) == turns


@pytest.mark.parametrize("message_ms", [5, 20, 100, 10_000])
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
async def test_any_rate_and_any_message_length_is_heard(connect, message_ms, rate):
    lengths = []
    transcriber = ScriptedTranscriber(lambda samples: lengths.append(len(samples)) or "One.")
    harness = await connect(audio_setup(), ScriptedRegistry(transcriber=transcriber))
    rest = np.zeros(rate, np.float32)
    await harness.say(np.concatenate([rest, speech_like(1.0, rate), rest]), rate, message_ms)
    await harness.shows("heard")
    told = harness.messages[0].server_content.input_transcription
    start, end = (float(offset[:-1]) for offset in (told.start_offset, told.end_offset))
    assert start == pytest.approx(0.7, abs=0.1)  # 300 ms of look-back
    assert end == pytest.approx(2.06, abs=0.1)  # two windows of tail
    silence_s = 0.3 - 0.064  # put after it, for the transcriber
    assert lengths[-1] == pytest.approx((end - start + silence_s) * 16_000, abs=2)


@pytest.mark.parametrize("rate", [16_000, 44_100])
async def test_messages_may_part_the_sound_within_a_sample(connect, rate):
    heard = []
    transcriber = ScriptedTranscriber(lambda samples: heard.append(samples) or "One.")
    rest = np.zeros(rate, np.float32)
    data = pcm16_from_float(np.concatenate([rest, speech_like(1.0, rate), rest]))
    for size in (2_000, 2_001, 7):
        harness = await connect(audio_setup(), ScriptedRegistry(transcriber=transcriber))
        for start in range(0, len(data), size):
            await harness.session.handle(AudioReceived(data[start : start + size], rate))
        await harness.shows("heard")
    whole, odd, tiny = heard
    assert np.array_equal(whole, odd)
    assert np.array_equal(whole, tiny)


async def test_silence_and_a_click_make_no_turn(connect):
    chat = ScriptedChatModel()
    harness = await connect(audio_setup(), ScriptedRegistry(chat))
    await harness.say(np.concatenate([silence(2), speech_like(0.15), silence(2)]))
    await harness.session.handle(AudioStreamEnded())
    assert harness.messages == []
    assert chat.requests == []


async def test_noise_between_question_and_answer_does_not_lose_the_question(connect):
    gate = threading.Event()
    transcriber = ScriptedTranscriber(lambda _: "A question." if gate.wait(30) else "")
    chat = ScriptedChatModel(["An answer."])
    harness = await connect(audio_setup(), ScriptedRegistry(chat, transcriber))
    await harness.say(np.concatenate([utterance(pause=0.7), speech_like(0.17), silence(0.8)]))
    gate.set()
    await harness.shows("generationComplete")
    assert prompts(chat) == [[("user", "A question.")]]


async def test_speech_that_resumes_discards_the_speculation(connect):
    lengths = []
    transcriber = ScriptedTranscriber(lambda samples: lengths.append(len(samples)) or "Words.")
    harness = await connect(audio_setup(), ScriptedRegistry(transcriber=transcriber))
    pieces = [silence(0.3), speech_like(1), silence(0.3), speech_like(1), silence(0.6)]
    await harness.say(np.concatenate(pieces))
    await harness.shows("generationComplete")
    assert harness.heard() == ["Words."]
    assert len(lengths) == 2  # at the pause that was none, and at the one that was the end
    assert lengths[1] > 2 * 16_000


async def test_manual_activity_commits_at_once_and_ignores_what_is_outside(connect):
    chat = ScriptedChatModel(["Yes."])
    harness = await connect(audio_setup(realtime_input_config=MANUAL), ScriptedRegistry(chat))
    await harness.say(utterance())
    assert harness.messages == []
    await harness.session.handle(ActivityStarted())
    await harness.say(np.concatenate([speech_like(1), silence(1.5), speech_like(1)]))
    assert chat.requests == []
    await harness.session.handle(ActivityEnded())
    await harness.shows("generationComplete")
    assert harness.heard() == ["One.", " Two."]
    assert prompts(chat) == [[("user", "One.\nTwo.")]]


async def test_all_input_takes_what_is_outside_the_activity(connect):
    chat = ScriptedChatModel(["Yes."])
    config = RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=True),
        turn_coverage="TURN_INCLUDES_ALL_INPUT",
    )
    harness = await connect(audio_setup(realtime_input_config=config), ScriptedRegistry(chat))
    await harness.say(utterance())
    await harness.session.handle(ActivityStarted())
    await harness.say(speech_like(1))
    await harness.session.handle(ActivityEnded())
    await harness.shows("generationComplete")
    assert prompts(chat) == [[("user", "One.\nTwo.")]]


@pytest.mark.parametrize("heard", [True, False])
async def test_an_activity_without_words_is_a_turn_without_an_answer(connect, heard):
    """A client that marks activities waits for the turn's end, whatever the microphone brought."""
    chat = ScriptedChatModel(["Yes."])
    registry = ScriptedRegistry(chat, transcriber=ScriptedTranscriber([""]))
    harness = await connect(audio_setup(realtime_input_config=MANUAL), registry)
    await harness.session.handle(ActivityStarted())
    await harness.say(speech_like(1) if heard else silence(2))
    await harness.session.handle(ActivityEnded())
    await harness.shows("turnComplete+usage")
    assert harness.words() == ["generationComplete", "turnComplete+usage"]
    assert chat.requests == []


async def test_an_activity_that_was_answered_by_its_end_brings_no_second_turn(connect):
    chat = ScriptedChatModel(["Yes."])
    harness = await connect(text_setup(realtime_input_config=MANUAL), ScriptedRegistry(chat))
    await harness.session.handle(ActivityStarted())
    await harness.session.handle(TextReceived("Well?"))
    await harness.shows("turnComplete+usage")
    while harness.session.busy:  # noqa: ASYNC110 - it has nothing more to tell
        await asyncio.sleep(0)
    await harness.session.handle(ActivityEnded())
    assert not harness.session.busy
    assert harness.words().count("turnComplete+usage") == 1


async def test_audio_stream_end_flushes_open_speech_and_audio_may_resume(connect):
    chat = ScriptedChatModel(["Yes."])
    harness = await connect(audio_setup(), ScriptedRegistry(chat))
    for count in (1, 2):
        await harness.say(utterance(pause=0.0))
        await harness.session.handle(AudioStreamEnded())
        await harness.shows("generationComplete", count)
        harness.time.advance(60)
    assert harness.heard() == ["One.", "Two."]


async def test_history_is_stored_without_an_answer_until_the_turn_is_complete(connect):
    chat = ScriptedChatModel(["Berlin."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    turns = [
        Content(role="user", parts=[Part(text="Capital of France?")]),
        Content(role="model", parts=[Part(text="Paris.")]),
    ]
    await harness.session.handle(ContentReceived(turns, False))
    assert harness.messages == []
    await harness.ask("And of Germany?")
    await harness.shows("turnComplete+usage")
    assert prompts(chat) == [
        [("user", "Capital of France?"), ("assistant", "Paris."), ("user", "And of Germany?")]
    ]


async def test_initial_history_is_only_stored_even_when_complete(connect):
    chat = ScriptedChatModel(["Yes."])
    setup = text_setup(history_config=HistoryConfig(initial_history_in_client_content=True))
    harness = await connect(setup, ScriptedRegistry(chat))
    await harness.ask("Remember this.")
    assert chat.requests == []
    await harness.session.handle(TextReceived(" "))
    await harness.shows("turnComplete+usage")
    assert prompts(chat) == [[("user", "Remember this.")]]


async def test_resumption_gives_the_history_back_from_its_handle(connect):
    chat = ScriptedChatModel(["First.", "Second."])
    setup = text_setup(session_resumption=SessionResumptionConfig())
    engine = LiveEngine(registry=ScriptedRegistry(chat))
    harness = await connect(setup, engine=engine)
    await harness.ask("One?")
    await harness.shows("resumption")
    handle = harness.messages[-1].session_resumption_update.new_handle
    again = text_setup(session_resumption=SessionResumptionConfig(handle=handle))
    engine_line = await connect(again, engine=engine)
    await engine_line.ask("Two?")
    await engine_line.shows("turnComplete+usage")
    assert prompts(chat)[1] == [("user", "One?"), ("assistant", "First."), ("user", "Two?")]
    unknown = text_setup(session_resumption=SessionResumptionConfig(handle="nonsense"))
    with pytest.raises(UnsupportedError) as refused:
        await connect(unknown, engine=engine)
    assert refused.value.close_code == 1008


async def test_a_turn_is_in_no_handle_before_its_end(connect):
    harness = await connect(text_setup(session_resumption=SessionResumptionConfig()))
    await harness.ask("One?")
    await harness.shows("resumption")
    assert harness.words()[0] == "not resumable"
    assert harness.words()[1:].count("not resumable") == 0
    assert harness.words()[-2:] == ["turnComplete+usage", "resumption"]


async def test_resumption_is_silent_when_not_asked(connect):
    harness = await connect(text_setup())
    await harness.ask("One?")
    await harness.shows("turnComplete+usage")
    assert harness.words()[-1] == "turnComplete+usage"


async def test_compression_drops_the_oldest_turns_and_keeps_the_instruction(connect):
    chat = ScriptedChatModel(["word " * 20])
    compression = ContextWindowCompressionConfig(
        trigger_tokens=200, sliding_window=SlidingWindow(target_tokens=80)
    )
    setup = text_setup(
        context_window_compression=compression,
        system_instruction=Content(parts=[Part(text="Be brief.")]),
    )
    harness = await connect(setup, ScriptedRegistry(chat))
    for index in range(8):
        await harness.ask(f"Question {index}?")
        await harness.shows("turnComplete+usage", index + 1)
    lengths = [len(request.messages) for request in chat.requests]
    assert max(lengths) < 16
    drops = sum(after < before for before, after in pairwise(lengths))
    assert drops == 1  # rarely, and in a large step
    last = chat.requests[-1].messages
    assert last[0].role == "system"
    assert last[1].role == "user"
    assert last[-1].text == "Question 7?"


async def test_thoughts_are_sent_only_when_asked_and_never_spoken(connect):
    class Thinker(GatedChatModel):
        def generate(self, request, on_delta):
            on_delta(ChatDelta("Let me see.", thought=True))
            on_delta(ChatDelta("Four."))
            return ChatUsage(5, 2, 3)

    for include, words in ((True, ["thought", "said"]), (False, ["said"])):
        thinking = GenerationConfig(thinking_config=ThinkingConfig(include_thoughts=include))
        harness = await connect(
            audio_setup(generation_config=thinking), ScriptedRegistry(Thinker())
        )
        await harness.ask("2+2?")
        await harness.until(lambda harness: bool(harness.time.sleepers))
        harness.time.advance(60)
        await harness.shows("turnComplete+usage")
        assert harness.words() == [*words, "generationComplete", "turnComplete+usage"]
        assert harness.said() == "Four."
        assert harness.messages[-1].usage_metadata.thoughts_token_count == 3


async def test_context_update_changes_the_instruction(connect):
    chat = ScriptedChatModel(["Yes."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    new = Content(parts=[Part(text="New rules.")])
    await harness.session.handle(ContextUpdated(new, None))
    await harness.ask("Hello?")
    await harness.shows("turnComplete+usage")
    assert chat.requests[0].messages[0].text == "New rules."


async def failure_of_a_chat_model_that_raises(connect, error):
    class Broken(GatedChatModel):
        def generate(self, request, on_delta):
            raise error

    harness = await connect(text_setup(), ScriptedRegistry(Broken()))
    await harness.ask("Hello?")
    failure = await harness.session.failed()
    with pytest.raises(EngineError) as told:
        await harness.ask("Hello?")
    assert told.value is failure
    return failure


async def test_a_stage_that_fails_ends_the_session_with_its_reason(connect):
    failure = await failure_of_a_chat_model_that_raises(connect, EngineError("the model is gone"))
    assert "the model is gone" in str(failure)


async def test_a_stage_that_crashes_tells_the_log_and_not_the_client(connect):
    crash = RuntimeError("broken")
    failure = await failure_of_a_chat_model_that_raises(connect, crash)
    assert str(failure) == "Internal error encountered."
    assert failure.__cause__ is crash


async def test_a_typed_session_never_loads_speech_input(connect):
    registry = ScriptedRegistry()
    harness = await connect(text_setup(), registry)
    await harness.ask("Hello?")
    await harness.shows("turnComplete+usage")
    loaded = [each.stage.value for each in registry.report() if each.state != "unloaded"]
    assert loaded == ["chat"]


async def test_two_sessions_share_the_stages_and_not_the_history(connect):
    chat = ScriptedChatModel()
    registry = ScriptedRegistry(chat)
    first = await connect(text_setup(), registry)
    second = await connect(text_setup(), registry)
    await first.ask("I am one.")
    await second.ask("I am two.")
    for harness in (first, second):
        await harness.shows("turnComplete+usage")
    assert sorted(prompts(chat)) == [[("user", "I am one.")], [("user", "I am two.")]]


@pytest.mark.parametrize("model", ["local", "gemini-3.5-transcribe-live"])
async def test_a_session_that_ends_lets_its_detector_go(connect, model):
    made = []

    class Detector(ScriptedDetector):
        def __init__(self):
            made.append(weakref.ref(self))

    harness = await connect(Setup(model=f"models/{model}"), ScriptedRegistry(detector=Detector))
    gc.disable()  # native memory does not make it run
    try:
        await harness.say(silence(0.2))
        assert [ref() is None for ref in made] == [False]
        await harness.session.close()
        async with asyncio.timeout(5):
            while made[0]() is not None:  # noqa: ASYNC110 - its thread lets go of it a little later
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


class SlowSynthesizer(ScriptedSynthesizer):
    """Takes ``pace`` seconds of ``time`` to make a second of speech."""

    def __init__(self, pace):
        self.pace, self.time, self.texts = pace, None, []

    def speak(self, text, voice):
        self.texts.append(text)
        for samples in super().speak(text, voice):
            self.time.now += self.pace * len(samples) / 24_000
            yield samples


@pytest.mark.parametrize(("pace", "clauses"), [(0.02, 2), (1.0, 4)])
async def test_a_slow_voice_goes_on_with_the_next_phrase_before_the_last_has_ended(
    connect, pace, clauses
):
    reply = "So it is. I walk along the river with my dog and I look at the boats since they go."
    synthesizer = SlowSynthesizer(pace)
    registry = ScriptedRegistry(chat=ScriptedChatModel([reply]), synthesizer=synthesizer)
    session = await connect(audio_setup(), registry)
    synthesizer.time = session.time
    await session.ask("Tell me.")
    await session.shows("generationComplete")
    assert len(synthesizer.texts) == clauses
    assert " ".join(synthesizer.texts) == session.said() == reply
