"""`live-cli stages` by the official OpenAI client, unmodified, and by our own stages by URL."""

import asyncio
import contextlib
import io
import json
import urllib.error
import urllib.request
import wave
from contextlib import asynccontextmanager

import numpy as np
import openai
import pytest

from live_cli.audio.files.wav_header import wav_header
from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.stt.openai import OpenAITranscriber
from live_cli.engine.backends.table import Stage
from live_cli.engine.backends.tts.openai import OpenAISynthesizer
from live_cli.engine.openai_api.served_stages import SERVED, ServedStages
from live_cli.engine.stages import (
    ChatMessage,
    ChatRequest,
    ChatUsage,
    Sampling,
    StageNames,
    ToolDeclaration,
    VoiceTraits,
)
from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.listen import listen, port_of
from live_cli.net.server.openai_api.app import build_stages_app, serve_stages_on
from live_cli.net.server.stats.prometheus import PrometheusCounts

KEY = "a-key-of-sixteen-characters"
LIMIT_S = 30.0
TONE = (0.3 * np.sin(np.arange(16_000) / 10)).astype(np.float32)
WAV = wav_header(2 * len(TONE), 16_000) + pcm16_from_float(TONE)
NAMES = StageNames(
    detector="scripted",
    transcriber="scripted:What is the time?",
    chat='scripted:It is noon.|Wait. call:clock {"zone": "UTC"}',
    synthesizer="scripted",
    end_of_turn="silence",
)


@asynccontextmanager
async def stages(only=SERVED, names=NAMES, prepare=None, **limits):
    """Serve scripted stages; gives the base URL."""
    served = ServedStages(names, only=only)
    await served.load()
    if prepare is not None:
        await prepare(served)
    counts = PrometheusCounts()
    offered = [stage.value for stage in only]
    app = build_stages_app(served, offered, keys=[KEY], limits=Limits(**limits), counts=counts)
    listeners, stop = listen("127.0.0.1", 0), asyncio.Event()
    url = f"http://127.0.0.1:{port_of(listeners)}/v1"
    serving = asyncio.create_task(serve_stages_on(app, listeners, stop=stop))
    try:
        yield url
    finally:
        stop.set()
        await asyncio.wait_for(serving, LIMIT_S)
        await served.close()


@pytest.fixture
def client():
    @asynccontextmanager
    async def connected(url, key=KEY):
        async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as opened:
            yield opened

    return connected


async def test_the_official_client_uses_all_endpoints(client):
    async with stages() as url, client(url) as api:
        listed = [model.id async for model in api.models.list()]
        assert listed == ["transcriber", "chat", "synthesizer"]

        heard = await api.audio.transcriptions.create(
            file=("q.wav", WAV),
            model="whisper-1",
            response_format="verbose_json",
            timestamp_granularities=["word"],
        )
        assert (heard.text, heard.duration) == ("What is the time?", 1.0)
        assert [word.word for word in heard.words] == ["What", "is", "the", "time?"]
        plain = await api.audio.transcriptions.create(file=("q.wav", WAV), model="x")
        assert plain.text == "What is the time?"

        speech = await api.audio.speech.create(
            input="Noon.", model="tts-1", voice="alloy", response_format="wav"
        )
        assert speech.content[:4] == b"RIFF"
        slow, fast = [
            await api.audio.speech.create(
                input="Noon.", model="tts-1", voice="Puck", response_format="pcm", speed=speed
            )
            for speed in (0.9, 1.5)
        ]
        assert len(slow.content) > 1.4 * len(fast.content) > 0

        whole = await api.chat.completions.create(
            model="x", messages=[{"role": "user", "content": "When?"}]
        )
        assert whole.choices[0].message.content == "It is noon."
        assert whole.choices[0].finish_reason == "stop"
        assert whole.usage.completion_tokens == 3
        pieces = await api.chat.completions.create(
            model="x",
            messages=[{"role": "user", "content": [{"type": "text", "text": "When?"}]}],
            tools=[{"type": "function", "function": {"name": "clock"}}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in pieces]
    called = [c.delta.tool_calls[0] for k in chunks for c in k.choices if c.delta.tool_calls]
    assert [(c.function.name, json.loads(c.function.arguments)) for c in called] == [
        ("clock", {"zone": "UTC"})
    ]
    assert "".join(c.delta.content or "" for k in chunks for c in k.choices) == "Wait."
    assert [c.finish_reason for k in chunks for c in k.choices][-1] == "tool_calls"
    assert chunks[-1].usage.prompt_tokens > 0


async def test_our_own_stages_by_url_are_those_of_the_server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with stages() as url:
        transcriber = OpenAITranscriber(f"{url}#transcriber")
        heard = await asyncio.to_thread(transcriber.transcribe_in_detail, TONE, words=True)
        assert heard.text == "What is the time?"
        assert [word.text for word in heard.words] == ["What", "is", "the", "time?"]

        synthesizer = OpenAISynthesizer(url)
        speak = lambda: np.concatenate(list(synthesizer.speak("Noon.", VoiceTraits(name="Kore"))))  # noqa: E731
        assert len(await asyncio.to_thread(speak)) > 0

        chat = OpenAIChatModel(f"{url}#chat")
        deltas = []
        tools = (ToolDeclaration("clock"),)
        for _ in range(2):
            request = ChatRequest((ChatMessage("user", "When?"),), Sampling(seed=1), tools)
            await asyncio.to_thread(chat.generate, request, lambda delta: deltas.append(delta))
    assert "".join(delta.text for delta in deltas) == "It is noon.Wait."
    assert [delta.call.arguments for delta in deltas if delta.call] == [{"zone": "UTC"}]


BAD = [
    ("audio/transcriptions", None, 415, "multipart"),
    ("audio/speech", {"input": ""}, 400, "input"),
    ("audio/speech", {"input": "x" * 4097}, 400, "4096"),
    ("audio/speech", {"input": "x", "response_format": "mp3"}, 400, "pcm or wav"),
    ("audio/speech", {"input": "x", "voice": "Nobody"}, 400, "Nobody"),
    ("audio/speech", {"input": "x", "speed": 9}, 400, "speed"),
    ("chat/completions", {"messages": []}, 400, "messages"),
    ("chat/completions", {"messages": [{"role": "robot"}]}, 400, "role"),
    ("chat/completions", {"messages": [{"role": "user", "content": 3}]}, 400, "content"),
    ("chat/completions", {"messages": [{"role": "user"}], "n": 2}, 400, "n:"),
    ("chat/completions", {"messages": [{"role": "user"}], "stop": "."}, 400, "stop"),
    ("chat/completions", {"messages": [{"role": "user"}], "temperature": "hot"}, 400, "number"),
    ("chat/completions", [1], 400, "JSON object"),
    ("completions", {}, 404, "not here"),
]


async def test_what_is_not_done_here_is_refused_in_words():
    def post(url, body, key):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
                return answer.status, ""
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, json.load(exc)["error"]["message"]

    async with stages(received_payload_bytes=100_000) as url:
        for path, body, status, words in BAD:
            found, said = await asyncio.to_thread(post, f"{url}/{path}", body, KEY)
            assert (found, words in said) == (status, True), (path, body, said)
        large = {"messages": [{"role": "user", "content": "x" * 100_000}]}
        found, _ = await asyncio.to_thread(post, f"{url}/chat/completions", large, KEY)
        assert found == 413
        for key in ("wrong", ""):
            found, _ = await asyncio.to_thread(post, f"{url}/audio/speech", {"input": "x"}, key)
            assert found == 401
    async with stages(only=(Stage.SYNTHESIZER,)) as url:
        found, said = await asyncio.to_thread(post, f"{url}/chat/completions", {}, KEY)
        assert (found, said) == (404, "This server has no chat: synthesizer.")


class EndlessChat:
    """A model that generates until it is stopped."""

    context_tokens, sees, image_tokens = 4096, False, 0

    def __init__(self, began, stopped):
        self.began, self.stopped = began, stopped

    def generate(self, request, on_delta):
        from live_cli.engine.stages import ChatDelta

        self.began()
        while not on_delta(ChatDelta("on ")):
            pass
        self.stopped()
        return ChatUsage()


@pytest.mark.parametrize("streams", [True, False])
async def test_a_caller_who_leaves_stops_the_model_and_frees_its_place(client, streams):
    loop = asyncio.get_running_loop()
    began, stopped = asyncio.Event(), asyncio.Event()
    model = EndlessChat(
        lambda: loop.call_soon_threadsafe(began.set),
        lambda: loop.call_soon_threadsafe(stopped.set),
    )

    async def prepare(served):
        made = loop.create_future()
        made.set_result(model)
        served._registry.chat = lambda: made

    async with stages(prepare=prepare, sessions=1) as url, client(url) as api:
        asking = asyncio.create_task(_ask(api, streams))
        await asyncio.wait_for(began.wait(), LIMIT_S)
        with pytest.raises(openai.InternalServerError, match="All places"):
            await api.audio.speech.create(input="x", model="x", voice="x", response_format="pcm")
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(stopped.wait(), LIMIT_S)
        async with asyncio.timeout(LIMIT_S):
            while True:
                with contextlib.suppress(openai.InternalServerError):
                    await api.audio.transcriptions.create(file=("q.wav", WAV), model="x")
                    break


async def _ask(api, streams):
    answer = await api.chat.completions.create(
        model="x", messages=[{"role": "user", "content": "Count."}], stream=streams
    )
    async for _ in answer:
        pass


async def test_a_long_upload_is_cut_into_segments_with_their_times(client):
    pause = np.zeros(16_000, np.float32)
    long = np.concatenate([np.concatenate([TONE, TONE, pause])] * 11)  # 33 s
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(pcm16_from_float(long))
    async with stages() as url, client(url) as api:
        heard = await api.audio.transcriptions.create(
            file=("long.wav", data.getvalue()),
            model="x",
            response_format="verbose_json",
            timestamp_granularities=["word"],
        )
        assert len(heard.segments) == 11
        starts = [segment.start for segment in heard.segments]
        assert starts == pytest.approx([3.0 * n for n in range(11)], abs=0.5)
        assert 30 < heard.words[-1].end < 33
        with pytest.raises(openai.BadRequestError, match="no sound that is read"):
            await api.audio.transcriptions.create(file=("x.wav", b"RIFFnothing"), model="x")
