"""JSON <-> messages, for both sides: the one file that knows spellings and base64.

What goes out is proto-JSON as the service itself writes it: camelCase names, standard base64,
no defaults, compact, and ASCII alone, for some clients decode it as such. What comes in is
proto-JSON as its clients really write it:

- camelCase and snake_case names at every level; of two spellings of one field the last wins,
- a single value where a list is meant is a list of one,
- ``null`` is "not set"; so is ``false`` for a message, and ``true`` is an empty one,
- standard and URL-safe base64, with or without padding and line breaks,
- numbers as strings, integers as integral floats,
- enum values by number, by name in any case, and ones we do not know,
- fields we do not know are ignored (`find_unknown_fields` lists them, for a strict server),
- what users put under ``args``, ``response`` and JSON schemas is never renamed.

Nearly every payload is already canonical, and audio always is, so `msgspec` decodes it straight
into Structs. A payload with an underscore in it, or one that the straight way refuses, is parsed
to plain objects, walked along the Structs' own types, and converted. The outcome is the same by
either way; only the price differs (a 40 ms audio message: 3 µs against 9).

Source: Live API reference, §2.0 and §3.0.
"""

import re
from collections.abc import Callable
from functools import cache
from math import isfinite
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

from live_cli.errors import LocalProtocolError, RemoteProtocolError
from live_cli.protocol.enum_numbers import ENUM_NAMES, named
from live_cli.protocol.messages import (
    AuthToken,
    ClientMessage,
    CountTokensRequest,
    Message,
    ServerMessage,
)
from live_cli.sample_rates import INPUT_SAMPLE_RATE


def _finite(text: str) -> float:
    """Return a number with a fraction or an exponent. Raises ValueError beyond a double's range.

    msgspec's own conversion takes 20 times as long for numbers that a double holds just about
    (``1.2345678901234567e-300``: 8 µs).
    """
    number = float(text)
    if not isfinite(number):
        raise ValueError("Number out of range")
    return number


_encoder: Final = msgspec.json.Encoder()
_client_decoder: Final = msgspec.json.Decoder(ClientMessage, strict=False, float_hook=_finite)
_server_decoder: Final = msgspec.json.Decoder(ServerMessage, strict=False, float_hook=_finite)
_token_decoder: Final = msgspec.json.Decoder(AuthToken, strict=False, float_hook=_finite)
_count_decoder: Final = msgspec.json.Decoder(CountTokensRequest, strict=False, float_hook=_finite)
_plain_decoder: Final = msgspec.json.Decoder(float_hook=_finite)

_DECODING_ERRORS: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
_ENCODING_ERRORS: Final = (TypeError, ValueError, OverflowError, RecursionError)

MOST_UNKNOWN: Final = 16
"""Unknown fields named of one payload: more than anybody reads."""

_M = TypeVar("_M", ClientMessage, ServerMessage, AuthToken, CountTokensRequest)


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """Return the payload of ``message``. Raises LocalProtocolError for data without a JSON form."""
    try:
        payload = _encoder.encode(message)
    except _ENCODING_ERRORS as exc:
        raise LocalProtocolError(f"This message has no JSON form: {exc}.") from exc
    return payload if payload.isascii() else _escaped(payload)


def _escaped(payload: bytes) -> bytes:
    """Return JSON with ``\\uXXXX`` for what is beyond ASCII, which only strings hold."""
    return _BEYOND_ASCII.sub(_escape, payload.decode()).encode("ascii")


_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def decode_client(payload: bytes | str) -> ClientMessage:
    """Decode an envelope with exactly one client message. Raises RemoteProtocolError only."""
    message = _decode(payload, ClientMessage, _client_decoder)
    present = [name for name in _ENVELOPE if getattr(message, name) is not None]
    if len(present) != 1:
        raise RemoteProtocolError(_envelope_complaint(payload, present))
    return message


def decode_server(payload: bytes | str) -> ServerMessage:
    """Decode a server message, empty if the payload is. Raises RemoteProtocolError only."""
    if not payload:
        return ServerMessage()
    return _decode(payload, ServerMessage, _server_decoder)


def decode_auth_token(body: bytes) -> AuthToken:
    """Decode a token request; an empty body is all defaults. Raises RemoteProtocolError only."""
    return _decode(body, AuthToken, _token_decoder) if body.strip() else AuthToken()


def decode_count_request(body: bytes) -> CountTokensRequest:
    """Decode a request to count tokens. Raises RemoteProtocolError only."""
    return _decode(body, CountTokensRequest, _count_decoder)


def find_unknown_fields(payload: bytes | str, kind: type[Message] = ClientMessage) -> list[str]:
    """Return dotted paths of the fields that no message has, such as ``setup.tools[0].newTool``.

    Of more than `MOST_UNKNOWN` only the first are returned. Parents are spelled in snake_case, as
    the service spells them in its complaints; the last name is spelled as it was sent. Raises
    RemoteProtocolError when the payload is no JSON object.
    """
    return _unknown_in(_plain_object(payload), kind, MOST_UNKNOWN)


def unknown_field_reason(path: str) -> str:
    """Return the service's complaint about one path of `find_unknown_fields`."""
    parent, _, name = path.rpartition(".")
    place = f" at '{parent}'" if parent else ""
    return f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'


# --- durations and MIME types ------------------------------------------------------------------

_DURATION: Final = re.compile(r"(-?[0-9]{1,12}(?:\.[0-9]{1,9})?)s")
_RATE: Final = re.compile(r';\s*rate\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_CHANNELS: Final = re.compile(r';\s*channels\s*=\s*"?([^";\s]*)', re.IGNORECASE)
_RATES: Final = range(8_000, 192_001)
"""Hz, from the telephone's to the highest that sound devices have."""
_LONGEST_MIME_TYPE: Final = 256
"""Characters: twice the longest name (RFC 6838, 4.2). A search takes 20 ms for a million spaces."""


def parse_duration(text: str | None) -> float | None:
    """Return the seconds of a proto duration such as ``"9.5s"``; None when absent or unreadable."""
    match = _DURATION.fullmatch(text) if text else None
    return float(match[1]) if match else None


def format_duration(seconds: float) -> str:
    """Return seconds as a proto duration, such as ``"9.5s"``: at most nanoseconds, no exponent."""
    digits = f"{seconds:.9f}".rstrip("0").rstrip(".")
    return f"{'0' if digits in ('', '-0') else digits}s"


def sample_rate_of(mime_type: str | None, default: int = INPUT_SAMPLE_RATE) -> int:
    """Return the Hz that ``audio/pcm;rate=N`` names, or ``default`` where no rate is named.

    Raises RemoteProtocolError for a rate that is no number or no rate of sound, and for a type of
    more than 256 characters.
    """
    if mime_type and len(mime_type) > _LONGEST_MIME_TYPE:
        raise RemoteProtocolError(f"A MIME type may have {_LONGEST_MIME_TYPE} characters.")
    match = _RATE.search(mime_type) if mime_type else None
    if match is None:
        return default
    digits = match[1]
    if digits.isascii() and digits.isdigit() and len(digits) < 9 and int(digits) in _RATES:
        return int(digits)
    raise RemoteProtocolError(
        f"Unsupported sample rate in the audio MIME type: send {_RATES[0]} to {_RATES[-1]} Hz."
    )


def is_mono(mime_type: str | None) -> bool:
    """Return whether ``audio/pcm;channels=N`` names one channel, or none, in 256 characters."""
    match = _CHANNELS.search(mime_type, 0, _LONGEST_MIME_TYPE) if mime_type else None
    return match is None or match[1] == "1"


# --- the two ways in ---------------------------------------------------------------------------


def _decode(payload: bytes | str, kind: type[_M], decoder: "msgspec.json.Decoder[_M]") -> _M:
    if not _may_hold_underscore(payload):
        try:
            return decoder.decode(payload)
        except _DECODING_ERRORS:
            pass  # the walk below forgives more, and words the error
    canonical = _canonical(_plain_object(payload), kind)
    try:
        return msgspec.convert(canonical, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise RemoteProtocolError(_invalid_value(str(exc))) from exc


def _may_hold_underscore(payload: bytes | str) -> bool:
    # One-byte searches cost 0.1 µs on an audio message (0.2 by `in`), the six-byte one 2 µs.
    if isinstance(payload, str):
        return "_" in payload or ("\\" in payload and "\\u005f" in payload.lower())
    if payload.find(b"_") >= 0:
        return True
    return payload.find(b"\\") >= 0 and b"\\u005f" in payload.lower()


def _plain_object(payload: bytes | str) -> dict[str, Any]:
    try:
        plain = _plain_decoder.decode(payload)
    except RecursionError as exc:
        raise RemoteProtocolError("Invalid JSON payload received. Nested too deeply.") from exc
    except UnicodeError as exc:
        raise RemoteProtocolError("Invalid JSON payload received. Not valid UTF-8.") from exc
    except msgspec.MsgspecError as exc:
        what = str(exc).partition(" - at ")[0]
        raise RemoteProtocolError(f"Invalid JSON payload received. {what}.") from exc
    if not isinstance(plain, dict):
        raise RemoteProtocolError("Invalid JSON payload received. Expected an object.")
    return plain


def _invalid_value(complaint: str) -> str:
    """Reword msgspec's "Expected `int`, got `str` - at `$.setup.x`" in the service's order."""
    what, _, place = complaint.replace("`", "").replace(" | null", "").partition(" - at ")
    path = _snake(place.removeprefix("$").removeprefix("."))
    return f"Invalid value at '{path}': {what}." if path else f"Invalid value: {what}."


_ENVELOPE: Final = ClientMessage.__struct_fields__


def _envelope_complaint(payload: bytes | str, present: list[str]) -> str:
    if present:
        first, second = (_camel(name) for name in present[:2])
        return (
            f"Invalid value (oneof), oneof field 'message_type' is already set "
            f"to '{first}'. Cannot set '{second}'."
        )
    unknown = find_unknown_fields(payload)
    if unknown:
        return unknown_field_reason(unknown[0])
    return "Invalid JSON payload received. The message is empty."


# --- the walk along the Structs' types ---------------------------------------------------------

_Fix = Callable[[Any], Any]


@cache
def _fields_of(kind: type[Message]) -> dict[str, tuple[str, _Fix | None]]:
    """Map both spellings of every field to its canonical name and the fix its value needs."""
    plan: dict[str, tuple[str, _Fix | None]] = {}
    for field in msgspec.structs.fields(kind):
        names = ENUM_NAMES.get((kind, field.name))
        fix = None if field.name in _USER_DATA else _fix_for(field.type, names)
        plan[field.name] = plan[field.encode_name] = (field.encode_name, fix)
    return plan


_USER_DATA: Final = frozenset({"args", "response"})
"""Objects that a program made: a value of another kind is wrong there, not a way to write one."""


def _fix_for(annotation: Any, names: tuple[str, ...] | None) -> _Fix | None:
    """Return the fix for a field's values; ``names``: those of its enum, None where it is none."""
    annotation = _bare(annotation)
    if get_origin(annotation) is list:
        return _fix_for_list(_fix_for(get_args(annotation)[0], names))
    if annotation is bytes:
        return _standard_base64
    if get_origin(annotation) is dict:
        return _object
    if isinstance(annotation, type) and issubclass(annotation, Message):
        kind = annotation
        return lambda value: _canonical(_object(value), kind)
    return None if names is None else lambda value: named(value, names)


def _fix_for_list(fix_item: _Fix | None) -> _Fix:
    def fix(value: Any) -> Any:
        if isinstance(value, list):
            return [fix_item(item) for item in value] if fix_item else value
        single = fix_item(value) if fix_item else value
        return None if single is None else [single]

    return fix


def _object(value: Any) -> Any:
    """Return ``value``, ``{}`` for True and None for False: a message that is set, or is not."""
    if isinstance(value, bool):
        return {} if value else None
    return value


def _bare(annotation: Any) -> Any:
    """Return ``annotation`` without what is annotated and without ``| None``."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (arg for arg in get_args(annotation) if arg is not type(None))
        return _bare(annotation)
    return annotation


def shape_of(annotation: Any) -> tuple[Any, type[Message] | None]:
    """Return the outer type of a field without its ``| None``, and the Struct in it, if any."""
    annotation = _bare(annotation)
    if get_origin(annotation) is list:
        return list, shape_of(get_args(annotation)[0])[1]
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return annotation, annotation
    return annotation, None


def _canonical(value: Any, kind: type[Message]) -> Any:
    """Return ``value`` with the wire's own names and base64 in all of ``kind``; never fails."""
    if not isinstance(value, dict):
        return value
    fields = _fields_of(kind)
    canonical: dict[str, Any] = {}
    for spelling, content in value.items():
        known = fields.get(spelling)
        if known is None or content is None:
            continue
        name, fix = known
        fixed = fix(content) if fix else content
        if fixed is not None:
            canonical[name] = fixed
    return canonical


_STANDARD_ALPHABET: Final = str.maketrans("-_", "+/")
_SPACES: Final = "\n\r\t "


def _standard_base64(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.translate(_STANDARD_ALPHABET) if "-" in value or "_" in value else value
    if any(space in text for space in _SPACES):
        text = "".join(text.split())
    return text + "=" * (-len(text) % 4)


@cache
def _parts_of(kind: type[Message]) -> dict[str, tuple[str, type[Message], bool] | None]:
    """Map both spellings of every field to the Struct in it: its name, type, whether in a list."""
    parts: dict[str, tuple[str, type[Message], bool] | None] = {}
    for field in msgspec.structs.fields(kind):
        shape, inner = shape_of(field.type)
        part = None if inner is None else (field.name, inner, shape is list)
        parts[field.name] = parts[field.encode_name] = part
    return parts


def _unknown_in(value: Any, kind: type[Message], most: int) -> list[str]:
    """Return the paths of the first ``most`` unknown fields in ``value``, relative to it.

    A path is made where a field is found, on the way back, so that all else costs no text.
    """
    if not isinstance(value, dict):
        return []
    parts, found = _parts_of(kind), []
    for spelling, content in value.items():
        part = parts.get(spelling, _UNKNOWN)
        if part is None:
            continue
        if part is _UNKNOWN:
            found.append(spelling)
        else:
            name, inner, is_list = part
            if is_list:
                items = content if isinstance(content, list) else [content]
                for index, item in enumerate(items):
                    paths = _unknown_in(item, inner, most - len(found))
                    found += [f"{name}[{index}].{path}" for path in paths]
                    if len(found) >= most:
                        break
            else:
                paths = _unknown_in(content, inner, most - len(found))
                found += [f"{name}.{path}" for path in paths]
        if len(found) >= most:
            break
    return found


_UNKNOWN: Final = ("", Message, False)


def _snake(path: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda hump: f"_{hump[0].lower()}", path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
