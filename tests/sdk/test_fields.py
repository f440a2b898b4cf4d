"""Every field that the installed SDKs have is one of ours: a newer SDK with a new one fails here.

The SDKs' types are read by reflection, Python's from its models and JavaScript's from its
declarations, and walked side by side with our Structs. Below a plain JSON object of ours every
field is accepted, so the walk ends there.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import msgspec
import pydantic
import pytest
from google.genai import types

from live_cli.protocol import messages
from live_cli.protocol.messages import GenerationConfig, Message, Setup
from live_cli.protocol.wire import shape_of
from tests.harness.sdks import NODE, NODE_2_32, Sdk

Fields = dict[str, list[str]]
"""The fields of one type of an SDK in camelCase, each with the types that its value may have."""
FieldsOf = Callable[[str], Fields]

ROOTS = {
    "LiveClientMessage": messages.ClientMessage,
    "LiveServerMessage": messages.ServerMessage,
    "Content": messages.Content,
    "GenerationConfig": messages.GenerationConfig,
    "RealtimeInputConfig": messages.RealtimeInputConfig,
    "Tool": messages.Tool,
}
CALLED_OTHERWISE = {"VoiceActivity.voiceActivityType": "type"}
"""What the SDKs call otherwise than the wire does; their own tables map it."""
OWN = {"httpOptions", "abortSignal"}
"""Of the options of `connect`, those that the SDKs keep to themselves."""


def python_fields_of(name: str) -> Fields:
    model = getattr(types, name, None)
    if not (inspect.isclass(model) and issubclass(model, pydantic.BaseModel)):
        return {}
    return {
        _camel(field): list(_models_in(info.annotation))
        for field, info in model.model_fields.items()
    }


def _models_in(annotation: Any) -> Iterator[str]:
    if inspect.isclass(annotation) and issubclass(annotation, pydantic.BaseModel):
        yield annotation.__name__
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def javascript_fields_of(sdk: Sdk) -> FieldsOf:
    assert sdk.modules is not None, "an SDK for Node has its modules in a folder"
    declarations = (sdk.modules / "@google" / "genai" / "dist" / "genai.d.ts").read_text()
    code = re.sub(r"/\*.*?\*/", "", declarations, flags=re.DOTALL)
    bodies = re.findall(
        r"^(?:export )?declare (?:interface|class) (\w+)[^{]*\{(.*?)^\}", code, re.S | re.M
    )
    found: dict[str, Fields] = {
        name.removesuffix("_2"): {
            field: [word.removesuffix("_2") for word in re.findall(r"\b[A-Z]\w+", kind)]
            for field, kind in re.findall(r"^    (\w+)\??: (.*?);$", body, re.M)
        }
        for name, body in bodies
    }
    for union, member in (("ContentUnion", "Content"), ("SpeechConfigUnion", "SpeechConfig")):
        assert union not in found
        found[union] = {}
        for fields in found.values():
            for kinds in fields.values():
                kinds[:] = [member if kind == union else kind for kind in kinds]
    return lambda name: found.get(name, {})


def missing(fields_of: FieldsOf, name: str, ours: type[Message], seen: set[str]) -> Iterator[str]:
    """The fields of the SDK's type ``name``, and of those within it, that ``ours`` lacks."""
    if name in seen:
        return
    seen.add(name)
    known = {field.encode_name: field for field in msgspec.structs.fields(ours)}
    for said, kinds in fields_of(name).items():
        field = known.get(CALLED_OTHERWISE.get(f"{name}.{said}", said))
        if field is None:
            yield f"{name}.{said} is no field of {ours.__name__}"
            continue
        _, inner = shape_of(field.type)
        if inner is not None:
            for kind in _counterparts(kinds, inner):
                yield from missing(fields_of, kind, inner, seen)


def _counterparts(kinds: list[str], ours: type[Message]) -> list[str]:
    """Of the types that a value may have, the one named as ours, else all."""
    same = [kind for kind in kinds if kind == ours.__name__]
    return same or kinds


SDKS: dict[str, Callable[[], FieldsOf]] = {
    "google-genai": lambda: python_fields_of,
    "@google/genai": lambda: javascript_fields_of(NODE),
    "@google/genai 2.32": lambda: javascript_fields_of(NODE_2_32),
}


@pytest.mark.parametrize("sdk", SDKS)
def test_no_field_of_an_sdk_is_new_to_us(sdk: str) -> None:
    fields_of, seen = SDKS[sdk](), set[str]()
    new = [line for name, ours in ROOTS.items() for line in missing(fields_of, name, ours, seen)]
    assert new == []
    assert {"Part", "Blob", "FunctionDeclaration", "WordInfo", "UsageMetadata"} <= seen
    assert len(seen) > 40


@pytest.mark.parametrize("sdk", SDKS)
def test_every_option_of_connect_has_its_place_in_a_setup(sdk: str) -> None:
    options = SDKS[sdk]()("LiveConnectConfig")
    ours = [*msgspec.structs.fields(Setup), *msgspec.structs.fields(GenerationConfig)]
    assert len(options) > 15
    assert set(options) - {field.encode_name for field in ours} - OWN == set()


def test_a_field_that_we_lack_is_found() -> None:
    def with_news(name: str) -> Fields:
        news = {"Part": {"smell": []}, "Tool": {"hammer": []}}
        return python_fields_of(name) | news.get(name, {})

    seen = set[str]()
    new = [line for name, ours in ROOTS.items() for line in missing(with_news, name, ours, seen)]
    assert new == ["Part.smell is no field of Part", "Tool.hammer is no field of Tool"]
