"""The checklist of the guide, rows 10 and 11: affective dialog and proactive audio."""

from live_cli.engine.backends.scripted import ScriptedChatModel, ScriptedTranscriber
from live_cli.engine.setup.config import AFFECTIVE_STYLE
from tests.checklist.server import ALPHA, BETA, NATIVE_AUDIO, TRANSCRIBED, running, said, sound
from tests.harness.scripted_session import ScriptedRegistry, utterance

CHATTER = "The train to Berlin was late again."
QUESTION = "What is the capital of France?"


def unknown(name: str, parent: str) -> tuple[int, str]:
    """How a field is refused that is in v1alpha only."""
    return 1007, (
        f"Invalid JSON payload received. Unknown name \"{name}\" at '{parent}': Cannot find field."
    )


async def test_row_10_affective_dialog() -> None:
    instructions = {}
    for wanted in (True, False):
        chat = ScriptedChatModel(["Oh!"])
        generation = {"responseModalities": ["AUDIO"], "enableAffectiveDialog": wanted}
        async with (
            running(ScriptedRegistry(chat)) as server,
            server.connect(NATIVE_AUDIO, ALPHA, generationConfig=generation) as client,
        ):
            await client.ask("Hello")
            assert len(sound(await client.turn())) > 0
            early = await server.refusal(NATIVE_AUDIO, BETA, generationConfig=generation)
            assert early == unknown("enable_affective_dialog", "setup.generation_config")
        instructions[wanted] = chat.requests[0].messages[0].text
    assert AFFECTIVE_STYLE in instructions[True]
    assert AFFECTIVE_STYLE not in instructions[False]


async def test_row_11_proactive_audio() -> None:
    chat = ScriptedChatModel(["Paris."])
    registry = ScriptedRegistry(chat, ScriptedTranscriber([CHATTER, QUESTION]))
    async with (
        running(registry) as server,
        server.connect(
            NATIVE_AUDIO, ALPHA, proactivity={"proactiveAudio": True}, **TRANSCRIBED
        ) as client,
    ):
        early = await server.refusal(NATIVE_AUDIO, BETA, proactivity={"proactiveAudio": True})
        assert early == unknown("proactivity", "setup")
        await client.say(utterance())
        chatter = await client.turn()
        await client.say(utterance())
        question = await client.turn()
    assert len(sound(chatter)) == 0
    assert said(chatter) == ""
    assert said(question) == "Paris."
    assert len(sound(question)) > 0
