"""Records: what `json_lines` writes of each event, which lists their fields. Pure."""

import dataclasses
from typing import Any

from live_cli.protocol import events
from live_cli.protocol.messages import FunctionCall, ModalityTokenCount, UsageMetadata
from live_cli.ui.view import CallStatus, ImageStatus, Summary, TurnPlayback

Record = dict[str, Any]


def event_record(event: events.Event) -> Record | None:
    """Return the record of an event that needs nothing but the event; None where it has none."""
    match event:
        case events.InputTranscript():
            return {
                "type": "input_transcript",
                "text": event.text,
                "interim": event.interim,
                "finished": event.finished,
                "start_s": event.start_s,
                "end_s": event.end_s,
                **({"language": event.language} if event.language else {}),
                **({"words": [_word(word) for word in event.words]} if event.words else {}),
            }
        case events.OutputTranscript(turn, text, finished):
            return {"type": "output_transcript", "turn": turn, "text": text, "finished": finished}
        case events.TextChunk(turn, text):
            return {"type": "text", "turn": turn, "text": text}
        case events.Thought(turn, text):
            return {"type": "thought", "turn": turn, "text": text}
        case events.AnswerGrounded(turn=turn, metadata=metadata):
            return {"type": "grounding", "turn": turn, "grounding": metadata}
        case events.PagesRead(turn=turn, metadata=metadata):
            return {"type": "url_context", "turn": turn, "url_context": metadata}
        case events.CodeWritten(turn, code, language, id):
            return {"type": "code", "turn": turn, "id": id, "language": language, "code": code}
        case events.CodeRan(turn, output, outcome, id):
            told = {"id": id, "outcome": outcome, "output": output}
            return {"type": "code_result", "turn": turn, **told}
        case events.ToolCallRequested(calls):
            return {"type": "tool_call", "calls": [_call(call) for call in calls]}
        case events.ToolCallCancelled(ids):
            return {"type": "tool_call", "cancelled": ids}
        case events.GoingAway(time_left_s):
            return {"type": "go_away", "time_left_s": time_left_s}
        case events.SessionClosed(code, reason, turn_lost):
            return session_close_record(code, reason, turn_lost=turn_lost)
        case events.Stalled(silent_s):
            return {"type": "stalled", "silent_s": round(silent_s, 1)}
        case events.Reconnecting(lost):
            facts = {"code": lost.code, "reason": lost.reason, "turn_lost": lost.turn_lost}
            return {"type": "reconnecting", **facts}
        case events.Reconnected(restored):
            return {"type": "reconnected", "restored": restored}
        case _:
            return None


def tool_result_record(status: CallStatus, ended_s: float, begun_s: float | None) -> Record:
    return {
        "type": "tool_result",
        "id": status.key,
        "name": status.name,
        "state": status.state,
        "asked_t": round(max(ended_s - status.seconds, 0.0), 3),
        "begun_t": None if begun_s is None else round(begun_s, 3),
        "seconds": round(status.seconds, 3),
        "result": status.result,
    }


def images_record(status: ImageStatus) -> Record:
    names = ("role", "source", "state", "sent", "saved", "tokens")
    return {"type": "images", **{name: getattr(status, name) for name in names}}


def _word(word: events.HeardWord) -> Record:
    return {"word": word.text, "start_s": word.start_s, "end_s": word.end_s}


def playback_facts(playback: TurnPlayback | None) -> Record:
    names = (field.name for field in dataclasses.fields(TurnPlayback))
    return {name: None if playback is None else round(getattr(playback, name), 1) for name in names}


def session_close_record(code: int | None, reason: str | None, *, turn_lost: bool) -> Record:
    return {"type": "session_close", "code": code, "reason": reason, "turn_lost": turn_lost}


def _call(call: FunctionCall) -> Record:
    return {"id": call.id, "name": call.name, "args": call.args}


def usage_facts(usage: UsageMetadata) -> Record:
    return {
        "total": usage.total_token_count,
        "prompt": usage.prompt_token_count,
        "response": usage.response_token_count or None,
        "cached": usage.cached_content_token_count,
        "thoughts": usage.thoughts_token_count,
        "tool_use": usage.tool_use_prompt_token_count,
        "prompt_by_modality": _by_modality(usage.prompt_tokens_details),
        "response_by_modality": _by_modality(usage.response_tokens_details),
    }


def _by_modality(details: list[ModalityTokenCount] | None) -> dict[str, int]:
    return {entry.modality or "UNKNOWN": entry.token_count or 0 for entry in details or ()}


def summary_facts(summary: Summary) -> Record:
    fields = {field.name: getattr(summary, field.name) for field in dataclasses.fields(summary)}
    return {**fields, "tokens_by_modality": dict(summary.tokens_by_modality)}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
