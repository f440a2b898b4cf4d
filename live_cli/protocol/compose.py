"""The messages that a client sends, each made in one place. Pure.

Source: Live API reference (BidiGenerateContentClientMessage), §2.
"""

from collections.abc import Sequence
from typing import Final

from live_cli.protocol.messages import (
    ActivityEnd,
    ActivityStart,
    Blob,
    ClientContent,
    ClientMessage,
    Content,
    ContextUpdate,
    FunctionResponse,
    Part,
    RealtimeInput,
    Tool,
    ToolList,
    ToolResponse,
)
from live_cli.sample_rates import INPUT_SAMPLE_RATE

_MIME_TYPE: Final = f"audio/pcm;rate={INPUT_SAMPLE_RATE}"


def audio(pcm16: bytes) -> ClientMessage:
    """Sound from the near end: PCM16 little-endian mono at 16 kHz, of any length."""
    return ClientMessage(realtime_input=RealtimeInput(audio=Blob(data=pcm16, mime_type=_MIME_TYPE)))


def audio_stream_end() -> ClientMessage:
    """The microphone pauses for more than a second (automatic voice activity detection only)."""
    return ClientMessage(realtime_input=RealtimeInput(audio_stream_end=True))


def activity_start() -> ClientMessage:
    """The user begins to speak (manual activity only)."""
    return ClientMessage(realtime_input=RealtimeInput(activity_start=ActivityStart()))


def activity_end() -> ClientMessage:
    """The user has finished speaking, and the model answers (manual activity only)."""
    return ClientMessage(realtime_input=RealtimeInput(activity_end=ActivityEnd()))


def text(typed: str) -> ClientMessage:
    """Typed input that counts as user activity: it may interrupt, and asks for an answer."""
    return ClientMessage(realtime_input=RealtimeInput(text=typed))


def video(data: bytes, mime_type: str) -> ClientMessage:
    """An image of a camera or a screen: JPEG, PNG or WebP, at most one a second (§2.6)."""
    return ClientMessage(realtime_input=RealtimeInput(video=Blob(data=data, mime_type=mime_type)))


def turns(contents: list[Content], *, turn_complete: bool = True) -> ClientMessage:
    """Turns to append to the history; ``turn_complete`` asks for an answer."""
    content = ClientContent(turns=contents, turn_complete=turn_complete)
    return ClientMessage(client_content=content)


def shown(pictures: Sequence[Blob], words: str) -> ClientMessage:
    """A turn of the user: pictures, then what is said about them, if anything."""
    parts = [Part(inline_data=picture) for picture in pictures]
    said = [Part(text=words)] if words.strip() else []
    return turns([Content(role="user", parts=[*parts, *said])])


def tool_response(responses: list[FunctionResponse]) -> ClientMessage:
    """The results of function calls, each under the id of its call."""
    return ClientMessage(tool_response=ToolResponse(function_responses=responses))


def new_tools(tools: list[Tool]) -> ClientMessage:
    """The tools from now on, in place of all that were there (models since 3.8)."""
    return ClientMessage(context_update=ContextUpdate(tools=ToolList(tools=tools)))


def interruption() -> ClientMessage:
    """The least that interrupts the model and asks for no answer: a full stop, added to the turns.

    Content that adds nothing has no effect (reference §9). A full stop is what the frameworks send
    where they need a turn of the user without words (§2.9).
    """
    return turns([Content(role="user", parts=[Part(text=".")])], turn_complete=False)
