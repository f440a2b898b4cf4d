"""One session, shown by several views at once."""

from types import TracebackType
from typing import Self, Unpack

from live_cli.protocol.events import Event
from live_cli.ui.view import CallStatus, DeviceNews, ImageStatus, StatusChanges, Summary, View


class TeeView:
    """A `View` that passes every call on to each of ``views``, in their order."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def event(self, event: Event) -> None:
        for view in self._views:
            view.event(event)

    def sent(self, text: str) -> None:
        for view in self._views:
            view.sent(text)

    def note(self, text: str) -> None:
        for view in self._views:
            view.note(text)

    def error(self, text: str) -> None:
        for view in self._views:
            view.error(text)

    def device(self, news: DeviceNews) -> None:
        for view in self._views:
            view.device(news)

    def tool_call(self, status: CallStatus) -> None:
        for view in self._views:
            view.tool_call(status)

    def images(self, status: ImageStatus) -> None:
        for view in self._views:
            view.images(status)

    def levels(
        self, microphone_dbfs: float, speaker_dbfs: float, speaking: bool, heard_ms: float
    ) -> None:
        for view in self._views:
            view.levels(microphone_dbfs, speaker_dbfs, speaking, heard_ms)

    def status(self, **changes: Unpack[StatusChanges]) -> None:
        for view in self._views:
            view.status(**changes)

    def close(self, summary: Summary | None = None) -> None:
        for view in self._views:
            view.close(summary)

    def __enter__(self) -> Self:
        for view in self._views:
            view.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for view in self._views:
            view.__exit__(kind, error, trace)
