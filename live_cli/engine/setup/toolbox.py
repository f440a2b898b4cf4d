"""The tools of a setup as function declarations with JSON schemas. Pure.

Parameters come as the Live API's subset of OpenAPI 3.0 (types in upper case, `nullable`, lengths
as strings, types by number and single values for lists of one, as proto-JSON has it) or as a JSON
schema. Names of properties are the client's and are never changed.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from live_cli.engine.json_values import size_of
from live_cli.engine.setup.families import BLOCKING, NON_BLOCKING, Family
from live_cli.engine.stages import NO_PARAMETERS, ToolDeclaration
from live_cli.errors import UnsupportedError
from live_cli.protocol.enum_numbers import SCHEMA_TYPES, named
from live_cli.protocol.messages import FunctionDeclaration, JsonObject, Tool

_log = logging.getLogger("live_cli.serve.engine")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_DEEPEST = 32
_MOST_FUNCTIONS = 512
"""Google's API documents 128 (aiplatform.v1beta1, Tool.functionDeclarations); every one of them is
read by the chat model before each answer."""
_MOST_VALUES = 8192
"""JSON values in the parameters of all functions together: 16 for each of the most functions. They
are converted in some 20 ms, during which no other session is served."""
_RUN_AT_GOOGLE = {
    "google_search": "googleSearch",
    "google_search_retrieval": "googleSearchRetrieval",
    "code_execution": "codeExecution",
    "url_context": "urlContext",
    "google_maps": "googleMaps",
    "computer_use": "computerUse",
    "file_search": "fileSearch",
    "mcp_servers": "mcpServers",
    "retrieval": "retrieval",
    "enterprise_web_search": "enterpriseWebSearch",
    "parallel_ai_search": "parallelAiSearch",
    "exa_ai_search": "exaAiSearch",
}


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The functions that a session's model may call.

    ``non_blocking``: names of those for whose result the model does not wait.
    """

    declarations: tuple[ToolDeclaration, ...] = ()
    non_blocking: frozenset[str] = frozenset()


def toolbox_of(tools: Sequence[Tool] | None, family: Family) -> Toolbox:
    """Return the functions in ``tools``, with the behaviors that ``family`` has.

    Tools that run at Google are left out, with a warning in the log. Raises UnsupportedError for
    a declaration that cannot be called, and for too many.
    """
    _check_count(len(tools or ()), "tools")
    declared = [given for tool in tools or () for given in tool.function_declarations or ()]
    _check_count(len(declared), "functions")
    _check_parameters(declared)
    declarations = tuple(_declaration(given) for given in declared)
    for name, count in Counter(declaration.name for declaration in declarations).items():
        if count > 1:
            raise UnsupportedError(f"Duplicate function declaration found: {name[:60]}")
    missing = [said for name, said in _RUN_AT_GOOGLE.items() if _any_has(tools or (), name)]
    if missing:
        _log.warning("ignored, there is nothing behind it here: %s", ", ".join(missing))
    non_blocking = (given.name or "" for given in declared if _is_non_blocking(given, family))
    return Toolbox(declarations, frozenset(non_blocking))


def schema_of(parameters: JsonObject) -> JsonObject:
    """Return an OpenAPI schema as a JSON schema. Raises UnsupportedError for too deep a nesting."""
    return _schema(parameters, 0)


def _check_count(count: int, what: str) -> None:
    if count > _MOST_FUNCTIONS:
        raise UnsupportedError(f"A session takes {_MOST_FUNCTIONS} {what} at most, not {count}.")


def _check_parameters(declared: Sequence[FunctionDeclaration]) -> None:
    """Refuse parameters that take too long to convert. Raises UnsupportedError."""
    size = size_of(
        schema
        for given in declared
        for schema in (given.parameters, given.parameters_json_schema)
        if schema is not None
    )
    if size.values > _MOST_VALUES:
        raise UnsupportedError(
            f"The parameters of all functions hold {_MOST_VALUES} JSON values at most, "
            f"not {size.values}."
        )


def _any_has(tools: Sequence[Tool], name: str) -> bool:
    return any(getattr(tool, name) is not None for tool in tools)


def _declaration(given: FunctionDeclaration) -> ToolDeclaration:
    name = given.name or ""
    if not _NAME.fullmatch(name):
        raise UnsupportedError(
            f"Invalid function name {name[:30]!r}: letters, digits, _ . : -, at most 128."
        )
    if given.parameters is not None and given.parameters_json_schema is not None:
        raise UnsupportedError(
            f"Function {name[:40]} has both parameters and parametersJsonSchema: give one."
        )
    schema = given.parameters_json_schema
    if schema is None:
        schema = schema_of(given.parameters or {})
    if schema.get("type", "object") != "object":
        raise UnsupportedError(f"The parameters of function {name[:40]} must be an object.")
    return ToolDeclaration(name, given.description or "", NO_PARAMETERS | schema)


def _is_non_blocking(given: FunctionDeclaration, family: Family) -> bool:
    """Whether the conversation goes on while ``given`` runs. Raises UnsupportedError."""
    behavior = given.behavior or "UNSPECIFIED"
    if behavior == "UNSPECIFIED":
        behavior = family.default_behavior
    if behavior not in (BLOCKING, NON_BLOCKING):
        raise UnsupportedError(
            f"Function behavior {behavior[:30]!r} is not known: {BLOCKING} or {NON_BLOCKING}."
        )
    if behavior not in family.behaviors:
        raise UnsupportedError(
            f"{family.model.id[:50]} takes {' or '.join(family.behaviors)} functions, "
            f"not {behavior}."
        )
    return behavior == NON_BLOCKING


# --- schemas -----------------------------------------------------------------------------------

_KEPT = {
    "title", "description", "format", "default", "enum", "required", "pattern", "minimum",
    "maximum", "items", "prefixItems", "anyOf", "properties", "additionalProperties",
    "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties",
    "$ref", "$defs",
}  # fmt: skip
_SNAKE = {re.sub("([A-Z])", lambda found: "_" + found[1].lower(), name): name for name in _KEPT}
_SNAKE |= {"ref": "$ref", "defs": "$defs"}
_COUNT = re.compile(r"\d{1,18}")  # such as fit into 64 bits
_LISTS = {"enum", "required", "anyOf", "prefixItems"}
_COUNTS = {name for name in _KEPT if name.startswith(("min", "max")) and name[3:4].isupper()}


def _schema(given: JsonObject, depth: int) -> JsonObject:
    if depth > _DEEPEST:
        raise UnsupportedError("Function parameters are nested too deep.")
    schema: JsonObject = {}
    kind = str(named(given.get("type") or "", SCHEMA_TYPES)).lower()
    if kind and kind != "type_unspecified":
        schema["type"] = [kind, "null"] if given.get("nullable") and kind != "null" else kind
    for said, value in given.items():
        name = _SNAKE.get(said, said)
        if name in _KEPT and value is not None:
            schema[name] = _value(name, value, depth)
    if schema.get("format") == "enum":
        del schema["format"]  # OpenAPI's word for what `enum` says already
    if given.get("nullable") and "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def _value(name: str, value: Any, depth: int) -> Any:
    if name in _LISTS and not isinstance(value, list):
        value = [value]
    if name == "$ref" and isinstance(value, str):
        return value.replace("#/defs/", "#/$defs/")
    if name in ("properties", "$defs") and isinstance(value, dict):
        return {key: _inner(inner, depth) for key, inner in value.items()}
    if name in ("anyOf", "prefixItems") and isinstance(value, list):
        return [_inner(inner, depth) for inner in value]
    if name in ("items", "additionalProperties"):
        return _inner(value, depth)
    if name in _COUNTS and isinstance(value, str) and _COUNT.fullmatch(value):
        return int(value)
    return value


def _inner(value: Any, depth: int) -> Any:
    return _schema(value, depth + 1) if isinstance(value, dict) else value
