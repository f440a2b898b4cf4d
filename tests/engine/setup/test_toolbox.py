"""A setup's tools as declarations: schemas, names, behaviors, and tools that are left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.setup.config import session_config_of
from live_cli.engine.setup.families import FAMILY_3_8, NEUTRAL
from live_cli.engine.setup.toolbox import schema_of, toolbox_of
from live_cli.engine.stages import ToolDeclaration
from live_cli.errors import UnsupportedError
from live_cli.protocol.messages import FunctionDeclaration, Setup, Tool

EMPTY = {"type": "object", "properties": {}}
BRIGHT = {"type": "object", "properties": {"brightness": {"type": "number"}}}


def declared(**fields):
    [declaration] = toolbox_of(
        [Tool(function_declarations=[FunctionDeclaration(**({"name": "f"} | fields))])], NEUTRAL
    ).declarations
    return declaration


@pytest.mark.parametrize(
    ("openapi", "schema"),
    [
        ({"type": "OBJECT", "properties": {"brightness": {"type": "NUMBER"}}}, BRIGHT),
        ({"type": "TYPE_UNSPECIFIED", "title": "t"}, {"title": "t"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "STRING", "format": "enum", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1", "max_items": 3},
            {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3},
        ),
        (
            {"any_of": [{"type": "STRING", "min_length": "2"}, {"type": "NULL"}]},
            {"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]},
        ),
        (
            {"type": "NUMBER", "minimum": 0, "maximum": 1.5},
            {"type": "number", "minimum": 0, "maximum": 1.5},
        ),
        ({"propertyOrdering": ["a"], "example": 1, "required": ["a"]}, {"required": ["a"]}),
        (
            {"ref": "#/defs/x", "defs": {"x": {"type": "STRING"}}},
            {"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}},
        ),
        (
            {"type": "OBJECT", "additional_properties": {"type": "STRING"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        # proto-JSON: types by number, single values for lists of one
        (
            {"type": 6, "required": "a", "properties": {"a": {"type": 5, "items": {"type": 1.0}}}},
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "array", "items": {"type": "string"}}},
            },
        ),
        (
            {"any_of": {"type": 1, "enum": "on", "nullable": True}, "prefixItems": {"type": 3}},
            {
                "anyOf": [{"type": ["string", "null"], "enum": ["on", None]}],
                "prefixItems": [{"type": "integer"}],
            },
        ),
    ],
)
def test_openapi_becomes_json_schema(openapi, schema):
    assert schema_of(openapi) == schema


@given(st.text(min_size=1))
def test_names_of_properties_are_never_changed(name):
    schema = schema_of({"type": "OBJECT", "properties": {name: {"type": "STRING"}}})
    assert schema["properties"] == {name: {"type": "string"}}


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({}, EMPTY),
        ({"parameters": {}}, EMPTY),
        ({"parameters": {"type": "OBJECT"}}, EMPTY),
        ({"parameters_json_schema": {}}, EMPTY),
        ({"parameters_json_schema": BRIGHT | {"$defs": {"min_items": 1}}}, None),
    ],
)
def test_every_declaration_has_an_object_schema(fields, parameters):
    expected = fields["parameters_json_schema"] if parameters is None else parameters
    assert declared(**fields) == ToolDeclaration("f", "", expected)


def nested(depth):
    schema = {"type": "STRING"}
    for _ in range(depth):
        schema = {"type": "ARRAY", "items": schema}
    return {"type": "OBJECT", "properties": {"x": schema}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": None}, "Invalid function name"),
        ({"name": "9 lives"}, "Invalid function name"),
        ({"name": "x" * 129}, "Invalid function name"),
        ({"parameters": {}, "parameters_json_schema": {}}, "give one"),
        ({"parameters": {"type": "STRING"}}, "must be an object"),
        ({"parameters_json_schema": {"type": "array"}}, "must be an object"),
        ({"parameters": nested(100)}, "too deep"),
        ({"behavior": "MAYBE"}, "MAYBE"),
    ],
)
def test_refused_declarations(fields, words):
    with pytest.raises(UnsupportedError, match=words) as refused:
        declared(**fields)
    assert refused.value.close_code == 1007
    assert len(refused.value.reason) <= 123


def test_a_name_is_declared_once():
    twice = [Tool(function_declarations=[FunctionDeclaration(name="f")])] * 2
    with pytest.raises(UnsupportedError, match="Duplicate function declaration found: f"):
        toolbox_of(twice, NEUTRAL)


@pytest.mark.parametrize(
    ("model", "behavior", "waits_not"),
    [
        ("models/local", None, False),
        ("models/gemini-2.5-flash-native-audio-preview-12-2025", None, False),
        ("models/gemini-3.8-live", None, True),
        ("models/gemini-3.8-live", "BLOCKING", False),
        ("models/gemini-3.8-live", "unspecified", True),
        ("models/local", "non_blocking", True),
    ],
)
def test_behaviour_is_the_models_unless_a_function_says(model, behavior, waits_not):
    tools = [Tool(function_declarations=[FunctionDeclaration(name="f", behavior=behavior)])]
    assert (
        session_config_of(Setup(model=model, tools=tools)).toolbox.non_blocking == {"f"}
    ) is waits_not


def test_tools_that_run_at_google_are_left_out_with_one_warning(caplog):
    tools = [
        Tool(google_search={}),
        Tool(code_execution={}, url_context={}),
        Tool(google_maps={}, function_declarations=[FunctionDeclaration(name="f")]),
    ]
    assert [tool.name for tool in toolbox_of(tools, FAMILY_3_8).declarations] == ["f"]
    [record] = caplog.records
    assert record.levelname == "WARNING"
    for name in ("googleSearch", "codeExecution", "urlContext", "googleMaps"):
        assert name in record.getMessage()
