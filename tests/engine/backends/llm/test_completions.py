"""Chat completions, read from chunks and from a fake endpoint on loopback."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.backends.llm.completions import ThinkTags
from live_cli.engine.backends.llm.openai import OpenAIChatModel
from live_cli.engine.stages import (
    ChatMessage,
    ChatRequest,
    FinishReason,
    Image,
    Sampling,
    ToolDeclaration,
    ToolUse,
)
from live_cli.errors import EngineError, UnsupportedError
from tests.harness.chat_endpoint import chunk
from tests.harness.images import JPEG, PNG

ASK = (ChatMessage("user", "Hello?"),)


def reply(model, request=None, stop_after=None):
    deltas = []

    def on_delta(delta):
        deltas.append(delta)
        return stop_after is not None and len(deltas) >= stop_after

    usage = model.generate(request or ChatRequest(ASK), on_delta)
    return [(delta.text, delta.thought) for delta in deltas], usage


def test_streams_a_reply_and_its_usage(endpoint):
    usage = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}}
    endpoint.answer = lambda body: [chunk("Hel"), chunk("lo."), usage, "[DONE]"]
    deltas, counted = reply(
        OpenAIChatModel(endpoint.spec),
        ChatRequest(ASK, Sampling(max_tokens=9, temperature=0.5, top_k=4)),
    )
    assert deltas == [("Hel", False), ("lo.", False)]
    assert (counted.prompt_tokens, counted.reply_tokens) == (11, 3)
    [(path, headers, body)] = endpoint.asked
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers
    assert body["model"] == "qwen3"
    assert body["stream"] is True
    assert (body["max_tokens"], body["temperature"], body["top_k"]) == (9, 0.5, 4)
    assert "seed" not in body
    assert body["messages"] == [{"role": "user", "content": "Hello?"}]


def test_the_key_goes_into_the_header(endpoint, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    endpoint.answer = lambda body: ["[DONE]"]
    reply(OpenAIChatModel(endpoint.spec))
    assert endpoint.asked[0][1]["Authorization"] == "Bearer sk-secret"


def test_a_stop_closes_the_connection(endpoint):
    def endless(body):
        while not endpoint.broken.is_set():
            yield chunk("more ")

    endpoint.answer = endless
    deltas, _ = reply(OpenAIChatModel(endpoint.spec), stop_after=3)
    assert len(deltas) == 3
    assert endpoint.broken.wait(10)


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(reasoning_content="Hm. "), chunk(reasoning_content="Ah."), chunk("Four.")],
        [chunk(reasoning="Hm. "), chunk(reasoning="Ah."), chunk("Four.")],
        [chunk("<think>Hm. "), chunk("Ah.</think>\n\nFour.")],
        [chunk("<th"), chunk("ink>Hm. "), chunk("Ah.</thi"), chunk("nk>Four.")],
    ],
)
def test_reasoning_is_told_apart(endpoint, chunks):
    endpoint.answer = lambda body: [*chunks, "[DONE]"]
    deltas, usage = reply(OpenAIChatModel(endpoint.spec))
    assert "".join(text for text, thought in deltas if thought) == "Hm. Ah."
    assert "".join(text for text, thought in deltas if not thought) == "Four."
    assert usage.thought_tokens == 2


def test_a_model_whose_prompt_opens_its_thoughts_is_known_after_one_reply(endpoint):
    endpoint.answer = lambda body: [
        chunk("Hm. "),
        chunk("Ah.</th"),
        chunk("ink>\n\nFour."),
        "[DONE]",
    ]
    model = OpenAIChatModel(endpoint.spec)
    first, _ = reply(model)
    assert "</think>" not in "".join(text for text, _ in first)
    second, usage = reply(model)
    assert "".join(text for text, thought in second if thought) == "Hm. Ah."
    assert "".join(text for text, thought in second if not thought) == "Four."
    assert usage.thought_tokens == 2


def test_a_reply_without_thoughts_is_not_lost_to_what_was_learned(endpoint):
    model = OpenAIChatModel(endpoint.spec)
    endpoint.answer = lambda body: [chunk("Hm.</think>Four."), "[DONE]"]
    reply(model)
    endpoint.answer = lambda body: [chunk("Five. "), chunk("Yes."), "[DONE]"]
    told, _ = reply(model)
    assert [text for text, thought in told if not thought] == ["Five. Yes."]
    assert reply(model)[0] == [("Five. ", False), ("Yes.", False)]  # and forgotten


def test_what_was_learned_holds_for_the_way_it_was_asked(endpoint):
    model = OpenAIChatModel(endpoint.spec)
    endpoint.answer = lambda body: [chunk("Hm.</think>Four."), "[DONE]"]
    reply(model)
    endpoint.answer = lambda body: [chunk("Four."), "[DONE]"]
    unthinking = ChatRequest(ASK, Sampling(thinking_budget=0))
    assert reply(model, unthinking)[0] == [("Four.", False)]


def test_a_thinking_budget_is_a_cap(endpoint):
    def answer(body):
        if body.get("chat_template_kwargs") == {"enable_thinking": False}:
            return [chunk("Four."), "[DONE]"]
        return [chunk(reasoning_content="Hm. ")] * 100

    endpoint.answer = answer
    model = OpenAIChatModel(endpoint.spec)
    deltas, usage = reply(model, ChatRequest(ASK, Sampling(thinking_budget=5)))
    assert deltas[-1] == ("Four.", False)
    assert usage.thought_tokens == 6
    assert len(endpoint.asked) == 2


def test_fields_an_endpoint_does_not_know_are_left_out(endpoint):
    def answer(body):
        if "reasoning_effort" in body or "chat_template_kwargs" in body:
            return 400, '{"error": {"message": "Unrecognized request argument"}}'
        return [chunk("Yes."), "[DONE]"]

    endpoint.answer = answer
    model = OpenAIChatModel(endpoint.spec)
    for asked in (3, 4):  # learned once
        assert reply(model, ChatRequest(ASK, Sampling(thinking_budget=0)))[0] == [("Yes.", False)]
        assert len(endpoint.asked) == asked


def shown(*images, text="Which colour?"):
    return ChatRequest((ChatMessage("user", text, images),), Sampling(thinking_budget=0))


def test_images_go_before_the_words_and_arrive_as_they_were(endpoint):
    endpoint.answer = lambda body: [chunk("Red."), "[DONE]"]
    card, frame = Image(PNG, "image/png", "low"), Image(JPEG, "image/jpeg", "high")
    reply(OpenAIChatModel(endpoint.spec), shown(card, frame))
    [message] = endpoint.asked[0][2]["messages"]
    first, second, words = message["content"]
    assert words == {"type": "text", "text": "Which colour?"}
    for part, image in ((first, card), (second, frame)):
        assert part["type"] == "image_url"
        assert part["image_url"]["detail"] == image.detail
        head, _, data = part["image_url"]["url"].partition(",")
        assert head == f"data:{image.mime_type};base64"
        assert b64decode(data, validate=True) == image.data


def test_an_image_without_words_is_sent_alone(endpoint):
    endpoint.answer = lambda body: ["[DONE]"]
    reply(OpenAIChatModel(endpoint.spec), shown(Image(PNG, "image/png"), text=""))
    [message] = endpoint.asked[0][2]["messages"]
    assert [part["type"] for part in message["content"]] == ["image_url"]


@pytest.mark.parametrize("status", [400, 422, 500])
def test_an_endpoint_that_refuses_images_is_named_and_asked_about_nothing_else(endpoint, status):
    def answer(body):
        if isinstance(body["messages"][0]["content"], list):
            return status, '{"error": {"message": "image input is not supported"}}'
        return [chunk("Yes."), "[DONE]"]

    endpoint.answer = answer
    model = OpenAIChatModel(endpoint.spec)
    with pytest.raises(UnsupportedError, match=r"qwen3 .*does it see\? .*not supported"):
        reply(model, shown(Image(PNG, "image/png")))
    reply(model, ChatRequest(ASK, Sampling(thinking_budget=0)))
    assert endpoint.asked[-1][2]["reasoning_effort"] == "none"  # its fields were not to blame


def test_an_endpoint_that_breaks_is_not_said_to_be_blind(endpoint):
    endpoint.answer = lambda body: (500, '{"error": {"message": "out of memory"}}')
    with pytest.raises(EngineError, match="HTTP 500: out of memory"):
        reply(OpenAIChatModel(endpoint.spec), shown(Image(PNG, "image/png")))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, ""), "OPENAI_API_KEY"),
        ((404, '{"error": {"message": "model qwen3 not found"}}'), "no model 'qwen3'.*not found"),
        ((500, '{"error": "out of\\nmemory"}'), "HTTP 500: out of memory"),
        ((400, '{"error": {"message": "bad"}}'), "HTTP 400: bad"),
        ([{"error": {"message": "overloaded"}}], "overloaded"),
        (["{not json"], "not JSON"),
    ],
)
def test_failures_are_explained(endpoint, answer, words):
    endpoint.answer = lambda body: answer
    with pytest.raises(EngineError, match=words):
        reply(OpenAIChatModel(endpoint.spec))


def test_nobody_there():
    with pytest.raises(EngineError, match=r"cannot reach the chat model at 127\.0\.0\.1:9"):
        reply(OpenAIChatModel("http://127.0.0.1:9/v1#m"))


@pytest.mark.parametrize(
    "spec", ["", "http://127.0.0.1/v1", "ftp://x/v1#m", "#m", "http://me:pw@host/v1#m"]
)
def test_what_is_no_endpoint(spec):
    with pytest.raises(EngineError) as refused:
        OpenAIChatModel(spec)
    assert "pw" not in str(refused.value)


@given(st.lists(st.sampled_from(["<", "think>", "</think>", "<think>", "a", "\n", "</", "k>"])))
def test_think_tags_lose_no_text(pieces):
    tags = ThinkTags()
    whole = ThinkTags()
    deltas = [delta for piece in pieces for delta in tags.push(piece)] + tags.flush()
    at_once = whole.push("".join(pieces)) + whole.flush()

    def sides(found):
        return [
            "".join(delta.text for delta in found if delta.thought is thought)
            for thought in (False, True)
        ]

    assert sides(deltas)[1] == sides(at_once)[1]
    assert sides(deltas)[0].replace("\n", "") == sides(at_once)[0].replace("\n", "")


LIGHTS = ToolDeclaration("lights", "Switches them.", {"type": "object", "properties": {}})


def piece(arguments="", **fields):
    """One element of a delta's tool_calls; ``name`` goes where it belongs."""
    function = {"arguments": arguments} | ({"name": fields.pop("name")} if "name" in fields else {})
    return fields | {"function": function}


def calls_of(endpoint, *deltas):
    endpoint.answer = lambda body: [*[chunk(tool_calls=pieces) for pieces in deltas], "[DONE]"]
    told = []
    model = OpenAIChatModel(endpoint.spec)
    request = ChatRequest(ASK, tools=(LIGHTS,))
    usage = model.generate(request, lambda delta: told.append(delta.call) or False)
    return [(call.id, call.name, call.arguments) for call in told if call], usage.finish_reason


def test_declarations_calls_and_results_travel_as_openai_words_them(endpoint):
    endpoint.answer = lambda body: [chunk("On."), "[DONE]"]
    history = (
        *ASK,
        ChatMessage("assistant", "", calls=(ToolUse("c1", "lights", {"on": True}),)),
        ChatMessage("tool", '{"ok": 1}', call_id="c1"),
    )
    reply(OpenAIChatModel(endpoint.spec), ChatRequest(history, tools=(LIGHTS,)))
    [(_, _, body)] = endpoint.asked
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "lights",
                "description": "Switches them.",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    function = {"name": "lights", "arguments": '{"on": true}'}
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": '{"ok": 1}', "tool_call_id": "c1"},
    ]


def test_nothing_is_said_of_tools_where_there_are_none(endpoint):
    endpoint.answer = lambda body: [chunk("Yes."), "[DONE]"]
    reply(OpenAIChatModel(endpoint.spec))
    assert "tools" not in endpoint.asked[0][2]


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        (
            [
                [piece(index=0, id="a", name="lights")],
                [piece('{"br', index=0)],
                [piece('ight": 2', index=0)],
                [piece("}", index=0)],
            ],
            [("a", "lights", {"bright": 2})],
        ),
        (
            [
                [piece('{"n"', index=0, id="a", name="lights")],
                [piece("{", index=1, id="b", name="lights")],
                [piece("}", index=1), piece(": 1}", index=0)],
            ],
            [("a", "lights", {"n": 1}), ("b", "lights", {})],
        ),
        (  # every call numbered 0, told whole
            [[piece("{}", index=0, id="a", name="f")], [piece("{}", index=0, id="b", name="g")]],
            [("a", "f", {}), ("b", "g", {})],
        ),
        ([[piece(name="f"), piece(name="g")]], [("", "f", {}), ("", "g", {})]),
        ([[piece({"n": 1}, name="f")]], [("", "f", {"n": 1})]),
        (
            [[piece('{"n":', id="a", name="f")], [piece("1}", id="a", name="f")]],
            [("a", "f", {"n": 1})],
        ),
    ],
    ids=["in pieces", "interleaved", "all index 0", "no index, no id", "an object", "named twice"],
)  # fmt: skip
def test_streamed_calls_are_put_together(endpoint, deltas, calls):
    assert calls_of(endpoint, *deltas) == (calls, FinishReason.WHOLE)


@pytest.mark.parametrize(
    "bad",
    [
        piece('{"n": ', index=1, id="b", name="f"),
        piece("[1]", index=1, id="b", name="f"),
        piece("{}", index=1, id="b"),
        piece("[" * 100_000, index=1, id="b", name="f"),
    ],
    ids=["cut", "no object", "no name", "deep"],
)
def test_one_bad_call_spoils_the_reply_and_is_told(endpoint, bad):
    good = piece("{}", index=0, id="a", name="f")
    assert calls_of(endpoint, [good], [bad]) == ([], FinishReason.MALFORMED_CALL)


def test_a_reply_that_reached_its_limit_is_told(endpoint):
    last = {"choices": [{"delta": {}, "finish_reason": "length"}]}
    endpoint.answer = lambda body: [chunk("And so"), last, "[DONE]"]
    _, usage = reply(OpenAIChatModel(endpoint.spec))
    assert usage.finish_reason is FinishReason.CUT


def test_text_and_thoughts_before_a_call_stay_in_order(endpoint):
    endpoint.answer = lambda body: [
        chunk("<think>Hm</think>One moment <"),
        chunk(tool_calls=[piece("{}", index=0, id="a", name="f")]),
        "[DONE]",
    ]
    told = []
    OpenAIChatModel(endpoint.spec).generate(
        ChatRequest(ASK, Sampling(thinking_budget=1), (LIGHTS,)),
        lambda delta: told.append(delta) or False,
    )
    assert [(d.text, d.thought, bool(d.call)) for d in told] == [
        ("Hm", True, False),
        ("One moment ", False, False),
        ("<", False, False),
        ("", False, True),
    ]


def test_an_endpoint_that_refuses_functions_is_named(endpoint):
    endpoint.answer = lambda body: (400, '{"error": {"message": "qwen3 does not support tools"}}')
    model = OpenAIChatModel(endpoint.spec)
    with pytest.raises(UnsupportedError, match=r"qwen3 .*does it call them\? .*not support tools"):
        reply(model, ChatRequest(ASK, Sampling(thinking_budget=0), (LIGHTS,)))
    asked = len(endpoint.asked)
    endpoint.answer = lambda body: [chunk("Yes."), "[DONE]"]
    reply(model, ChatRequest(ASK, Sampling(thinking_budget=0)))
    assert len(endpoint.asked) == asked + 1
    assert endpoint.asked[-1][2]["reasoning_effort"] == "none"  # it was not that
