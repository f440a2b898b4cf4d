"""A Python function as a tool: its JSON Schema from the signature, its arguments checked. Pure.

Types are what msgspec has a schema for: numbers, texts, lists, dicts, Literal, Enum, unions,
TypedDict, dataclasses and msgspec's Structs; and pydantic's models where pydantic is installed.
`Annotated[T, "text"]` describes a parameter.
"""

import inspect
import typing
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args, get_origin

import msgspec

from live_cli.protocol.messages import JsonObject

_DEEPEST = 32
"""Levels of a schema, as many as `serve` reads (`engine.setup.toolbox`)."""
_NOT_BY_NAME = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)


class NoSchemaError(Exception):
    """A function that cannot be declared; says why."""


class FunctionSignature:
    """The parameters of one function: what the model is told of them, and what its values mean.

    ``schema``: JSON Schema of all parameters as one object. Raises NoSchemaError where a parameter
    has no type, none with a schema, or cannot be given by its name.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = _hints_of(function)
        parameters = inspect.signature(function).parameters.values()
        fields = [_field_of(parameter, hints) for parameter in parameters]
        try:
            self._struct = msgspec.defstruct(
                "Arguments", fields, kw_only=True, forbid_unknown_fields=True
            )
            schema = msgspec.json.schema(self._struct, schema_hook=_pydantic_schema)
        except (TypeError, ValueError) as exc:
            raise NoSchemaError(str(exc).splitlines()[-1]) from exc
        self.schema = _inlined(schema, schema.get("$defs", {}), 0)
        self.schema.pop("title", None)

    def arguments(self, given: JsonObject) -> dict[str, Any]:
        """Return the keyword arguments that ``given`` means; those not given are left away.

        Raises ValueError where ``given`` does not fit the schema, and says where.
        """
        try:
            values = msgspec.convert(given, self._struct, dec_hook=_pydantic_value)
        except msgspec.ValidationError as exc:
            raise ValueError(" ".join(str(exc).split())) from exc
        return {name: getattr(values, name) for name in given}


def _hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as exc:  # a name in quotes may be anything
        raise NoSchemaError(f"its types cannot be read: {exc}") from exc


def _field_of(parameter: inspect.Parameter, hints: dict[str, Any]) -> tuple[str, Any, Any]:
    name = parameter.name
    if parameter.kind in _NOT_BY_NAME:
        raise NoSchemaError(f"parameter {name} cannot be given by its name")
    if name not in hints:
        raise NoSchemaError(f"parameter {name} has no type")
    kind, default = _described(hints[name]), parameter.default
    if default is inspect.Parameter.empty:
        return name, kind, msgspec.NODEFAULT
    try:
        msgspec.to_builtins(default)
    except TypeError:  # it has no JSON, and is left out of the schema
        return name, kind, msgspec.field(default_factory=lambda: default)
    if isinstance(default, list | dict | set | bytearray):
        return name, kind, msgspec.field(default_factory=lambda: default)
    return name, kind, default


def _described(kind: Any) -> Any:
    """Return ``kind`` with the texts of its Annotated as msgspec reads descriptions."""
    if get_origin(kind) is not Annotated:
        return kind
    inner, *notes = get_args(kind)
    texts = [note for note in notes if isinstance(note, str)]
    others = [note for note in notes if isinstance(note, msgspec.Meta)]
    if texts:
        others.append(msgspec.Meta(description=" ".join(texts)))
    return reduce(lambda known, note: Annotated[known, note], others, inner)


def _inlined(schema: Any, definitions: dict[str, Any], depth: int) -> Any:
    """Return ``schema`` with every ``$ref`` replaced by what it names: some models follow none."""
    if depth > _DEEPEST:
        raise NoSchemaError("a type of its parameters holds itself")
    if isinstance(schema, list):
        return [_inlined(each, definitions, depth + 1) for each in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("$ref", "$defs")}
    if "$ref" in schema:
        rest = reduce(or_, (definitions[schema["$ref"].rpartition("/")[2]], rest))
        return _inlined(rest, definitions, depth + 1)
    if "type" not in rest and _are_texts(rest.get("enum")):
        rest = {"type": "string", **rest}  # msgspec leaves it out, google-genai has it
    return {key: _inlined(value, definitions, depth + 1) for key, value in rest.items()}


def _are_texts(words: Any) -> bool:
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


def _pydantic_schema(kind: type) -> JsonObject:
    if not hasattr(kind, "model_json_schema"):
        raise NotImplementedError
    schema: JsonObject = kind.model_json_schema()
    inlined: JsonObject = _inlined(schema, schema.get("$defs", {}), 0)
    return inlined


def _pydantic_value(kind: type, value: Any) -> Any:
    if not hasattr(kind, "model_validate"):
        raise NotImplementedError
    return kind.model_validate(value)
