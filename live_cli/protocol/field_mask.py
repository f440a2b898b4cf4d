"""The setup of a session of which an ephemeral token decides some fields, by the token's mask.

| the token's setup | mask   | the session's setup                                            |
|-------------------|--------|----------------------------------------------------------------|
| absent            | empty  | the client's                                                   |
| present           | empty  | the token's, entirely                                          |
| any               | fields | the masked fields are the token's, also where it has none; the |
|                   |        | rest are the client's                                          |

Two things are no configuration, and stay the client's: the model, where the token names none, and
the handle of a session to resume, where the session resumes at all.

A path is read in both spellings; a lone name that only ``generationConfig`` has is meant there.
Source: Live API reference, §4.13.
"""

from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from live_cli.errors import RemoteProtocolError
from live_cli.protocol.messages import GenerationConfig, Message, SessionResumptionConfig, Setup
from live_cli.protocol.wire import shape_of

FieldPath = tuple[str, ...]
_GENERATION: FieldPath = ("generation_config",)


def read_mask(text: str) -> tuple[FieldPath, ...]:
    """Parse a mask such as ``"model,generationConfig.topK"`` into paths in snake_case.

    Raises RemoteProtocolError, which names a path that no setup has.
    """
    named = (part.strip() for part in text.split(","))
    return tuple(dict.fromkeys(_path(part) for part in named if part))


def effective_setup(client: Setup, token: Setup | None, mask: tuple[FieldPath, ...]) -> Setup:
    """Return the setup of the session, by the table above."""
    if token is None and not mask:
        return client
    source = token or Setup()
    setup = source
    if mask:
        setup = client
        for path in mask:
            setup = _overlaid(setup, source, path)
    if not setup.model:
        setup = replace(setup, model=client.model)
    return _resuming(setup, client)


def _resuming(setup: Setup, client: Setup) -> Setup:
    own, theirs = setup.session_resumption, client.session_resumption
    if own is None or own.handle or theirs is None or not theirs.handle:
        return setup
    resumption = SessionResumptionConfig(handle=theirs.handle, transparent=own.transparent)
    return replace(setup, session_resumption=resumption)


def _path(text: str) -> FieldPath:
    spelled = text.split(".")
    if spelled[0] not in _fields(Setup) and spelled[0] in _fields(GenerationConfig):
        return _GENERATION + _resolved(GenerationConfig, spelled, text)
    return _resolved(Setup, spelled, text)


def _resolved(kind: type[Message], spelled: list[str], text: str) -> FieldPath:
    path: list[str] = []
    holder: type[Message] | None = kind
    for name in spelled:
        if holder is None or name not in _fields(holder):
            raise RemoteProtocolError(f"Invalid value at 'field_mask': no field {text[:60]!r}.")
        field = _fields(holder)[name]
        path.append(field.name)
        shape, inner = shape_of(field.type)
        holder = None if shape is list else inner
    return tuple(path)


def _overlaid(base: Message, top: Message | None, path: FieldPath) -> Any:
    """Return ``base`` with the one field at ``path`` as it is in ``top``, set or not."""
    name, *rest = path
    value: Any = getattr(top, name) if top is not None else None
    if rest:
        below = getattr(base, name)
        if below is None and value is None:
            return base
        empty = type(value)() if below is None else below
        value = _overlaid(empty, value, tuple(rest))
    elif value is None:
        value = _fields(type(base))[name].default
    return replace(base, **{name: value})


@cache
def _fields(kind: type[Message]) -> dict[str, msgspec.structs.FieldInfo]:
    """Return the fields of ``kind`` by both of their spellings."""
    fields = msgspec.structs.fields(kind)
    return {spelling: field for field in fields for spelling in (field.encode_name, field.name)}
