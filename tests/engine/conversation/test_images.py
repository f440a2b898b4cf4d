"""Images in sessions: what the chat model gets, what they cost, what is refused."""

from base64 import b64decode

import pytest

from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.backends.scripted import ScriptedChatModel
from live_cli.engine.engine import LiveEngine
from live_cli.errors import UnsupportedError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioStreamEnded,
    ContentReceived,
    TextReceived,
    VideoReceived,
)
from live_cli.protocol.messages import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Blob,
    Content,
    FileData,
    FunctionDeclaration,
    GenerationConfig,
    Part,
    RealtimeInputConfig,
    SessionResumptionConfig,
    Setup,
    Tool,
)
from tests.harness.chat_endpoint import chunk
from tests.harness.images import JPEG, PNG, jpeg, png
from tests.harness.scripted_session import ScriptedRegistry, silence, text_setup, utterance
from tests.harness.speech import speech_like

MANUAL = AutomaticActivityDetection(disabled=True)
ALL_VIDEO = "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"
ONLY_ACTIVITY = "TURN_INCLUDES_ONLY_ACTIVITY"


class SeeingChatModel(ScriptedChatModel):
    sees = True
    context_tokens = 8192


def coverage(turn_coverage, detection=None):
    return RealtimeInputConfig(automatic_activity_detection=detection, turn_coverage=turn_coverage)


def camera_image(number):
    return VideoReceived(jpeg(number), "image/jpeg")


async def film(harness, seconds, first=0, per_second=1):
    """Camera images at a steady rate, numbered on from ``first``."""
    for number in range(seconds * per_second):
        await harness.session.handle(camera_image(first + number))
        harness.time.now += 1 / per_second


def seen(request):
    """Return the numbers of the camera images in the last message of ``request``."""
    return [int.from_bytes(image.data[3:7], "big") for image in request.messages[-1].images]


def prompt_of(message):
    return {
        detail.modality: detail.token_count
        for detail in message.usage_metadata.prompt_tokens_details
    }


@pytest.mark.parametrize(
    ("turn_coverage", "numbers"), [(ONLY_ACTIVITY, [2, 3, 4]), (ALL_VIDEO, [0, 1, 2, 3, 4])]
)
async def test_camera_images_go_with_the_spoken_turn_by_its_coverage(
    connect, turn_coverage, numbers
):
    chat = SeeingChatModel(["A cup."])
    setup = text_setup(realtime_input_config=coverage(turn_coverage, MANUAL))
    harness = await connect(setup, ScriptedRegistry(chat))
    await film(harness, 3)
    await harness.session.handle(ActivityStarted())
    await harness.say(speech_like(1.0))
    await film(harness, 2, first=3)
    await harness.session.handle(ActivityEnded())
    await harness.shows("turnComplete+usage")
    [request] = chat.requests
    assert seen(request) == numbers
    assert request.messages[-1].text == "One."
    assert prompt_of(harness.messages[-1])["VIDEO"] == 258 * len(numbers)


async def test_detected_speech_takes_the_image_before_it_and_those_during_it(connect):
    chat = SeeingChatModel(["A cup."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    await film(harness, 3)
    await harness.say(speech_like(0.5))
    await film(harness, 2, first=3)
    await harness.say(silence(1.0))
    await harness.shows("turnComplete+usage")
    assert seen(chat.requests[0]) == [2, 3, 4]


async def test_a_camera_image_is_shown_once_and_stays_in_the_history(connect):
    chat = SeeingChatModel(["A cup.", "Red."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    await film(harness, 1)
    await harness.session.handle(TextReceived("What is this?"))
    await harness.shows("turnComplete+usage")
    await harness.session.handle(TextReceived("Which colour?"))
    await harness.shows("turnComplete+usage", 2)
    first, answer, second = chat.requests[1].messages
    assert (len(first.images), answer.images, second.images) == (1, (), ())
    assert [prompt_of(harness.messages[-1])["VIDEO"]] == [258]


async def test_what_a_function_answers_takes_no_image_of_the_users(connect):
    chat = SeeingChatModel(["call:lock", "Locking.", "Locked.", "A cup."])
    lock = FunctionDeclaration(name="lock", behavior="NON_BLOCKING")
    setup = text_setup(tools=[Tool(function_declarations=[lock])])
    harness = await connect(setup, ScriptedRegistry(chat))
    await harness.ask("Lock it.")
    await harness.shows("turnComplete+usage")
    await film(harness, 2)
    await harness.answer(0, "done")
    await harness.shows("turnComplete+usage", 2)
    assert not any(message.images for message in chat.requests[-1].messages)
    await harness.ask("What do you see?")
    await harness.shows("turnComplete+usage", 3)
    assert seen(chat.requests[-1]) == [1]


async def test_noise_takes_no_image(connect):
    chat = SeeingChatModel(["A cup."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    await harness.say(speech_like(0.15))
    await film(harness, 3)
    await harness.say(silence(1.0))
    assert chat.requests == []
    await film(harness, 2, first=3)
    await harness.session.handle(TextReceived("Now?"))
    await harness.shows("turnComplete+usage")
    assert seen(chat.requests[0]) == [4]


async def test_ten_images_a_second_do_not_blow_the_context(connect):
    chat = SeeingChatModel(["A cup."])
    setup = text_setup(realtime_input_config=coverage(ALL_VIDEO))
    harness = await connect(setup, ScriptedRegistry(chat))
    for turn in range(4):
        await film(harness, 30, first=300 * turn, per_second=10)
        await harness.ask("What do you see?")
        await harness.shows("turnComplete+usage", turn + 1)
        shown = seen(chat.requests[-1])
        assert 4 <= len(shown) <= 31
        assert shown[-1] >= 300 * turn + 290  # the newest second is among them
    prompts = [
        prompt_of(message)["VIDEO"] for message in harness.messages if message.usage_metadata
    ]
    assert max(prompts) <= 0.8 * chat.context_tokens
    assert len(chat.requests[-1].messages) == 7  # no text had to go


@pytest.mark.parametrize(
    ("resolution", "tokens", "detail"),
    [
        ("MEDIA_RESOLUTION_LOW", 64, "low"),
        ("MEDIA_RESOLUTION_MEDIUM", 256, "auto"),
        ("MEDIA_RESOLUTION_HIGH", 256, "high"),
        (None, 258, "auto"),
    ],
)
async def test_media_resolution_changes_prompt_tokens_and_detail(
    connect, resolution, tokens, detail
):
    chat = SeeingChatModel(["Red."])
    generation = GenerationConfig(response_modalities=["TEXT"], media_resolution=resolution)
    harness = await connect(
        Setup(model="local", generation_config=generation), ScriptedRegistry(chat)
    )
    await harness.session.handle(camera_image(1))
    parts = [Part(inline_data=Blob(data=PNG, mime_type="image/png")), Part(text="Which colour?")]
    await harness.session.handle(ContentReceived([Content(role="user", parts=parts)], True))
    await harness.shows("turnComplete+usage")
    prompt = prompt_of(harness.messages[-1])
    assert (prompt["IMAGE"], prompt["VIDEO"]) == (tokens, tokens)
    images = chat.requests[0].messages[-1].images
    assert [image.detail for image in images] == [detail] * 2


async def test_an_image_that_comes_again_is_kept_once(connect):
    chat = SeeingChatModel(["Red."])
    harness = await connect(
        text_setup(realtime_input_config=coverage(ALL_VIDEO)), ScriptedRegistry(chat)
    )
    for number in (1, 2, 1, 1):
        await harness.session.handle(camera_image(number))
        harness.time.now += 1
    parts = [Part(inline_data=Blob(data=jpeg(1), mime_type="image/jpeg"))]
    await harness.session.handle(ContentReceived([Content(role="user", parts=parts)], True))
    await harness.shows("turnComplete+usage")
    images = [image for message in chat.requests[0].messages for image in message.images]
    assert seen(chat.requests[0]) == [1, 1, 2, 1, 1]
    assert len({id(image.data) for image in images}) == 3  # two of the camera, one of the turn
    prompt = prompt_of(harness.messages[-1])
    assert (prompt["IMAGE"], prompt["VIDEO"]) == (258, 4 * 258)


async def test_the_tokens_that_a_model_reads_of_an_image_bound_its_images(connect):
    class Thorough(SeeingChatModel):
        image_tokens = 2000

    chat = Thorough(["Red."])
    harness = await connect(
        text_setup(realtime_input_config=coverage(ALL_VIDEO)), ScriptedRegistry(chat)
    )
    await film(harness, 20)
    await harness.ask("What do you see?")
    await harness.shows("turnComplete+usage")
    assert seen(chat.requests[0]) == [17, 18, 19]  # 8,192 tokens of context, a fifth for the answer


async def test_a_resumed_session_remembers_what_it_was_shown(connect):
    chat = SeeingChatModel(["Red."])
    engine = LiveEngine(registry=ScriptedRegistry(chat))
    harness = await connect(text_setup(session_resumption=SessionResumptionConfig()), engine=engine)
    await harness.session.handle(camera_image(7))
    await harness.ask("Which colour?")
    await harness.shows("resumption")
    handle = harness.messages[-1].session_resumption_update.new_handle
    again = text_setup(session_resumption=SessionResumptionConfig(handle=handle))
    resumed = await connect(again, engine=engine)
    await resumed.ask("And now?")
    await resumed.shows("turnComplete+usage")
    assert len(chat.requests[-1].messages[0].images) == 1


async def test_a_model_without_vision_says_what_to_do(connect):
    turn = Content(role="user", parts=[Part(inline_data=Blob(data=PNG, mime_type="image/png"))])
    harness = await connect(text_setup())
    with pytest.raises(UnsupportedError, match=r"cannot see: .*openai:URL#MODEL") as refused:
        await harness.session.handle(ContentReceived([turn], True))
    assert refused.value.close_code == 1007
    assert len(refused.value.reason.encode()) <= 123


@pytest.mark.parametrize("image", [JPEG, PNG, b"", b"no image"], ids=["jpeg", "png", "empty", "no"])
async def test_the_camera_of_a_model_that_cannot_see_is_dropped_with_one_line(
    connect, caplog, image
):
    chat = ScriptedChatModel(["Yes."])
    harness = await connect(text_setup(), ScriptedRegistry(chat))
    assert not harness.session.takes_video
    for number in range(10):
        await harness.session.handle(VideoReceived(image, "image/jpeg"))
        await harness.say(utterance() if number == 5 else silence(0.1))
    await harness.shows("turnComplete+usage")
    assert harness.texts() == ["Yes."]
    assert [m.images for m in chat.requests[0].messages] == [()] * len(chat.requests[0].messages)
    [line] = [record.message for record in caplog.records if "camera" in record.message]
    assert "cannot see" in line


async def test_the_camera_of_a_transcription_is_dropped_with_one_line(connect, caplog):
    harness = await connect(Setup(model="models/gemini-3.5-transcribe-live"))
    assert not harness.session.takes_video
    for _ in range(5):
        await harness.session.handle(VideoReceived(JPEG, "image/jpeg"))
    await harness.say(utterance())
    await harness.session.handle(AudioStreamEnded())
    await harness.until(lambda each: each.heard() == ["One."])
    assert len([record for record in caplog.records if "camera" in record.message]) == 1


@pytest.mark.parametrize(
    ("role", "part", "words"),
    [
        ("user", Part(file_data=FileData(file_uri="u", mime_type="image/png")), "inlineData"),
        ("user", Part(inline_data=Blob(data=b"%PDF", mime_type="application/pdf")), "not read"),
        ("model", Part(inline_data=Blob(data=b"\0\0", mime_type="audio/pcm")), "of the user"),
        ("user", Part(inline_data=Blob(data=JPEG, mime_type="image/png")), "is image/jpeg"),
        ("user", Part(inline_data=Blob(data=PNG)), "type ''"),
        ("model", Part(inline_data=Blob(data=PNG, mime_type="image/png")), "of the user"),
    ],
)
@pytest.mark.parametrize("chat", [SeeingChatModel, ScriptedChatModel])
async def test_what_is_no_image_of_the_users_is_refused(connect, role, part, words, chat):
    harness = await connect(text_setup(), ScriptedRegistry(chat()))
    with pytest.raises(UnsupportedError, match=words) as refused:
        await harness.session.handle(ContentReceived([Content(role=role, parts=[part])], True))
    assert len(refused.value.reason.encode()) <= 123


async def test_an_image_reaches_the_endpoint_byte_by_byte(connect, endpoint):
    colours = {png(255, 0, 0): "Red.", png(0, 0, 255): "Blue."}

    def answer(body):
        *_, image, words = body["messages"][-1]["content"]
        assert words["type"] == "text"
        url = image["image_url"]["url"]
        return [chunk(colours[b64decode(url.removeprefix("data:image/png;base64,"))]), "[DONE]"]

    endpoint.answer = answer
    setup = Setup(model="models/local", output_audio_transcription=AudioTranscriptionConfig())
    harness = await connect(setup, ScriptedRegistry(OpenAIChatModel(endpoint.spec)))
    for image, colour in colours.items():
        await harness.session.handle(VideoReceived(image, "image/png"))
        await harness.say(utterance())
        await harness.until(lambda harness, colour=colour: harness.said().endswith(colour))
        await harness.until(lambda harness: bool(harness.time.sleepers))
        harness.time.advance(60)
    assert harness.said() == "Red.Blue."


async def test_an_endpoint_that_refuses_the_image_ends_the_session_by_a_sentence(connect, endpoint):
    endpoint.answer = lambda body: (400, '{"error": {"message": "no image input"}}')
    harness = await connect(text_setup(), ScriptedRegistry(OpenAIChatModel(endpoint.spec)))
    await harness.session.handle(VideoReceived(PNG, "image/png"))
    await harness.ask("Which colour?")
    failure = await harness.session.failed()
    assert isinstance(failure, UnsupportedError)  # 1007: trying again does not help
    assert str(failure).startswith("qwen3 refused a request with images (HTTP 400): does it see?")
