"""What MCP and the Live API call differently: names, arguments, results. Pure."""

import base64
import re
from functools import cache
from typing import Any, Final

import msgspec

from live_cli.protocol.messages import JsonObject
from live_cli.tools.results import DEEPEST, is_deep
from live_cli.tools.tool import ToolResult

MOST_DECLARED: Final = 32_000
"""Characters of a tool's description and schema, some 8,000 tokens: the model reads them before
every answer."""

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


def safe_name(name: str) -> str:
    """Return ``name`` with only letters, digits, ``_`` and ``-``, and at least one of them."""
    return _NOT_IN_NAMES.sub("_", name) or "_"


def wire_name(server: str, tool: str) -> str:
    """Return the name under which the model knows a tool of a server: ``server__tool``."""
    name = f"{safe_name(server)}__{safe_name(tool)}"
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


def declaration_complaint(tool: Any) -> str | None:
    """Return why a tool of a server cannot be declared to a model; None: it can."""
    if is_deep(tool.input_schema):
        return f"has a schema of more than {DEEPEST} levels"
    told = len(tool.description or "") + len(msgspec.json.encode(tool.input_schema))
    if told > MOST_DECLARED:
        return f"has a description and a schema of more than {MOST_DECLARED // 1000} KB"
    return None


def schema_complaint(schema: JsonObject, arguments: JsonObject) -> str | None:
    """Return why ``arguments`` do not fit ``schema``; None: they do, or the schema is none.

    Regular expressions in it are the server's own affair: with one of them it could hold us up for
    ever, since Python's take exponential time where they are written so.
    """
    import jsonschema
    from referencing import Registry

    bounded = _bounded(jsonschema.validators.validator_for(schema))
    # without a registry of its own, the validator would fetch what a schema refers to
    judge = bounded(schema, registry=Registry())
    try:
        misfit = jsonschema.exceptions.best_match(judge.iter_errors(arguments))
    except Exception:  # noqa: BLE001 - the schema is none: then the server judges
        return None
    if misfit is None:
        return None
    where = "".join(f"[{step!r}]" for step in misfit.absolute_path)
    return f"{misfit.message[:300]}{f' at {where}' if where else ''}"


@cache
def _bounded(kind: Any) -> Any:
    """Return the validator ``kind`` without what evaluates regular expressions.

    It is a class, and takes 2 ms to make: as long as a third of a whole call.
    """
    import jsonschema

    without = {**kind.VALIDATORS, "additionalProperties": _additional(kind)}
    for word in ("pattern", "patternProperties", "unevaluatedProperties"):
        without.pop(word, None)
    return jsonschema.validators.create(kind.META_SCHEMA, without)


def _additional(kind: Any) -> Any:
    """Return how ``additionalProperties`` is judged where no pattern may say what is one."""
    usual = kind.VALIDATORS.get("additionalProperties")

    def judge(validator: Any, value: Any, given: Any, schema: Any) -> Any:
        return () if "patternProperties" in schema else usual(validator, value, given, schema)

    return judge


def result_of(given: Any) -> ToolResult:
    """Return the result of a call: its structure or its text, its pictures beside it."""
    texts = [block.text for block in given.content if block.type == "text"]
    parts = tuple(
        {"inlineData": {"data": block.data, "mimeType": block.mime_type}}
        for block in given.content
        if block.type in ("image", "audio") and _is_base64(block.data)
    )
    for block in given.content:
        if block.type == "resource":
            texts.append(getattr(block.resource, "text", None) or str(block.resource.uri))
        elif block.type == "resource_link":
            texts.append(str(block.uri))
    said = "\n".join(texts)
    if given.is_error:
        return ToolResult({"error": said or "The tool failed."}, parts)
    structure = given.structured_content
    return ToolResult({"output": said if structure is None else structure}, parts)


def _is_base64(data: str) -> bool:
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        return False
    return True
