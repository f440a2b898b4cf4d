"""Which clients are slowed by back pressure, and which are closed for a flood."""

import asyncio
import base64
import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

from live_cli.net.server.limits.limits import Limits
from live_cli.net.server.limits.rate import SMALL_BYTES, SmallMessageRate
from tests.harness.live_client import ending, receive, said, say, set_up
from tests.harness.live_server import running_server


def audio(ms: int, rate: int = 16_000) -> str:
    data = base64.b64encode(bytes(2 * rate * ms // 1000)).decode()
    return json.dumps(
        {"realtimeInput": {"audio": {"data": data, "mimeType": f"audio/pcm;rate={rate}"}}}
    )


def test_media_is_never_counted() -> None:
    pace = SmallMessageRate(1.0, 0.0)
    assert len(audio(5)) >= SMALL_BYTES
    assert all(pace.admit(len(audio(5)), 0.0) for _ in range(10_000))


@pytest.mark.parametrize("per_s", [1, 50, 1000])
def test_small_messages_have_five_seconds_in_hand_and_then_their_rate(per_s: int) -> None:
    pace = SmallMessageRate(per_s, 100.0)
    assert sum(pace.admit(20, 100.0) for _ in range(per_s * 20)) == per_s * 5
    assert sum(pace.admit(20, 102.0) for _ in range(per_s * 20)) == per_s * 2
    assert sum(pace.admit(20, 1000.0) for _ in range(per_s * 20)) == per_s * 5


def test_zero_is_no_limit() -> None:
    pace = SmallMessageRate(0.0, 0.0)
    assert all(pace.admit(2, 0.0) for _ in range(10_000))


def test_the_default_lets_the_smallest_audio_through_faster_than_real_time() -> None:
    pace = SmallMessageRate(Limits().small_messages_per_s, 0.0)
    assert all(pace.admit(150, n / 800) for n in range(8000))  # 5 ms of 8 kHz, four times as fast


async def test_a_flood_of_tiny_messages_ends_its_session_alone() -> None:
    async with (
        running_server(limits=Limits(small_messages_per_s=100)) as server,
        server.connect() as flooder,
        server.connect() as other,
    ):
        await set_up(flooder)
        await set_up(other)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(2000):
                await flooder.send('{"toolResponse":{}}')
        code, reason = await ending(flooder)
        assert (code, reason) == (1008, "More than 100 messages a second below 256 bytes.")
        await other.send(say("still here"))
        assert said(await receive(other)) == "still here"


async def test_a_file_at_full_speed_gets_through_and_its_end_as_well() -> None:
    """Far over the rate of small messages, with an inbox that is full all the time."""
    limits = Limits(small_messages_per_s=10, held_bytes=20_000)
    async with running_server(limits=limits) as server, server.connect() as client:
        await set_up(client)

        async def upload() -> None:
            for _ in range(1500):
                await client.send(audio(20))
            await client.send(say("end"))

        sending = asyncio.create_task(upload())
        for _ in range(1500):
            assert said(await receive(client)) == "640 bytes at 16000"
        assert said(await receive(client)) == "end"
        await sending
