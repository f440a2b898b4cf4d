"""A Python function's declaration beside the one that google-genai makes of it.

Where they differ, ours says more: what a dict holds, what Annotated describes, that other arguments
are refused; and it takes dataclasses, of which google-genai makes nothing. It leaves out a default
that can be changed, such as a list.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from google.genai import types

from live_cli.tools.declaration import FunctionSignature


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Place:
    x: int


def plain(a: str, b: int, c: float, d: bool) -> None: ...
def defaults(a: str, b: int = 3, c: bool = True, d: str = "hall") -> None: ...
def optional(a: float | None = None, b: str | None = "x") -> None: ...
def lists(a: list[str], b: list[list[int]]) -> None: ...
def words(a: Literal["up", "down"], b: Colour) -> None: ...
def unions(a: int | str) -> None: ...
def described(a: Annotated[int, "how many"]) -> None: ...
def holds(a: dict[str, int]) -> None: ...
def place(a: Place) -> None: ...


def theirs(function: Any) -> Any:
    declared = types.FunctionDeclaration.from_callable_with_api_option(
        callable=function, api_option="GEMINI_API"
    )
    assert declared.parameters is not None
    return declared.parameters.model_dump(exclude_none=True, mode="json")


def meaning(schema: dict[str, Any]) -> Any:
    """What a schema says, whichever of the two ways it is written in."""
    kinds = schema.get("any_of") or schema.get("anyOf") or [schema]
    kinds = [kind for kind in kinds if kind.get("type") != "null"]
    return {
        "kinds": [kind["type"].lower() for kind in kinds],
        "nullable": schema.get("nullable", False) or len(kinds) < len(schema.get("anyOf", [])),
        "words": sorted(schema.get("enum", [])),
        "default": schema.get("default"),
        "items": meaning(schema["items"]) if "items" in schema else None,
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "function", [plain, defaults, optional, lists, words, unions, described, holds]
)
def test_what_google_genai_declares_of_a_function_we_declare_too(function: Any) -> None:
    ours, peer = FunctionSignature(function).schema, theirs(function)
    assert ours.get("required", []) == peer.get("required", [])
    of_ours = {name: meaning(each) for name, each in ours["properties"].items()}
    assert of_ours == {name: meaning(each) for name, each in peer["properties"].items()}


def test_where_they_differ_ours_says_more() -> None:
    assert FunctionSignature(described).schema["properties"]["a"]["description"] == "how many"
    held = FunctionSignature(holds).schema["properties"]["a"]
    assert held["additionalProperties"] == {"type": "integer"}
    with pytest.raises(ValueError, match="Failed to parse the parameter"):
        theirs(place)
    assert FunctionSignature(place).schema["properties"]["a"]["required"] == ["x"]
