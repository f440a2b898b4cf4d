"""`serve` at every address of its machine: on both stacks, at the addresses that it prints."""

import json
import re
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from live_cli.loopback import ANY_ADDRESSES
from tests.harness.live_client import PATH, ending
from tests.harness.serve_process import Serve, serving

KEY = "a-key-for-the-network"
ENV = {
    "LIVE_CLI_KEY": KEY,
    "LIVE_CLI_ENGINE_DETECTOR": "scripted",
    "LIVE_CLI_ENGINE_TRANSCRIBER": "scripted",
    "LIVE_CLI_ENGINE_SYNTHESIZER": "scripted",
    "LIVE_CLI_ENGINE_CHAT": "scripted:Good day.",
}


def addresses_in(server: Serve) -> list[str]:
    """The addresses in the line that says where the server is."""
    [line] = [line for line in server.said.splitlines() if line.startswith("Serving")]
    return re.findall(r"http://(\S+?:\d+)[,.]", line)


async def setup_complete(address: str) -> bool:
    headers = {"x-goog-api-key": KEY}
    async with connect(f"ws://{address}{PATH}", additional_headers=headers, proxy=None) as client:
        await client.send(json.dumps({"setup": {"model": "models/local"}}))
        return "setupComplete" in json.loads(await client.recv())


@pytest.mark.parametrize("host", [ANY_ADDRESSES[1], "[::]"])
async def test_every_address_that_is_printed_answers(tmp_path: Path, host: str) -> None:
    with serving(tmp_path, {**ENV, "LIVE_CLI_SERVE_HOST": host}) as server:
        addresses = addresses_in(server)
        assert {f"127.0.0.1:{server.port}", f"[::1]:{server.port}"} <= set(addresses)
        for address in addresses:
            assert await setup_complete(address), address
        told = re.findall(r"http://[^\s,]+", server.said.replace(". The", " "))
        assert told
        assert not [url for url in told if "//[::]" in url or "//0.0.0.0" in url]


async def test_ipv4_alone_is_not_told_to_be_more(tmp_path: Path) -> None:
    with serving(tmp_path, {**ENV, "LIVE_CLI_SERVE_HOST": ANY_ADDRESSES[0]}) as server:
        addresses = addresses_in(server)
        assert f"127.0.0.1:{server.port}" in addresses
        assert not [address for address in addresses if address.startswith("[")]


async def test_a_strict_server_finds_no_model_that_google_ended(tmp_path: Path) -> None:
    settings = {**ENV, "LIVE_CLI_SERVE_STRICT": "true"}
    with serving(tmp_path, settings) as server:
        url = f"ws://127.0.0.1:{server.port}{PATH}?key={KEY}"
        async with connect(url, proxy=None) as client:
            await client.send(json.dumps({"setup": {"model": "models/gemini-2.0-flash-exp"}}))
            code, reason = await ending(client)
    assert (code, reason.startswith("models/gemini-2.0-flash-exp is not found")) == (1008, True)


async def test_any_other_server_takes_it_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, ENV) as server:
        url = f"ws://127.0.0.1:{server.port}{PATH}?key={KEY}"
        async with connect(url, proxy=None) as client:
            await client.send(json.dumps({"setup": {"model": "models/gemini-2.0-flash-exp"}}))
            assert "setupComplete" in json.loads(await client.recv())
        server.until("gemini-2.0-flash-exp was ended by Google")
