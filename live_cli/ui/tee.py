"""One session, shown by several faces at once."""

from types import TracebackType
from typing import Self, Unpack

from live_cli.protocol.events import Event
from live_cli.ui.view import DeviceNews, StatusChanges, Summary, View


class TeeView:
    """A `View` that tells each of ``faces``, in their order."""

    def __init__(self, *faces: View) -> None:
        self._faces = faces

    def event(self, event: Event) -> None:
        for face in self._faces:
            face.event(event)

    def sent(self, text: str) -> None:
        for face in self._faces:
            face.sent(text)

    def note(self, text: str) -> None:
        for face in self._faces:
            face.note(text)

    def error(self, text: str) -> None:
        for face in self._faces:
            face.error(text)

    def device(self, news: DeviceNews) -> None:
        for face in self._faces:
            face.device(news)

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        for face in self._faces:
            face.levels(microphone_dbfs, speaker_dbfs, speaking, heard_ms)

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        for face in self._faces:
            face.status(**changes)

    def close(self, summary: Summary | None = None) -> None:
        for face in self._faces:
            face.close(summary)

    def __enter__(self) -> Self:
        for face in self._faces:
            face.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for face in self._faces:
            face.__exit__(kind, error, trace)
