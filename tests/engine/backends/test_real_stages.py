"""The real stages on real speech: what is heard, what is answered, how it sounds."""

import asyncio
import json
import threading

import numpy as np
import pytest
import soundfile
import soxr

from live_cli.engine.backends.llm.completions import body_of
from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.backends.llm.tools_first import TOOLS_FIRST
from live_cli.engine.backends.stt.moonshine import MoonshineTranscriber, bundled_folder
from live_cli.engine.backends.table import SHARED_STAGES, Stage
from live_cli.engine.chat_models.lookup import find_chat_model
from live_cli.engine.conversation.history.entries import USER
from live_cli.engine.conversation.history.history import ContextWindow, History
from live_cli.engine.engine import LiveEngine
from live_cli.engine.registry import Registry
from live_cli.engine.setup.voices import VOICE_TRAITS
from live_cli.engine.stages import (
    ChatDelta,
    ChatMessage,
    ChatRequest,
    Sampling,
    StageNames,
    ToolDeclaration,
    ToolUse,
    VoiceTraits,
)
from live_cli.errors import EngineError
from live_cli.protocol.events import ActivityEnded, ActivityStarted, AudioStreamEnded
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    GenerationConfig,
    RealtimeInputConfig,
    Setup,
)
from tests.harness.scripted_session import silence, text_setup
from tests.harness.speech import BECKETT, TWO_CITIES, word_error_rate

TRANSCRIBER = "models/gemini-3.5-transcribe-live"
MANUAL = RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(disabled=True))


def recording(name):
    return soundfile.read(bundled_folder().parent / f"{name}.wav", dtype="float32")


def spoken(synthesizer, text, voice=VoiceTraits()):  # noqa: B008 - frozen
    """``text`` as speech at 16 kHz."""
    return soxr.resample(np.concatenate(list(synthesizer.speak(text, voice))), 24_000, 16_000)


@pytest.mark.parametrize(("name", "text"), [("two_cities", TWO_CITIES), ("beckett", BECKETT)])
@pytest.mark.parametrize("manual", [True, False])
async def test_a_recording_is_transcribed(connect, real, name, text, manual):
    setup = Setup(model=TRANSCRIBER, realtime_input_config=MANUAL if manual else None)
    harness = await connect(setup, real)
    samples, rate = recording(name)
    if manual:
        await harness.session.handle(ActivityStarted())
    await harness.say(samples, rate, message_ms=1000)
    await harness.session.handle(ActivityEnded() if manual else AudioStreamEnded())
    await harness.shows("turnComplete+usage")
    assert word_error_rate(text, "".join(harness.heard())) <= 0.03
    assert set(harness.words()[:-1]) == {"heard"}
    told = [message.server_content.input_transcription for message in harness.messages[:-1]]
    bounds = [(float(t.start_offset[:-1]), float(t.end_offset[:-1])) for t in told]
    assert sorted(bounds) == bounds
    assert all(end - start <= 15.1 for start, end in bounds)
    assert bounds[-1][1] <= len(samples) / rate + 0.1
    [detail] = harness.messages[-1].usage_metadata.prompt_tokens_details
    assert detail.modality == "AUDIO"
    assert detail.token_count == pytest.approx(25 * sum(e - s for s, e in bounds), abs=1)


async def test_a_spoken_question_is_answered_and_the_answer_is_what_its_transcript_says(
    connect, real, transcriber, synthesizer
):
    setup = Setup(
        model="models/local",
        generation_config=GenerationConfig(temperature=0.0, seed=1, max_output_tokens=60),
        input_audio_transcription=AudioTranscriptionConfig(),
        output_audio_transcription=AudioTranscriptionConfig(),
    )
    harness = await connect(setup, real)
    question = "What do people use an umbrella for?"
    await harness.say(np.concatenate([silence(0.5), spoken(synthesizer, question), silence(1.0)]))
    await harness.shows("generationComplete")
    assert word_error_rate(question, " ".join(harness.heard())) == 0
    answer = soxr.resample(harness.audio(), 24_000, 16_000)
    heard = " ".join(
        transcriber.transcribe(answer[start : start + 240_000])
        for start in range(0, len(answer), 240_000)
    )
    assert len(harness.said().split()) >= 3
    assert word_error_rate(harness.said(), heard) <= 0.1


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
async def test_noise_and_silence_make_no_turn(connect, real, level):
    harness = await connect(Setup(model="models/local"), real)
    noise = np.random.default_rng(1).standard_normal(4 * 16_000).astype(np.float32) * level
    await harness.say(np.concatenate([silence(1), noise, silence(1)]), message_ms=100)
    await harness.session.handle(AudioStreamEnded())
    assert harness.messages == []


async def test_a_barge_in_stops_the_chat_model(connect, real, synthesizer):
    setup = Setup(
        model="models/local",
        generation_config=GenerationConfig(max_output_tokens=150),
        output_audio_transcription=AudioTranscriptionConfig(),
    )
    harness = await connect(setup, real)
    await harness.ask("Tell me a very long story about a fox.")
    await harness.shows("said")
    await harness.say(
        np.concatenate([silence(0.2), spoken(synthesizer, "Stop it please, that is enough.")])
    )
    words = harness.words()
    assert words[words.index("interrupted") + 1] == "turnComplete+usage"
    assert "generationComplete" not in words
    await harness.session.handle(AudioStreamEnded())
    await harness.shows("generationComplete")  # the model was free to answer that


def test_the_chat_model_stops_with_the_callback(chat):
    deltas = []

    def on_delta(delta):
        if delta.text:
            deltas.append(delta.text)
        return len(deltas) >= 5

    story = (ChatMessage("user", "Tell me a very long story."),)
    chat.generate(ChatRequest(story, Sampling(max_tokens=500)), on_delta)
    assert len(deltas) == 5


def test_the_chat_model_stops_while_it_reads_the_prompt(chat):
    deltas = []
    long = (ChatMessage("user", "word " * 1500),)
    chat.generate(ChatRequest(long), lambda delta: deltas.append(delta.text) or True)
    assert "".join(deltas) == ""


def test_the_chat_model_counts_its_tokens_and_keeps_its_limit(chat):
    ask = (ChatMessage("system", "Be brief."), ChatMessage("user", "Count to fifty."))
    chat.prefill(ask[:1])
    usage = chat.generate(
        ChatRequest(ask, Sampling(max_tokens=7, temperature=0.0)), lambda _: False
    )
    assert usage.reply_tokens == 7
    assert 10 < usage.prompt_tokens < 60


def test_a_prompt_beyond_the_window_is_refused_in_words(chat):
    with pytest.raises(EngineError, match="this model takes"):
        chat.generate(ChatRequest((ChatMessage("user", "word " * 6000),)), lambda _: False)


def f0_of(samples):
    """The median fundamental of the loud frames, by autocorrelation at 24 kHz, in Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1200)[::600]
    loud = frames[np.sqrt((frames**2).mean(axis=1)) > 0.03]
    pitches = []
    for frame in loud:
        spectrum = np.fft.rfft(frame, 4096)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:400]
        lag = 55 + int(np.argmax(correlation[55:300]))
        if correlation[lag] > 0.4 * correlation[0]:
            pitches.append(24_000 / lag)
    return float(np.median(pitches))


def centroid_of(samples):
    """The mean frequency of the spectrum between 300 and 4000 Hz: where the formants lie."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / 24_000)
    band = (hertz > 300) & (hertz < 4000)
    return float((power * hertz)[band].sum() / power[band].sum())


def test_speech_begins_at_once_and_pauses_between_sentences_are_short(synthesizer):
    first, second = synthesizer.speak(
        "Dogs have four legs. Birds have two legs, and", VoiceTraits()
    )
    loud = [np.flatnonzero(np.abs(chunk) > 0.01) / 24_000 for chunk in (first, second)]
    assert max(chunk[0] for chunk in loud) < 0.1
    assert 0.3 < first.size / 24_000 - loud[0][-1] < 0.6
    assert second.size / 24_000 - loud[1][-1] < 0.25  # that sentence goes on


def loudness_of(samples):
    """dBFS (RMS) of the 20 ms frames that sound: those within 30 dB of the loudest."""
    power = (samples[: len(samples) // 480 * 480].reshape(-1, 480) ** 2).mean(axis=1)
    return 10 * float(np.log10(power[power > power.max() / 1000].mean()))


def test_thirty_voices_are_thirty_and_equally_loud(synthesizer):
    text = "We were away a year ago, all along the river."
    heard, loudness = {}, {}
    for name, voice in VOICE_TRAITS.items():
        samples = np.concatenate(list(synthesizer.speak(text, voice)))
        heard[name] = (f0_of(samples), len(samples) / 24_000, centroid_of(samples))
        loudness[name] = loudness_of(samples)
        assert np.abs(samples).max() < 0.7, f"{name} has to be rounded off"
    assert max(loudness.values()) - min(loudness.values()) < 1.2, loudness
    names = sorted(heard)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            ratios = [abs(a / b - 1) for a, b in zip(heard[one], heard[other], strict=True)]
            assert max(ratios) > 0.02, f"{one} sounds like {other}"
    pitches = [pitch for pitch, _, _ in heard.values()]
    assert max(pitches) / min(pitches) > 1.6


def test_no_voice_booms(synthesizer):
    """In this sentence the network predicts peaks of 30 dB where its own harmonics are not."""
    text = "Yes, people use umbrellas to stay dry when it rains, and sometimes for shade."
    loudness = {}
    for name in ("Kore", "Algenib", "Alnilam", "Algieba", "Autonoe", "Leda"):
        samples = np.concatenate(list(synthesizer.speak(text, VOICE_TRAITS[name])))
        loudness[name] = loudness_of(samples)
        assert np.abs(samples).max() < 0.7, f"{name} has to be rounded off"
    assert max(loudness.values()) - min(loudness.values()) < 1.8, loudness


@pytest.mark.parametrize(
    "name", ["Algenib", "Leda", "Fenrir", "Achernar", "Algieba", "Pulcherrima", "Kore", "Orus"]
)
def test_every_voice_keeps_its_words(synthesizer, transcriber, name):
    text = "The old man walked slowly to the garden. He wanted to see his flowers before dinner."
    heard = transcriber.transcribe(spoken(synthesizer, text, VOICE_TRAITS[name]).astype(np.float32))
    assert word_error_rate(text, heard) <= 0.07


async def test_stages_load_side_by_side_and_once():
    registry = Registry(StageNames(chat="scripted"))
    engine = LiveEngine(registry=registry)
    states = [readiness.state for readiness in engine.report()]
    assert set(states) == {"unloaded"}
    await asyncio.gather(engine.load(), engine.load([Stage.TRANSCRIBER, Stage.SYNTHESIZER]))
    assert await registry.transcriber() is await registry.transcriber()
    ready = {r.stage.value for r in engine.report() if r.state == "ready"}
    assert ready == {stage.value for stage in SHARED_STAGES}
    await engine.close()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"chat": "nonsense"}, "no chat model is called 'nonsense'"),
        ({"chat": "gguf:/nowhere/x.gguf"}, "no chat model at"),
        ({"chat": "openai:nowhere"}, "not an endpoint"),
        (
            {"synthesizer": "nonsense"},
            "choose hibari, kokoro, kokoro:FOLDER, pico, openjtalk, espeak, openai:URL#VOICE",
        ),
        ({"transcriber": "moonshine:/nowhere"}, "not a Moonshine model folder"),
    ],
)
async def test_a_stage_that_is_not_there_is_named(names, words):
    engine = LiveEngine(StageNames(**({"chat": "scripted"} | names)))
    with pytest.raises(EngineError, match=words):
        await engine.load()
    assert "failed" in {readiness.state for readiness in engine.report()}
    await engine.close()


async def test_replies_are_generated_in_turns():
    model = GgufChatModel(find_chat_model().path, parallel=2)
    order: list[str] = []
    begun = threading.Event()

    def reply(name: str, tokens: int) -> None:
        def on_delta(delta: ChatDelta) -> bool:
            if delta.text:
                order.append(name)
                begun.set()
            return False

        ask = (ChatMessage("user", f"Tell a very long story about {name}."),)
        model.generate(ChatRequest(ask, Sampling(max_tokens=tokens, seed=1)), on_delta)

    long = asyncio.create_task(asyncio.to_thread(reply, "the sea", 200))
    await asyncio.to_thread(begun.wait)
    await asyncio.to_thread(reply, "a mountain", 20)
    assert "a mountain" in order
    assert not long.done(), "the short reply waited for the long one"
    model.close()
    await long
    with pytest.raises(EngineError, match="closed"):
        reply("nothing", 1)


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(EngineError, match=r"bad\.gguf does not load"):
        GgufChatModel(path)


def test_models_that_do_not_fit_are_refused(tmp_path):
    for file in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
        (tmp_path / file).write_bytes(b"not a model")
    with pytest.raises(EngineError, match="cannot read the model"):
        MoonshineTranscriber(tmp_path)


async def test_a_typed_question_is_answered_in_text(connect, real):
    harness = await connect(text_setup(), real)
    await harness.ask("Say hello.")
    await harness.shows("turnComplete+usage")
    assert "".join(harness.texts()).strip()


def asked(request, call, done):
    """One question, its call, the result and the answer, as they stand in a history."""
    return (
        ChatMessage("user", request),
        ChatMessage("assistant", "", calls=(call,)),
        ChatMessage("tool", '{"result": "ok"}', call_id=call.id),
        ChatMessage("assistant", done),
    )


def test_the_chat_model_calls_functions_though_its_template_knows_none(chat):
    level = {"type": "object", "properties": {"level": {"type": "number"}}, "required": ["level"]}
    tools = (
        ToolDeclaration("turn_on_the_lights", "Turns on the lights.", level),
        ToolDeclaration("turn_off_the_lights", "Turns off the lights."),
    )
    on = asked(
        "Turn on the lights.", ToolUse("1", "turn_on_the_lights", {"level": 1}), "They are on."
    )
    off = asked("Turn off the lights.", ToolUse("2", "turn_off_the_lights", {}), "They are off.")
    history = (*on, *off, *on, *off, ChatMessage("user", "Turn on the lights."))
    plain = ChatRequest(history[-1:], Sampling(max_tokens=12, temperature=0.0))
    before = []
    chat.generate(plain, lambda delta: before.append(delta.text) or False)

    chat.prefill((), tools)
    deltas = []
    chat.generate(
        ChatRequest(history, Sampling(temperature=0.0), tools),
        lambda delta: deltas.append(delta) or False,
    )
    [call] = [delta.call for delta in deltas if delta.call]
    assert call.name == "turn_on_the_lights"
    assert isinstance(call.arguments["level"], int | float)

    after = []
    chat.generate(plain, lambda delta: after.append(delta.text) or False)
    assert "".join(after) == "".join(before)  # without tools nothing has changed


STRICT = (
    "{%- for m in messages if m.role != 'system' -%}"
    "{%- if (m.role == 'user') != (loop.index0 % 2 == 0) -%}"
    "{{ raise_exception('Conversation roles must alternate') }}{%- endif -%}"
    "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
)
"""Refuses two turns of one side in a row, as Gemma's does."""


def test_a_strict_template_takes_several_results_and_what_follows_them():
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(find_chat_model().path)
    params.n_ctx, params.n_parallel, params.port, params.verbosity = 1024, 1, 0, -1
    params.ui, params.api_keys = False, ["random"]
    params.chat_template = TOOLS_FIRST + STRICT
    server = xllamacpp.Server(params)
    lock = ToolDeclaration("lock")
    history = History("Be brief.", ContextWindow(1024))
    history.add(USER, "Lock both doors.")
    uses = [ToolUse(name, "lock", {}) for name in ("1", "2")]
    history.add_calls("", 0.0, [(use, "locked") for use in uses])
    history.add(USER, "And the windows.")
    request = ChatRequest(history.messages(), Sampling(max_tokens=1), (lock,))
    told = []
    server.handle_chat_completions(
        json.dumps(body_of(request)), lambda text: told.append(json.loads(text)) or False
    )
    assert not any("error" in chunk for chunk in told)
    assert told[-1]["usage"]["completion_tokens"] == 1
