"""Transcribers and synthesizers by URL: the dialects of servers, dead ones, and giving up."""

import json
import socket
import struct
import threading
import time

import numpy as np
import pytest

from live_cli.audio.files.wav_header import wav_header
from live_cli.audio.pcm import pcm16_from_float
from live_cli.engine.backends.endpoint_addresses import AddressRotation, addresses_of
from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.stt.openai import OpenAITranscriber
from live_cli.engine.backends.tts.openai import OpenAISynthesizer
from live_cli.engine.stages import ChatMessage, ChatRequest, SpokenWord, VoiceTraits
from live_cli.errors import EngineError
from tests.harness.http_endpoint import Answered, http_endpoint

SECOND = np.zeros(16_000, np.float32)
LIMIT_S = 30.0
WORDS = [{"word": " Hello", "start": 0.1, "end": 0.4}, {"word": "you.", "start": 0.4, "end": 0.8}]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "TRANSCRIBER_API_KEY", "SYNTHESIZER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def as_json(status=200, **fields):
    return Answered(status, body=json.dumps(fields).encode())


def refused(status=400, said="no"):
    return as_json(status, error={"message": said})


def fields_of(asked):
    """The fields of a multipart form but for the file, by name."""
    boundary = asked.headers["Content-Type"].partition("boundary=")[2].encode()
    fields = {}
    for part in asked.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.split(b'name="')[1].split(b'"')[0].decode()
        fields[name] = value if name == "file" else value.decode()
    return fields


def dead_address():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


# --- transcribers ------------------------------------------------------------------------------


def whisper(fields):  # OpenAI's whisper-1, speaches
    words = WORDS if "timestamp_granularities[]" in fields else None
    return as_json(text=" Hello you.", language="english", words=words, duration=1.0)


def whisper_cpp(fields):
    return as_json(text="Hello you.", language="en", segments=[{"words": WORDS}])


def vllm(fields):
    if "timestamp_granularities[]" in fields:
        return refused(400, "words are not supported")
    return as_json(text="Hello you.", language="en", segments=[{"text": "Hello you."}])


def text_alone(fields):  # OpenAI's gpt-4o-transcribe
    if fields["response_format"] != "json":
        return refused(422, "response_format")
    return as_json(text="Hello you.")


TIMED = (SpokenWord("Hello", 0.1, 0.4), SpokenWord("you.", 0.4, 0.8))


@pytest.mark.parametrize(
    ("dialect", "language", "words", "asked"),
    [
        (whisper, "en", TIMED, 1),
        (whisper_cpp, "en", TIMED, 1),
        (vllm, "en", (), 2),
        (text_alone, None, (), 3),
    ],
)
def test_a_transcriber_takes_what_each_server_tells(dialect, language, words, asked):
    with http_endpoint(lambda request: dialect(fields_of(request))) as server:
        transcriber = OpenAITranscriber(f"{server.base}#some/model")
        heard = transcriber.transcribe_in_detail(SECOND, words=True)
        assert (heard.text, heard.language, heard.words) == ("Hello you.", language, words)
        assert len(server.asked) == asked
        transcriber.transcribe_in_detail(SECOND, words=True)
        assert len(server.asked) == asked + 1  # what was refused is not asked for again
        last = fields_of(server.asked[-1])
    assert server.asked[-1].path == "/v1/audio/transcriptions"
    assert last["model"] == "some/model"
    assert last["file"][:4] == b"RIFF"
    assert len(last["file"]) == 44 + 2 * len(SECOND)


def test_a_transcriber_sends_whisper_codes_and_reads_those_of_the_live_api():
    answers = iter(["german", "he", "tl", "Klingon", "zh"])
    with http_endpoint(lambda _: as_json(text="x", language=next(answers))) as server:
        transcriber = OpenAITranscriber(server.base)
        heard = [transcriber.transcribe_in_detail(SECOND, words=False) for _ in range(5)]
        assert [each.language for each in heard] == ["de", "iw", "fil", None, "zh"]
        server.answer = lambda _: as_json(text="x")
        for code in ("iw", "fil", "de-DE"):
            transcriber.transcribe_in_detail(SECOND, words=False, language=code)
    sent = [fields_of(asked)["language"] for asked in server.asked[-3:]]
    assert sent == ["he", "tl", "de"]
    assert "model" not in fields_of(server.asked[0])  # none was named


# --- synthesizers ------------------------------------------------------------------------------

TONE = (0.3 * np.sin(np.arange(24_000) / 10)).astype(np.float32)
LOW_TONE = TONE[:: 24_000 // 8_000]


def wav(samples, rate, size=None):
    data = pcm16_from_float(samples)
    return wav_header(len(data) if size is None else size, rate) + data


def in_odd_pieces(data):
    return [data[at : at + 1001] for at in range(0, len(data), 1001)]


@pytest.mark.parametrize(
    ("content_type", "body", "takes"),
    [
        ("audio/pcm", pcm16_from_float(TONE), ("pcm",)),
        ("audio/pcm", in_odd_pieces(pcm16_from_float(TONE)), ("pcm",)),
        ("audio/pcm;rate=8000", pcm16_from_float(LOW_TONE), ("pcm",)),
        ("application/octet-stream", in_odd_pieces(wav(TONE, 24_000)), ("pcm",)),
        ("audio/wav", in_odd_pieces(wav(LOW_TONE, 8_000, 0xFFFFFFFF)), ("wav",)),
    ],
)
def test_a_synthesizer_reads_sound_as_each_server_sends_it(content_type, body, takes):
    def answer(asked):
        if json.loads(asked.body)["response_format"] not in takes:
            return refused(422)
        return Answered(200, content_type, body)

    with http_endpoint(answer) as server:
        synthesizer = OpenAISynthesizer(f"{server.base}#kokoro/af_heart", ("Puck=am_puck",))
        for voice, named in (("Puck", "am_puck"), ("Kore", "af_heart")):
            heard = np.concatenate(list(synthesizer.speak("Hello.", VoiceTraits(name=voice))))
            assert len(heard) == pytest.approx(len(TONE), abs=16)
            assert np.abs(heard).max() == pytest.approx(0.3, abs=0.02)
            sent = json.loads(server.asked[-1].body)
            assert (sent["model"], sent["voice"], sent["input"]) == ("kokoro", named, "Hello.")
        asked = len(server.asked)
        assert list(synthesizer.speak(" ... ", VoiceTraits())) == []
    assert len(server.asked) == asked  # nothing to say, nobody to ask


def test_a_voice_without_a_name_behind_the_address_keeps_its_own():
    with http_endpoint(lambda _: Answered(200, "audio/pcm", bytes(480))) as server:
        list(OpenAISynthesizer(server.base).speak("Hi.", VoiceTraits(name="Leda", language="de")))
    sent = json.loads(server.asked[0].body)
    assert (sent["voice"], sent["language"]) == ("Leda", "de")


@pytest.mark.parametrize("body", [b"ID3\4" + bytes(99), b'{"url": "elsewhere"}', b"RI"])
def test_sound_that_is_not_read_is_said_in_words(body):
    with (
        http_endpoint(lambda _: Answered(200, "audio/mpeg", body)) as server,
        pytest.raises(EngineError, match="has to send PCM or WAV"),
    ):
        list(OpenAISynthesizer(f"{server.base}#v").speak("Hi.", VoiceTraits()))


# --- several addresses, errors, keys -----------------------------------------------------------


def test_addresses_are_used_in_turn_and_a_dead_one_is_tried_last_for_a_while():
    a, b, c = addresses = addresses_of("http://a/v1#m, openai:http://b/v1,http://c/v1#n", key="K")
    assert [each.name for each in addresses] == ["m", "m", "n"]
    rotation = AddressRotation(addresses)
    assert [rotation.in_order(0.0)[0] for _ in range(4)] == [a, b, c, a]

    def comes_last(now: float) -> bool:
        return all(rotation.in_order(now)[-1] == b for _ in addresses)

    rotation.failed(b, 0.0)
    assert comes_last(4.9)
    assert not comes_last(5.1)
    for _ in range(9):
        rotation.failed(b, 10.0)
    assert comes_last(69.0)
    assert not comes_last(70.1)
    rotation.worked(b)
    rotation.failed(b, 80.0)
    assert not comes_last(85.1)
    for each in (c, a, b):
        rotation.failed(each, 100.0)
    rotation.failed(c, 101.0)
    assert sorted(rotation.in_order(102.0)[:2], key=addresses.index) == [a, b]  # whose time is near
    assert rotation.in_order(102.0)[-1] == c


def test_an_address_that_is_back_takes_what_no_other_does():
    """One that was left out a moment ago, when the one that worked meanwhile is gone."""
    alive = threading.Event()

    def first(asked):
        return as_json(text="Hello.") if alive.is_set() else refused(500)

    with http_endpoint(first) as back:
        with http_endpoint(lambda _: as_json(text="Hello.")) as gone:
            transcriber = OpenAITranscriber(f"{back.base}#m,{gone.base}")
            assert [transcriber.transcribe(SECOND) for _ in range(3)] == ["Hello."] * 3
        alive.set()
        assert transcriber.transcribe(SECOND) == "Hello."


def test_a_transcript_that_breaks_off_is_asked_for_at_another_address():
    def cut():
        yield b'{"text": "Hel'
        raise BrokenPipeError

    with (
        http_endpoint(lambda _: Answered(body=iter(cut()))) as broken,
        http_endpoint(lambda _: as_json(text="Hello.")) as alive,
    ):
        transcriber = OpenAITranscriber(f"{broken.base}#m,{alive.base}")
        assert [transcriber.transcribe(SECOND) for _ in range(2)] == ["Hello."] * 2
        assert len(broken.asked) == 1


def test_one_dead_and_one_busy_address_cost_no_request():
    with (
        http_endpoint(lambda _: refused(503, "full")) as busy,
        http_endpoint(lambda _: as_json(text="Hello.")) as alive,
    ):
        spec = f"{dead_address()}#m,{busy.base},{alive.base}"
        transcriber = OpenAITranscriber(spec)
        assert [transcriber.transcribe(SECOND) for _ in range(6)] == ["Hello."] * 6
    assert len(alive.asked) == 6
    assert 1 <= len(busy.asked) < 6


def test_speech_that_breaks_off_goes_on_where_it_stopped_at_another_address():
    whole = struct.pack("<2400h", *range(2400))

    def cut():
        yield whole[:1000]
        raise BrokenPipeError

    with (
        http_endpoint(lambda _: Answered(200, "audio/pcm", iter(cut()))) as broken,
        http_endpoint(lambda _: Answered(200, "audio/pcm", whole)) as alive,
    ):
        synthesizer = OpenAISynthesizer(f"{broken.base}#v,{alive.base}")
        heard = np.concatenate(list(synthesizer.speak("Hello.", VoiceTraits())))
    assert np.array_equal(np.round(heard * 32768), np.arange(2400))


def test_failures_name_the_stage_the_host_and_what_to_do(monkeypatch):
    answers = {
        401: "refused the key.*TRANSCRIBER_API_KEY",
        404: "has no model 'm' there",
        307: "leads elsewhere",
        500: "HTTP 500: no",
        429: "is busy",
    }
    for status, words in answers.items():
        with (
            http_endpoint(lambda _, status=status: refused(status)) as server,
            pytest.raises(EngineError, match=f"the transcriber at 127.*{words}"),
        ):
            OpenAITranscriber(f"{server.base}#m").transcribe(SECOND)
    with pytest.raises(
        EngineError, match=r"cannot reach the transcriber at .*, nor at .*running\?"
    ):
        OpenAITranscriber(f"{dead_address()}#m,{dead_address()}").transcribe(SECOND)
    with (
        http_endpoint(lambda _: Answered(body=b"x" * 5_000_000)) as server,
        pytest.raises(EngineError, match="answered more than"),
    ):
        OpenAITranscriber(f"{server.base}#m").transcribe(SECOND)
    for spec in ("ftp://a/v1#m", "http://#m", "http://key@a/v1#m", "http://a:x/v1#m"):
        with pytest.raises(EngineError):
            OpenAITranscriber(spec)


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": "cloud"}, "Bearer cloud"),
        ({"OPENAI_API_KEY": "cloud", "TRANSCRIBER_API_KEY": "own"}, "Bearer own"),
        ({"OPENAI_API_KEY": "cloud", "TRANSCRIBER_API_KEY": ""}, None),
    ],
)
def test_a_key_of_the_stage_goes_before_the_shared_one(monkeypatch, variables, sent):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with http_endpoint(lambda _: as_json(text="x")) as server:
        OpenAITranscriber(server.base).transcribe(SECOND)
    assert server.asked[0].headers.get("Authorization") == sent


# --- giving up ---------------------------------------------------------------------------------


def endless(began, body):
    """Pieces that come until nobody takes them."""
    began.set()
    while True:
        yield body
        time.sleep(0.01)


def test_closing_speech_closes_the_connection_though_nothing_comes():
    began, wait = threading.Event(), threading.Event()

    def answer(asked):
        began.set()
        wait.wait(LIMIT_S)  # no head yet: a server that computes
        return Answered(200, "audio/pcm", endless(began, bytes(65_536)))

    with http_endpoint(answer) as server:
        speech = OpenAISynthesizer(f"{server.base}#v").speak("Hi.", VoiceTraits())
        assert len(next(speech)) == 0
        assert began.wait(LIMIT_S)
        speech.close()
        wait.set()
        assert server.broken.wait(LIMIT_S)


def test_a_chat_model_that_is_silent_is_stopped_all_the_same():
    wait, began = threading.Event(), threading.Event()

    def answer(asked):
        began.set()
        wait.wait(LIMIT_S)
        return Answered(200, "text/event-stream", endless(began, b": nothing\n\n" * 9000))

    with http_endpoint(answer) as server:
        model = OpenAIChatModel(f"{server.base}#m")
        model.generate(ChatRequest((ChatMessage("user", "Hi"),)), lambda _: began.is_set())
        wait.set()
        assert server.broken.wait(LIMIT_S)


def test_an_answer_that_breaks_off_is_an_error_and_no_short_speech():
    def cut(asked):
        return Answered(200, "audio/pcm", iter(_cut()))

    def _cut():
        yield struct.pack("<200h", *range(200))
        raise BrokenPipeError

    with (
        http_endpoint(cut) as server,
        pytest.raises(EngineError, match=r"synthesizer at 127.* broke off"),
    ):
        list(OpenAISynthesizer(f"{server.base}#v").speak("Hi.", VoiceTraits()))
