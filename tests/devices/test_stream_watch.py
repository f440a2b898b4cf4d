"""A stream that ends, or falls silent, is told once; one that we stop is not."""

import threading

from live_cli.devices.stream_watch import StreamWatch


def test_a_stream_that_ends_by_itself_is_lost() -> None:
    told, happened = [], threading.Event()

    def on_lost(reason: str) -> None:
        told.append(reason)
        watch.stop()  # from the watch's own thread
        happened.set()

    watch = StreamWatch("speaker", on_lost)
    watch.start()
    watch.beat()
    watch.end()
    assert happened.wait(10)
    assert told == ["The speaker was unplugged or its sound server ended."]
    assert watch.lost == told[0]


def test_a_stream_that_falls_silent_is_lost() -> None:
    happened = threading.Event()
    watch = StreamWatch("microphone", lambda reason: happened.set())
    watch.beat()
    watch.start()
    assert happened.wait(10)
    assert watch.lost == "The microphone fell silent."
    watch.stop()


def test_a_machine_that_slept_has_lost_its_streams() -> None:
    """Whether they still call back is not asked: what they play and hear may be long past."""
    happened = threading.Event()
    looks = iter([100.0, 100.1, 100.2, 3700.2])
    watch = StreamWatch("speaker", lambda reason: happened.set(), clock=lambda: next(looks))
    watch.start()
    assert happened.wait(10)
    assert watch.lost == "The speaker was asleep with the machine."


def test_only_a_stream_that_calls_back_for_a_while_is_running() -> None:
    begun = threading.Event()

    def clock() -> float:  # asked at each look, and calls back in between
        watch.beat()
        if watch.running:
            begun.set()
        return 0.0

    watch = StreamWatch("speaker", None, clock=clock)
    watch.beat()
    assert not watch.running
    watch.start()
    assert begun.wait(10)
    watch.end()
    assert not watch.running
    watch.stop()


def test_a_stream_that_we_stop_is_not_lost() -> None:
    told: list[str] = []
    watch = StreamWatch("speaker", told.append)
    watch.start()
    watch.stop()
    watch.end()
    assert not told
    assert watch.lost is None
    StreamWatch("speaker", told.append).stop()  # never started
