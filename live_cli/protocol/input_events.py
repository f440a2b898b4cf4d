"""The events that a server's session makes of client messages, in the order to handle them.

One realtimeInput may carry several fields. The start of an activity comes before what belongs
to it, the ends come after (reference §2.6). Refusals carry close code 1007; the one wording that
is known to be the service's own is `EXPLICIT_ACTIVITY` (reference §5).
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.events import (
    ActivityEnded,
    ActivityStarted,
    AudioReceived,
    AudioStreamEnded,
    ContentReceived,
    ContextUpdated,
    Event,
    TextReceived,
    ToolResponseReceived,
    VideoReceived,
)
from live_cli.protocol.messages import (
    Blob,
    ClientContent,
    ClientMessage,
    FunctionResponse,
    Part,
    RealtimeInput,
    Setup,
)
from live_cli.protocol.wire import is_mono, sample_rate_of

EXPLICIT_ACTIVITY: Final = (
    "Explicit activity control is not supported when automatic activity detection is enabled."
)


def has_manual_activity(setup: Setup) -> bool:
    """Whether ``setup`` turns automatic voice activity detection off."""
    config = setup.realtime_input_config
    detection = config.automatic_activity_detection if config else None
    return bool(detection and detection.disabled)


def input_events(message: ClientMessage, *, manual_activity: bool) -> list[Event]:
    """Return the events of any client message but setup. Raises RemoteProtocolError."""
    if message.realtime_input is not None:
        return list(_realtime_events(message.realtime_input, manual_activity))
    if (content := message.client_content) is not None:
        return _content(content)
    if (response := message.tool_response) is not None:
        responses = [_with_scheduling(item) for item in response.function_responses or []]
        return [ToolResponseReceived(responses)]
    if (update := message.context_update) is not None:
        tools = None if update.tools is None else update.tools.tools or []
        return [ContextUpdated(update.system_instruction, tools)]
    return []


def _content(given: ClientContent) -> list[Event]:
    """Return nothing for content that adds nothing and asks for nothing.

    A widely copied client sends such content after every audio message, and is not interrupted by
    it (reference §9).
    """
    turns = given.turns or []
    parts = (part for turn in turns for part in turn.parts or ())
    if given.turn_complete or any(part not in _EMPTY_PARTS for part in parts):
        return [ContentReceived(turns, given.turn_complete)]
    return []


_EMPTY_PARTS: Final = (Part(), Part(text=""))


def _realtime_events(given: RealtimeInput, manual_activity: bool) -> Iterator[Event]:
    bounds = given.activity_start is not None or given.activity_end is not None
    if bounds and not manual_activity:
        raise RemoteProtocolError(EXPLICIT_ACTIVITY)
    if given.activity_start is not None:
        yield ActivityStarted()
    if given.audio is not None:
        yield from _audio(given.audio)
    if given.video is not None:
        yield _video(given.video)
    if given.text:
        yield TextReceived(given.text)
    if given.media_chunks:
        chunk = given.media_chunks[0]  # the service uses only the first
        yield from [_video(chunk)] if _is_image(chunk) else _audio(chunk)
    if given.audio_stream_end and not manual_activity:  # activityEnd marks the break there
        yield AudioStreamEnded()
    if given.activity_end is not None:
        yield ActivityEnded()


def _audio(blob: Blob) -> Iterator[Event]:
    kind = (blob.mime_type or "audio/pcm").partition(";")[0].strip().lower()
    if kind != "audio/pcm":
        raise RemoteProtocolError(f"Unsupported audio MIME type {kind[:40]!r}: send audio/pcm.")
    rate = sample_rate_of(blob.mime_type)
    if not is_mono(blob.mime_type):
        raise RemoteProtocolError("Audio of several channels is not taken: send mono.")
    if blob.data:
        yield AudioReceived(blob.data, rate)


def _video(blob: Blob) -> Event:
    if not _is_image(blob):
        kind = blob.mime_type or ""
        raise RemoteProtocolError(f"Unsupported video MIME type {kind[:40]!r}: send image/jpeg.")
    return VideoReceived(blob.data, blob.mime_type or "")


def _is_image(blob: Blob) -> bool:
    return (blob.mime_type or "").lower().startswith("image/")


def _with_scheduling(response: FunctionResponse) -> FunctionResponse:
    """Lift ``scheduling`` out of ``response``, where the guides put it, to its place beside it."""
    inner = (response.response or {}).get("scheduling")
    if response.scheduling is None and isinstance(inner, str):
        return replace(response, scheduling=inner)
    return response
