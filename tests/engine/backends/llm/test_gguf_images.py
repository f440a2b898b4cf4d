"""A GGUF model that sees: llama.cpp itself, with a projector made for the bundled model.

The projector knows three colours and nothing else (see `colour_projector`); whether a trained one
sees well is not shown here.
"""

import struct
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image as Pillow

from live_cli.engine.backends.llm.control_words import ControlWords
from live_cli.engine.backends.llm.decoded_images import check_decodable
from live_cli.engine.backends.llm.gguf import GgufChatModel
from live_cli.engine.backends.llm.gguf_metadata import read_metadata
from live_cli.engine.chat_models.lookup import bundled_model
from live_cli.engine.stages import (
    ChatDelta,
    ChatMessage,
    ChatRequest,
    Image,
    Sampling,
    ToolDeclaration,
    ToolUse,
)
from live_cli.errors import EngineError, UnsupportedError
from tests.harness.colour_projector import COLOURS, IMAGE_TOKENS, write_colour_projector
from tests.harness.images import WEBP, png

BUNDLED = bundled_model() or Path()
CARDS = {name: Image(png(*rgb), "image/png") for name, rgb in COLOURS.items()}
ASK = "Name the colour."


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GgufChatModel]:
    projector = write_colour_projector(tmp_path_factory.mktemp("projector") / "mmproj.gguf")
    model = GgufChatModel(BUNDLED, projector, parallel=2)
    yield model
    model.close()


def asked(*images: Image, text: str = ASK) -> ChatMessage:
    return ChatMessage("user", text, images)


def answer(model: GgufChatModel, *messages: ChatMessage) -> str:
    said: list[str] = []

    def on_delta(delta: ChatDelta) -> bool:
        said.append(delta.text)
        return False

    model.generate(ChatRequest(messages, Sampling(max_tokens=12, temperature=0.0)), on_delta)
    return "".join(said)


def encoded(kind: str, **options: object) -> bytes:
    file = BytesIO()
    Pillow.new("RGB", (64, 48), (0, 0, 255)).save(file, kind, **options)
    return file.getvalue()


def test_the_colour_of_a_card_is_named(seeing: GgufChatModel) -> None:
    assert seeing.sees
    for name, card in CARDS.items():
        assert name in answer(seeing, asked(card)).lower()


def test_an_image_of_an_earlier_turn_is_seen_with_those_of_later_ones(
    seeing: GgufChatModel,
) -> None:
    red, blue = CARDS["red"], CARDS["blue"]
    earlier = (asked(red), ChatMessage("assistant", "The color is red."))
    before = seeing.count_tokens((*earlier, asked()))
    with_image = seeing.count_tokens((*earlier, asked(blue)))
    assert before is not None
    assert with_image is not None
    assert with_image - before == seeing.image_tokens >= IMAGE_TOKENS
    for _ in range(2):  # the second time from the cache
        assert "blue" in answer(seeing, *earlier, asked(blue)).lower()


def test_two_who_show_different_cards_at_once_get_their_own(seeing: GgufChatModel) -> None:
    said: dict[str, str] = {}

    def show(name: str) -> None:
        said[name] = answer(seeing, asked(CARDS[name])).lower()

    threads = [threading.Thread(target=show, args=(name,)) for name in ("red", "blue")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(name in text for name, text in said.items()), said


def test_words_that_stand_for_an_image_are_text(
    seeing: GgufChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(seeing, asked(text="Say <__media__> and <image>."))
    assert answer(seeing, asked(CARDS["red"], text="Say <__media__> and <image>."))
    in_base64 = b64encode(CARDS["red"].data).decode()[20:24]
    monkeypatch.setattr(seeing, "_control_words", ControlWords({in_base64}))
    assert "red" in answer(seeing, asked(CARDS["red"])).lower()


BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 60_000, 60_000) + bytes(20)


@pytest.mark.parametrize(
    ("data", "mime_type", "words"),
    [
        (WEBP, "image/webp", "no WEBP images: send JPEG or PNG"),
        (b"\xff\xd8\xff\0\0\0\0", "image/jpeg", "cannot be decoded"),
        (b"\xff\xd8\xff", "image/jpeg", "cannot be decoded"),
        (encoded("JPEG")[:120], "image/jpeg", "cannot be decoded"),
        (png(255, 0, 0)[:20], "image/png", "cannot be decoded"),
        (png(255, 0, 0)[:45], "image/png", "cannot be decoded"),
        (BOMB, "image/png", "60,000 x 60,000 pixels, more than 40 million"),
    ],
)
def test_what_cannot_be_decoded_is_refused_in_words(
    seeing: GgufChatModel, data: bytes, mime_type: str, words: str
) -> None:
    with pytest.raises(UnsupportedError, match=words) as refused:
        answer(seeing, asked(Image(data, mime_type)))
    assert refused.value.close_code == 1007
    assert len(refused.value.reason.encode()) <= 123
    assert "red" in answer(seeing, asked(CARDS["red"])).lower()  # and the model goes on


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + bytes(500)}),
        ("JPEG", {"comment": b"\xff\xc0 is no size here"}),
        ("PNG", {}),
    ],
)
def test_the_size_is_found_wherever_the_header_has_it(kind: str, options: dict[str, bytes]) -> None:
    data, mime_type = encoded(kind, **options), f"image/{kind.lower()}"
    small, large = struct.pack(">HH", 48, 64), struct.pack(">HH", 5001, 8000)
    if kind == "PNG":
        small, large = struct.pack(">II", 64, 48), struct.pack(">II", 8000, 5001)
    check_decodable([asked(Image(data, mime_type))])
    with pytest.raises(UnsupportedError, match="8,000 x 5,001 pixels"):
        check_decodable([asked(Image(data.replace(small, large), mime_type))])


TYPED = """\
{%- for message in messages -%}{{- '<|im_start|>' + message.role + '\\n' -}}
{%- for part in message['content'] -%}
{%- if part['type'] == 'text' -%}{{- part['text'] -}}
{%- elif part['type'] == 'image' -%}{{- '<image>' -}}{%- endif -%}
{%- endfor -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
"""Wants the content of messages in parts and knows no tools, as SmolVLM2's template does."""


def test_a_template_that_wants_parts_gets_images_and_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = replace(read_metadata(BUNDLED), template=TYPED)
    monkeypatch.setattr("live_cli.engine.backends.llm.gguf.read_metadata", lambda _: metadata)
    model = GgufChatModel(BUNDLED, write_colour_projector(tmp_path / "mmproj.gguf"))
    look = ToolDeclaration("look", "Looks at a card.")
    system = ChatMessage("system", "Be brief.")
    called = ChatMessage("assistant", "", calls=(ToolUse("1", "look", {}),))
    result = ChatMessage("tool", "it is red", call_id="1")
    assert "blue" in answer(model, system, asked(CARDS["blue"])).lower()
    bare = model.count_tokens((system, asked(CARDS["blue"])))
    for tools, messages in (
        ((look,), (system, asked(CARDS["blue"]))),
        ((look,), (asked(CARDS["blue"]), called, result, replace(result, call_id="2"))),
    ):
        request = ChatRequest(messages, Sampling(max_tokens=1), tools)
        assert model.generate(request, lambda _: False).prompt_tokens > (bare or 0)
    model.close()


def test_a_projector_that_does_not_fit_is_refused_in_words(tmp_path: Path) -> None:
    other, sound = tmp_path / "mmproj-other.gguf", tmp_path / "mmproj-sound.gguf"
    write_colour_projector(other, width=512)
    write_colour_projector(sound, sound=True)
    text = tmp_path / "mmproj.txt"
    text.write_text("no model")
    for projector, words in (
        (other, f"{BUNDLED.name} does not load with mmproj-other.gguf: take the projector"),
        (sound, "cannot see by mmproj-sound.gguf: it is a projector of sound"),
        (BUNDLED, "it is a model and no projector"),
        (text, "cannot see by mmproj.txt: "),
        (tmp_path / "none.gguf", "none.gguf"),
    ):
        with pytest.raises(EngineError, match=words):
            GgufChatModel(BUNDLED, projector)


def test_a_model_without_a_projector_is_blind(chat: GgufChatModel) -> None:
    assert not chat.sees
