"""The stages on Ray Serve, with real models. Not part of the test run: `make ray`.

A replica is killed while all are busy: requests go on, and each is answered as if nothing were.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import numpy as np
import openai
import pytest

from live_cli.engine.backends.stt.openai import OpenAITranscriber
from live_cli.engine.backends.tts.openai import OpenAISynthesizer
from live_cli.engine.stages import VoiceTraits
from live_cli.errors import EngineError
from tests.harness.ray_serve import LIMIT_S, RayServe, ray_serve
from tests.harness.speech import QUESTION, QUESTION_WORDS, word_errors

KEY = "a-key-of-sixteen-characters"
WAITING, FLOOD = 8, 24
"""Requests that may wait, and more at once than two replicas and the wait have places for."""
SETTINGS = {
    "LIVE_CLI_SERVE_MAX_CONNECTIONS": str(WAITING),
    "LIVE_CLI_KEY": KEY,
    "LIVE_CLI_ENGINE_CHAT": "scripted:It is noon.",
}
TALKERS, AFTER = 8, 5
"""More than two replicas take, so that both are busy when one dies; and what each asks then."""


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayServe]:
    home = tmp_path_factory.mktemp("ray")
    with ray_serve(home, SETTINGS, replicas={"transcriber": 2}) as running:
        yield running


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


async def test_the_official_client_uses_all_endpoints(ray: RayServe) -> None:
    async with openai.AsyncOpenAI(base_url=f"{ray.url}/v1", api_key=KEY, max_retries=0) as api:
        listed = [model.id async for model in api.models.list()]
        heard = await api.audio.transcriptions.create(file=QUESTION, model="whisper-1")
        speech = await api.audio.speech.create(
            input="Noon.", model="tts-1", voice="alloy", response_format="wav"
        )
        messages = [{"role": "user", "content": "When?"}]
        said = await api.chat.completions.create(model="x", messages=messages)  # type: ignore[arg-type]
        with pytest.raises(openai.BadRequestError, match="n: one answer"):
            await api.chat.completions.create(model="x", n=2, messages=messages)  # type: ignore[arg-type]
    assert listed == ["transcriber", "chat", "synthesizer"]
    assert word_errors(QUESTION_WORDS, heard.text) == 0
    assert speech.content[:4] == b"RIFF"
    assert said.choices[0].message.content == "It is noon."
    async with openai.AsyncOpenAI(base_url=f"{ray.url}/v1", api_key="x" * 16) as api:
        with pytest.raises(openai.AuthenticationError):
            await api.models.list()


@pytest.mark.usefixtures("_key")
def test_who_leaves_a_long_speech_leaves_its_replica_free(ray: RayServe) -> None:
    """The next one does not wait for the rest of what nobody hears."""
    synthesizer, voice = OpenAISynthesizer(f"{ray.url}/v1"), VoiceTraits(name="Kore")
    long = "It is noon, and the sun is high over the old town. " * 40
    began = monotonic()
    assert sum(len(chunk) for chunk in synthesizer.speak(long, voice))
    whole_s = monotonic() - began
    speech = synthesizer.speak(long, voice)
    assert len(next(chunk for chunk in speech if len(chunk)))
    speech.close()  # type: ignore[attr-defined]
    began = monotonic()
    assert sum(len(chunk) for chunk in synthesizer.speak("It is noon.", voice))
    assert monotonic() - began < whole_s / 2


def test_a_replica_dies_under_load_and_no_request_is_lost(ray: RayServe) -> None:
    """The client asks once; whatever is asked again is asked for behind the endpoints."""
    before = ray.replicas("transcriber")
    assert len(before) == 2
    api = openai.OpenAI(base_url=f"{ray.url}/v1", api_key=KEY, max_retries=0)
    all_ask, is_killed = threading.Barrier(TALKERS + 1, timeout=LIMIT_S), threading.Event()

    def ask_on() -> list[str]:
        """Until the replica is dead, and then some."""
        heard, left = [], AFTER
        while left:
            answer = api.audio.transcriptions.create(file=QUESTION, model="whisper-1")
            heard.append(answer.text)
            if len(heard) == 1:
                all_ask.wait()
            left -= is_killed.is_set()
        return heard

    with api, ThreadPoolExecutor(TALKERS) as talkers:
        answers = [talkers.submit(ask_on) for _ in range(TALKERS)]
        all_ask.wait()
        ray.kill(before[0])
        is_killed.set()
        heard = [text for each in answers for text in each.result(LIMIT_S)]
    print(f"{len(heard)} requests of {TALKERS} talkers, none lost")
    assert len(heard) > TALKERS * AFTER
    assert [text for text in heard if word_errors(QUESTION_WORDS, text)] == []
    # and Ray has put another one in its place
    assert before[0] not in ray.replicas("transcriber", other_than=before)


def test_what_is_too_much_is_refused_for_now(ray: RayServe) -> None:
    def ask(_: int) -> str | openai.APIStatusError:
        try:
            return api.audio.transcriptions.create(file=QUESTION, model="whisper-1").text
        except openai.APIStatusError as exc:
            return exc

    with (
        openai.OpenAI(base_url=f"{ray.url}/v1", api_key=KEY, max_retries=0) as api,
        ThreadPoolExecutor(FLOOD) as callers,
    ):
        heard = list(callers.map(ask, range(FLOOD)))
    refused = [each for each in heard if isinstance(each, openai.APIStatusError)]
    assert 0 < len(refused) <= FLOOD - WAITING
    assert {each.status_code for each in refused} == {503}
    assert all("retry-after" in each.response.headers for each in refused)
    answered = [each for each in heard if isinstance(each, str)]
    assert [text for text in answered if word_errors(QUESTION_WORDS, text)] == []


@pytest.mark.usefixtures("_key")
async def test_a_request_that_nobody_could_answer_is_an_error_in_words(ray: RayServe) -> None:
    transcriber = OpenAITranscriber(f"{ray.url}/v1")
    with pytest.raises(EngineError) as caught:
        await asyncio.to_thread(
            transcriber.transcribe_in_detail, np.zeros(0, np.float32), words=False, language="xx"
        )
    assert "Traceback" not in str(caught.value)
