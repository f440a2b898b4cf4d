"""Functions and MCP servers in the commands, through the real wire and server."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.chat_endpoint import Body, ChatEndpoint, called, chunk, serving_endpoint
from tests.harness.command import LIMIT_S, live_cli, started
from tests.harness.process_figures import runs
from tests.harness.sdks import SCRIPTED
from tests.harness.speech import QUESTION

HOUSE = '''
def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on."""
    return f"The lamp in the {room} is burning."
'''

FAILING = '''
def lamp(room: str) -> str:
    """Tell whether the lamp of a room is on."""
    raise ValueError("the fuse is blown")
'''
MCP_SERVER = Path(__file__).parents[1] / "harness" / "mcp_server.py"


def calling(name: str, **arguments: Any) -> Callable[[Body], Any]:
    """A model that calls a function, and then tells its result."""

    def answer(body: Body) -> Any:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return [chunk(f"I found this: {last['content']}"), "[DONE]"]
        return [called(name, **arguments), "[DONE]"]

    return answer


@pytest.fixture
def endpoint() -> Iterator[ChatEndpoint]:
    with serving_endpoint() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path) -> str:
    path = tmp_path / "house.py"
    path.write_text(HOUSE)
    return str(path)


def talked(endpoint: ChatEndpoint, tmp_path: Path, *options: str) -> tuple[list[Body], str]:
    """The JSON lines of a talk with one spoken question, and stderr."""
    config = tmp_path / "config.toml"
    config.write_text(f'[engine]\nchat = "openai:{endpoint.spec}"\n')
    done = live_cli(
        "talk", "--config", str(config), "--server", "local", "--json", "--input", str(QUESTION),
        "--output", str(tmp_path / "answer.wav"), *options, home=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def of_type(lines: list[Body], kind: str) -> list[Body]:
    return [line for line in lines if line["type"] == kind]


def test_a_function_is_declared_called_and_its_result_is_spoken(
    endpoint: ChatEndpoint, tmp_path: Path, house: str
) -> None:
    endpoint.answer = calling("lamp", room="kitchen")
    lines, _ = talked(endpoint, tmp_path, "--tools", house, "--allow", "lamp")
    (declared,) = endpoint.asked[0][2]["tools"]
    assert declared["function"]["name"] == "lamp"
    (call,) = of_type(lines, "tool_call")
    assert call["calls"][0]["args"] == {"room": "kitchen"}
    (result,) = of_type(lines, "tool_result")
    assert (result["name"], result["state"]) == ("lamp", "done")
    assert result["id"] == call["calls"][0]["id"]
    assert "burning" in result["result"]["output"]
    said = "".join(line["text"] for line in of_type(lines, "output_transcript"))
    assert "burning" in said


def test_without_a_person_a_call_is_refused_and_the_way_out_is_named(
    endpoint: ChatEndpoint, tmp_path: Path, house: str
) -> None:
    endpoint.answer = calling("lamp", room="kitchen")
    lines, errors = talked(endpoint, tmp_path, "--tools", house)
    (result,) = of_type(lines, "tool_result")
    assert result["state"] == "refused"
    assert "--allow lamp" in errors
    assert "did not allow" in endpoint.asked[-1][2]["messages"][-1]["content"]


def test_tools_of_an_mcp_server_answer_where_its_file_trusts_it(
    endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    servers = {
        "time": {"command": sys.executable, "args": ["-m", "mcp_server_time"], "trust": True}
    }
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    endpoint.answer = calling("time__get_current_time", timezone="Europe/Berlin")
    lines, _ = talked(endpoint, tmp_path, "--mcp", str(tmp_path / "mcp.json"))
    (result,) = of_type(lines, "tool_result")
    assert (result["name"], result["state"]) == ("time__get_current_time", "done")
    assert "Europe/Berlin" in str(result["result"])


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("house.py", "def f(:\n", "house.py:1: "),
        ("house.py", "x = 1\n", "holds no tool"),
        ("mcp.json", "{", "mcp.json:1: this is not JSON"),
        ("mcp.json", "{}", '"mcpServers"'),
        ("mcp.json", '{"mcpServers": {"x": {}}}', "'x'"),
    ],
)
def test_a_bad_file_is_named_before_anything_is_opened(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    path = tmp_path / file
    path.write_text(text)
    option = "--tools" if file.endswith(".py") else "--mcp"
    done = live_cli(
        "talk", "--input", str(QUESTION), "--output", "-", option, str(path), home=tmp_path
    )
    errors = done.stderr.decode()
    assert done.returncode == 7
    assert said in errors
    assert errors.count("\n") == 1


def written(endpoint: ChatEndpoint, tmp_path: Path, *options: str, stdin: str = "") -> str:
    """What `text` prints for a question, or for the lines of ``stdin``."""
    config = tmp_path / "config.toml"
    config.write_text(f'[engine]\nchat = "openai:{endpoint.spec}"\n')
    done = live_cli(
        "text", "--config", config, "--server", "local", *options, home=tmp_path, stdin=stdin
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_text_waits_for_the_answer_after_a_call(
    endpoint: ChatEndpoint, tmp_path: Path, house: str
) -> None:
    endpoint.answer = calling("lamp", room="kitchen")
    said = written(endpoint, tmp_path, "--tools", house, "--allow", "*", "Is it on?")
    assert said == "I found this: The lamp in the kitchen is burning.\n"


def test_nothing_of_mcp_is_imported_where_no_server_is_configured(
    tmp_path: Path, house: str
) -> None:
    done = live_cli(
        "text", "--server", "local", "--tools", house, "Hi.",
        home=tmp_path,
        env={**SCRIPTED, "LIVE_CLI_ENGINE_CHAT": "scripted:Hello.", "PYTHONPROFILEIMPORTTIME": "1"},
    )  # fmt: skip
    errors = done.stderr.decode()
    assert done.returncode == 0, errors
    roots = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in errors.splitlines()
        if line.startswith("import time:")
    }
    assert "live_cli" in roots
    assert not roots & {"mcp", "mcp_types", "pydantic", "httpx2", "jsonschema"}


def test_each_line_of_a_pipe_gets_its_own_answer_after_its_own_call(
    endpoint: ChatEndpoint, tmp_path: Path, house: str
) -> None:
    def answer(body: Body) -> Any:
        last = body["messages"][-1]
        if last["role"] == "tool":
            return [chunk(last["content"]), "[DONE]"]
        room = "kitchen" if "kitchen" in last["content"] else "hall"
        return [called("lamp", room=room), "[DONE]"]

    endpoint.answer = answer
    lines = "Is the kitchen lit?\nAnd the hall?\n"
    said = written(endpoint, tmp_path, "--tools", house, "--allow", "lamp", stdin=lines)
    assert said.splitlines() == [
        "The lamp in the kitchen is burning.",
        "The lamp in the hall is burning.",
    ]


def test_the_model_may_begin(endpoint: ChatEndpoint, tmp_path: Path) -> None:
    def answer(body: Body) -> Any:
        return [chunk(f"To {body['messages'][-1]['content'].strip()}"), "[DONE]"]

    endpoint.answer = answer
    said = written(endpoint, tmp_path, "--say-first", "Greet me.", stdin="And now?\n")
    assert said.splitlines() == ["To Greet me.", "To And now?"]
    lines, _ = talked(endpoint, tmp_path, "--say-first", "Greet me.")
    first = next(line for line in lines if line["type"] == "output_transcript")
    assert first["text"].startswith("To Greet")
    # who speaks before the greeting is heard gets one answer to both
    assert len(of_type(lines, "turn_complete")) in (1, 2)


def test_tools_are_listed_with_what_becomes_of_a_call(tmp_path: Path, house: str) -> None:
    server = {"command": sys.executable, "args": ["-m", "mcp_server_time"], "trust": True}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"time": server}}))
    done = live_cli(
        "tools", "--tools", house, "--mcp", tmp_path / "mcp.json", "--json", home=tmp_path
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["name"], row["from"], row["a_call"]) for row in rows] == [
        ("lamp", "house.py", "asks"),
        ("time__get_current_time", "MCP server time", "runs"),
        ("time__convert_time", "MCP server time", "runs"),
    ]
    assert rows[0]["parameters"]["required"] == ["room"]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "said"),
    [
        ("lamp", '{"room": "hall"}', 0, "The lamp in the hall is burning."),
        ("lamp", "{}", 6, "do not fit"),
        ("lamp", "[]", 2, "JSON object"),
        ("lamp", "{", 2, "no JSON"),
        ("lamb", "{}", 2, "did you mean 'lamp'"),
    ],
)
def test_a_tool_is_tried_without_a_model(
    tmp_path: Path, house: str, name: str, arguments: str, code: int, said: str
) -> None:
    done = live_cli("tools", "call", name, arguments, "--tools", house, home=tmp_path)
    assert done.returncode == code
    assert said in (done.stdout if code == 0 else done.stderr).decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_in_the_middle_of_a_call_ends_the_server_and_what_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 1000 & echo $! >{pid}; trap '' TERM; exec {sys.executable} {MCP_SERVER}"
    server = {"command": "sh", "args": ["-c", script]}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": {"house": server}}))
    command = ("tools", "call", "house__slow", "{}", "--mcp", tmp_path / "mcp.json")
    with started(*command, home=tmp_path, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        with running.stderr as errors:
            assert any("a quarter" in line for line in errors)  # the tool runs
            running.send_signal(number)
            assert running.wait(LIMIT_S) in (130, -number)
    assert not runs(int(pid.read_text()))


def test_what_a_tool_raised_is_in_a_log_that_is_named_to_the_person_alone(
    endpoint: ChatEndpoint, tmp_path: Path
) -> None:
    (tmp_path / "house.py").write_text(FAILING)
    endpoint.answer = calling("lamp", room="hall")
    config = tmp_path / "config.toml"
    config.write_text(f'[engine]\nchat = "openai:{endpoint.spec}"\n')
    done = live_cli(
        "text", "--config", config, "--server", "local", "--tools", tmp_path / "house.py",
        "--allow", "*", "Is it on?", home=tmp_path,
    )  # fmt: skip
    (log,) = tmp_path.rglob("tools.log")
    assert str(log) in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert "house.py" in log.read_text()
    assert "the fuse is blown" in log.read_text()
    told = endpoint.asked[-1][2]["messages"][-1]["content"]
    assert "ValueError: the fuse is blown" in told
    assert str(tmp_path) not in json.dumps(endpoint.asked[-1][2])
