"""What a person sees of a talk on a terminal: asked, running, done, cancelled, sources, code."""

import asyncio
import json
import wave
from pathlib import Path
from typing import Any

from live_cli.commands.talk.conversation import READING_S
from live_cli.protocol.messages import ServerMessage
from live_cli.protocol.wire import decode_server
from tests.harness.command import json_lines, of_type
from tests.harness.live_server import LiveServer, running_server
from tests.harness.scripted_engine import ScriptedEngine
from tests.harness.terminal_command import CommandOnTerminal, on_terminal

HOUSE = '''
import time
from pathlib import Path

def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on, once there is a file of that name."""
    while not Path(__file__).with_name(room).exists():
        time.sleep(0.02)
    return f"The lamp in the {room} is burning.\\x1b[2J\\nSince noon."
'''
SOURCE = {"web": {"uri": "https://lamps.example/long/" + "x" * 80, "title": "All \x1b[2Jlamps"}}


def silence(folder: Path) -> Path:
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000 * 120))
    return path


def content(**fields: Any) -> ServerMessage:
    return decode_server(json.dumps({"serverContent": fields}))


def called(call_id: str, **arguments: Any) -> ServerMessage:
    call = {"id": call_id, "name": "lamp", "args": arguments}
    return decode_server(json.dumps({"toolCall": {"functionCalls": [call]}}))


def parts(*given: dict[str, Any]) -> ServerMessage:
    return content(modelTurn={"parts": list(given)})


async def test_a_call_is_asked_about_runs_and_ends_on_the_screen(tmp_path: Path) -> None:
    (tmp_path / "house.py").write_text(HOUSE)
    async with running_server(ScriptedEngine(echoes_sound=False)) as server:
        with on_terminal(tmp_path, *arguments(server, tmp_path), rows=20) as talk:
            await server.engine.opened.wait()
            session = server.engine.sessions[-1]
            await session.emit(content(inputTranscription={"text": "Is it on?"}))
            await session.emit(called("one", room="hall"))
            rows = await shows(talk, "lamp (house.py) wants to run with room='hall'", "Run it?")
            assert "   y once   a in this session   n no   N never" in "\n".join(rows)
            await asyncio.sleep(READING_S)
            talk.press("y")
            await shows(talk, " … 1 s", gone="Run it?")
            rows = await shows(talk, " … 2 s")
            assert sum(row.startswith(" lamp(room='hall') … ") for row in rows) == 1
            (tmp_path / "hall").touch()
            await shows(
                talk, "lamp(room='hall') → The lamp in the hall is burning.␛[2J", gone="… 2 s"
            )

            # a small window, and a call that is taken back while the person is asked
            talk.resize(20, 6)
            await session.emit(called("two", room="城市" * 20))
            rows = await shows(talk, "lamp (house.py)", "Run? y/a/n/N")
            assert len(rows) <= 6
            await session.emit(cancelled("two"))
            await shows(talk, "thinking", gone="Run?")
            talk.resize(100, 30)  # and one that is taken back while it runs
            await session.emit(called("three", room="den"))
            await shows(talk, "Run it?")
            await asyncio.sleep(READING_S)
            talk.press("y")
            await shows(talk, "市') was cancelled (", "lamp(room='den') … ", gone="Run it?")
            await session.emit(cancelled("three"))
            await shows(talk, "lamp(room='den') was cancelled (")
            await session.emit(called("four", room="attic"))  # and one that nobody has answered
            await shows(talk, "Run it?")
            talk.press("q")
            assert await asyncio.to_thread(talk.ended) == 0
            assert talk.screen.cursor_shows
            assert any("lamp(room='attic') was cancelled (" in row for row in talk.screen.text)
    (record,) = (tmp_path / "kept").glob("*.jsonl")
    results = of_type(json_lines(record.read_bytes()), "tool_result")
    states = {result["id"]: result["state"] for result in results}
    assert states.pop("one") == "done"
    assert states == dict.fromkeys(("two", "three", "four"), "cancelled")
    done = results[0]
    assert done["asked_t"] <= done["begun_t"] < done["t"]
    assert done["result"] == {"output": "The lamp in the hall is burning.\x1b[2J\nSince noon."}


async def test_sources_and_code_stand_below_the_answer(tmp_path: Path) -> None:
    (tmp_path / "house.py").write_text(HOUSE)
    answer = "Lamps burn. 燈亮著。"
    supports = [
        {"segment": {"endIndex": 11, "text": "Lamps burn."}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 12, "endIndex": len(answer.encode())},
         "groundingChunkIndices": [1, 0]},
    ]  # fmt: skip
    chunks = [SOURCE, {"web": {"uri": "javascript:alert(1)", "title": "燈"}}]
    links = {"FORCE_HYPERLINK": "1"}
    async with running_server(ScriptedEngine(echoes_sound=False)) as server:
        with on_terminal(tmp_path, *arguments(server, tmp_path), env=links) as talk:
            await server.engine.opened.wait()
            session = server.engine.sessions[-1]
            code = {"executableCode": {"language": "PYTHON", "code": "a = 1\nprint(a)"}}
            ran = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n\x1b[2J2"}}
            await session.emit(parts(code, ran))
            await session.emit(parts({"text": answer}))
            grounding = {"groundingChunks": chunks, "groundingSupports": supports}
            await session.emit(content(groundingMetadata=grounding))
            await session.emit(content(turnComplete=True))
            rows = await shows(talk, "[2] 燈 · javascript:alert(1)")
            talk.press("q")
            assert await asyncio.to_thread(talk.ended) == 0
    start = rows.index(" code    ran 2 lines of Python → 1 (and 1 more line)")
    assert rows[start + 1] == " model   Lamps burn.[1] 燈亮著。[2][1]"
    assert rows[start + 2].startswith(" ·       [1] All ␛[2Jlamps · lamps.example/long/x")
    assert set(talk.screen.links) == {SOURCE["web"]["uri"]}
    (record,) = (tmp_path / "kept").glob("*.jsonl")
    records = json_lines(record.read_bytes())
    assert of_type(records, "grounding")[0]["grounding"] == grounding
    assert of_type(records, "code")[0]["code"] == "a = 1\nprint(a)"
    (words,) = (tmp_path / "kept").glob("*.txt")
    assert words.read_text() == f"model: {answer}\n"


def arguments(server: LiveServer, tmp_path: Path) -> list[str | Path]:
    return [
        "talk", "--server", f"ws://127.0.0.1:{server.port}", "--input", silence(tmp_path),
        "--output", tmp_path / "answer.wav", "--tools", tmp_path / "house.py",
        "--record", tmp_path / "kept",
    ]  # fmt: skip


async def shows(talk: CommandOnTerminal, *wanted: str, gone: str = "\0") -> list[str]:
    return await asyncio.to_thread(talk.until, *wanted, gone=gone)


def cancelled(*ids: str) -> ServerMessage:
    return decode_server(json.dumps({"toolCallCancellation": {"ids": list(ids)}}))
