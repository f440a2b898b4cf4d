"""What MCP and the Live API call differently: names, arguments, results. Pure."""

import base64
import re
from typing import Any, Final

from live_cli.protocol.messages import JsonObject
from live_cli.tools.tool import ToolResult

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")


def safe_name(name: str) -> str:
    """Return ``name`` with only letters, digits, ``_`` and ``-``, and at least one of them."""
    return _NOT_IN_NAMES.sub("_", name) or "_"


def wire_name(server: str, tool: str) -> str:
    """Return the name under which the model knows a tool of a server: ``server__tool``."""
    name = f"{safe_name(server)}__{safe_name(tool)}"
    return name if name[0].isalpha() or name[0] == "_" else f"_{name}"


def schema_complaint(schema: JsonObject, arguments: JsonObject) -> str | None:
    """Return why ``arguments`` do not fit ``schema``; None: they do, or the schema is none."""
    import jsonschema
    from referencing import Registry

    # without a registry of its own, the validator would fetch what a schema refers to
    judge = jsonschema.validators.validator_for(schema)(schema, registry=Registry())
    try:
        misfit = jsonschema.exceptions.best_match(judge.iter_errors(arguments))
    except Exception:  # noqa: BLE001 - the schema is none: then the server judges
        return None
    if misfit is None:
        return None
    where = "".join(f"[{step!r}]" for step in misfit.absolute_path)
    return f"{misfit.message[:300]}{f' at {where}' if where else ''}"


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
