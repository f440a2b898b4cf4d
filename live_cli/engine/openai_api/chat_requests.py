"""Chat completions of OpenAI's API: a request's JSON read, deltas as the chunks of a stream. Pure.

What a request asks for and is not done here is refused in words, never left out in silence.
"""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any, Final

from live_cli.engine.stages import (
    NO_PARAMETERS,
    ChatDelta,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    FinishReason,
    Image,
    Sampling,
    ToolDeclaration,
    ToolUse,
)
from live_cli.errors import UnsupportedError

_ROLES: Final = {
    "system": "system", "developer": "system", "user": "user", "assistant": "assistant",
    "tool": "tool",
}  # fmt: skip
_MOST_MESSAGES: Final = 10_000
_NOT_DONE: Final = ("stop", "logprobs", "logit_bias", "audio", "functions", "function_call")
_FINISH: Final = {
    FinishReason.WHOLE: "stop",
    FinishReason.CUT: "length",
    FinishReason.MALFORMED_CALL: "stop",
}


def chat_request_of(body: dict[str, Any], salt: str = "") -> ChatRequest:
    """Return the request that ``body`` makes. Raises UnsupportedError for what is not done here."""
    _refuse(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= _MOST_MESSAGES:
        raise UnsupportedError(f"messages: a list of 1 to {_MOST_MESSAGES} is needed.")
    tools = () if body.get("tool_choice") == "none" else tuple(map(_tool, body.get("tools") or ()))
    return ChatRequest(tuple(map(_message, messages)), _sampling(body), tools, salt)


def _refuse(body: dict[str, Any]) -> None:
    for name in _NOT_DONE:
        if body.get(name):
            raise UnsupportedError(f"{name} is not done here: leave it out.")
    if body.get("n") not in (None, 1):
        raise UnsupportedError("n: one answer to a request is all that is given here.")
    if body.get("tool_choice") not in (None, "auto", "none"):
        raise UnsupportedError("tool_choice: auto or none; the model cannot be made to call.")
    asked = body.get("response_format")
    if asked is not None and (not isinstance(asked, dict) or asked.get("type") != "text"):
        raise UnsupportedError("response_format: text alone is given here.")


def _message(found: Any) -> ChatMessage:
    role = _ROLES.get(str(found.get("role"))) if isinstance(found, dict) else None
    if role is None:
        raise UnsupportedError(f"messages: a role is one of {', '.join(_ROLES)}.")
    text, images = _content(found.get("content"))
    call_id = found.get("tool_call_id")
    return ChatMessage(
        role,
        text,
        images,
        tuple(map(_call, found.get("tool_calls") or ())),
        str(call_id) if call_id is not None else None,
    )


def _content(found: Any) -> tuple[str, tuple[Image, ...]]:
    if found is None or isinstance(found, str):
        return found or "", ()
    texts: list[str] = []
    images: list[Image] = []
    for each in found if isinstance(found, list) else [None]:
        part = each if isinstance(each, dict) else {}
        kind, text, image = part.get("type"), part.get("text"), part.get("image_url")
        if kind == "text" and isinstance(text, str):
            texts.append(text)
        elif kind == "image_url" and isinstance(image, dict):
            images.append(_image(image))
        else:
            raise UnsupportedError("messages: content is text, or parts of text and image_url.")
    return "\n".join(texts), tuple(images)


def _image(found: dict[str, Any]) -> Image:
    head, comma, data = str(found.get("url")).partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise UnsupportedError("image_url: a data: URL in base64; nothing is fetched from here.")
    try:
        content = b64decode(data, validate=True)
    except (Base64Error, ValueError):
        raise UnsupportedError("image_url: its data is not base64.") from None
    mime_type = head.removeprefix("data:").removesuffix(";base64")
    return Image(content, mime_type, str(found.get("detail") or "auto"))


def _call(found: Any) -> ToolUse:
    try:
        function = found["function"]
        arguments = json.loads(function.get("arguments") or "{}")
        if isinstance(arguments, dict):
            return ToolUse(str(found.get("id") or ""), str(function["name"]), arguments)
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    raise UnsupportedError("tool_calls: each has a function, with its arguments as a JSON object.")


def _tool(found: Any) -> ToolDeclaration:
    function = found.get("function") if isinstance(found, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise UnsupportedError("tools: functions alone are called here, each with a name.")
    parameters = function.get("parameters") or NO_PARAMETERS
    if not isinstance(parameters, dict):
        raise UnsupportedError("tools: the parameters of a function are a JSON schema.")
    return ToolDeclaration(function["name"], str(function.get("description") or ""), parameters)


def _sampling(body: dict[str, Any]) -> Sampling:
    template = body.get("chat_template_kwargs")
    unthinking = isinstance(template, dict) and template.get("enable_thinking") is False
    most = body.get("max_completion_tokens", body.get("max_tokens"))
    return Sampling(
        max_tokens=_whole("max_tokens", most, 1),
        temperature=_number(body, "temperature", 0, 2),
        top_p=_number(body, "top_p", 0, 1),
        top_k=_whole("top_k", body.get("top_k"), 0),
        seed=_whole("seed", body.get("seed"), -(2**63)),
        presence_penalty=_number(body, "presence_penalty", -2, 2),
        frequency_penalty=_number(body, "frequency_penalty", -2, 2),
        thinking_budget=0 if unthinking or body.get("reasoning_effort") == "none" else None,
    )


def _number(body: dict[str, Any], name: str, least: float, most: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
        return float(value)
    raise UnsupportedError(f"{name}: a number from {least} to {most}.")


def _whole(name: str, value: Any, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63:
        return value
    raise UnsupportedError(f"{name}: a whole number from {least} on.")


def delta_of(delta: ChatDelta, calls: int) -> dict[str, Any]:
    """Return ``delta`` as a chunk's; ``calls``: how many function calls came before."""
    if delta.call is not None:
        call = {
            "index": calls,
            "id": delta.call.id or f"call_{calls}",
            "type": "function",
            "function": {
                "name": delta.call.name,
                "arguments": json.dumps(delta.call.arguments),
            },
        }
        return {"tool_calls": [call]}
    return {"reasoning_content" if delta.thought else "content": delta.text}


def finish_of(usage: ChatUsage, calls: int) -> str:
    """Return a choice's ``finish_reason``."""
    return "tool_calls" if calls else _FINISH[usage.finish_reason]


def usage_of(usage: ChatUsage) -> dict[str, Any]:
    """Return the counts as OpenAI's API tells them."""
    completion = usage.reply_tokens + usage.thought_tokens
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": usage.prompt_tokens + completion,
        "completion_tokens_details": {"reasoning_tokens": usage.thought_tokens},
    }
