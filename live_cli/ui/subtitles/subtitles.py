"""A transcript as a file: plain text, SubRip (SRT), WebVTT or JSON.

All but JSON grow: `TranscriptText` gives what each subtitle adds, whole captions, so that a file
that is written piece by piece is readable at any moment.
"""

import json
from collections import Counter
from collections.abc import Sequence

from live_cli.ui.printable import escaped_in_json, printable
from live_cli.ui.subtitles.captions import CaptionMaker, Subtitle
from live_cli.ui.subtitles.line_breaks import CaptionLimits

FORMATS = ("text", "srt", "vtt", "json")


class TranscriptText:
    """The text of one transcript in one of `FORMATS`, piece by piece: head, subtitles, tail.

    ``name``: of the sound file, as it is. ``sentence_lines``: a line for each subtitle of plain
    text, in place of one for all.
    """

    def __init__(
        self,
        file_format: str,
        name: str,
        limits: CaptionLimits | None = None,
        *,
        sentence_lines: bool = False,
    ) -> None:
        if file_format not in FORMATS:
            raise ValueError(f"not a transcript format: {file_format}")
        self._format = file_format
        self._name = name
        self._captions = CaptionMaker(limits or CaptionLimits())
        self._sentence_lines = sentence_lines
        self._count = 0
        self._subtitles: list[Subtitle] = []  # of JSON, which is written at the end

    @property
    def holds_back(self) -> bool:
        """Whether words were added that only the tail will have: JSON is whole or nothing."""
        return bool(self._subtitles)

    def head(self) -> str:
        """Return what stands before the first subtitle."""
        return "WEBVTT\n\n" if self._format == "vtt" else ""

    def add(self, subtitle: Subtitle) -> str:
        """Return what ``subtitle`` adds."""
        match self._format:
            case "text":
                return self._sentence(subtitle)
            case "srt":
                return "".join(self._srt(caption) for caption in self._captions.captions(subtitle))
            case "vtt":
                return "".join(_vtt(caption) for caption in self._captions.captions(subtitle))
        self._subtitles.append(subtitle)
        return ""

    def tail(self, duration_s: float, stopped_at_s: float | None = None) -> str:
        """Return what ends the transcript of ``duration_s`` seconds.

        ``stopped_at_s``: where it ends before the sound does.
        """
        if self._format == "text":
            return "" if self._sentence_lines else "\n"
        if self._format == "json":
            return _json(self._subtitles, self._name, duration_s, stopped_at_s) + "\n"
        return ""

    def _sentence(self, subtitle: Subtitle) -> str:
        text = printable(" ".join(subtitle.text.split()))
        self._count += 1
        if self._sentence_lines:
            return f"{text}\n"
        return text if self._count == 1 else f" {text}"

    def _srt(self, caption: Subtitle) -> str:
        self._count += 1
        start, end = _clock(caption.start_s, ","), _clock(caption.end_s, ",")
        return f"{self._count}\n{start} --> {end}\n{_shown(caption)}\n\n"


def render(
    subtitles: Sequence[Subtitle],
    file_format: str,
    *,
    name: str,
    duration_s: float,
    limits: CaptionLimits | None = None,
) -> str:
    """Return the whole transcript in one of `FORMATS`, ending in a newline."""
    text = TranscriptText(file_format, name, limits)
    return text.head() + "".join(map(text.add, subtitles)) + text.tail(duration_s)


def _json(
    subtitles: Sequence[Subtitle], name: str, duration_s: float, stopped_at_s: float | None
) -> str:
    whole = {
        "file": name,
        "duration": round(duration_s, 3),
        "language": _language(subtitles),
        "text": " ".join(subtitle.text.strip() for subtitle in subtitles),
        "segments": [_segment(subtitle) for subtitle in subtitles],
    }
    if stopped_at_s is not None:
        whole["stopped_at"] = round(stopped_at_s, 3)
    return escaped_in_json(json.dumps(whole, ensure_ascii=False, indent=2))


def _segment(subtitle: Subtitle) -> dict[str, object]:
    segment: dict[str, object] = {
        "start": round(subtitle.start_s, 3),
        "end": round(subtitle.end_s, 3),
        "text": subtitle.text.strip(),
    }
    if subtitle.language:
        segment["language"] = subtitle.language
    if subtitle.words:
        segment["words"] = [
            {"word": word.text, "start": round(word.start_s, 3), "end": round(word.end_s, 3)}
            for word in subtitle.words
        ]
    return segment


def _language(subtitles: Sequence[Subtitle]) -> str | None:
    """Return the language of most of the text, None where the engine tells none."""
    characters: Counter[str] = Counter()
    for subtitle in subtitles:
        if subtitle.language:
            characters[subtitle.language] += len(subtitle.text)
    return characters.most_common(1)[0][0] if characters else None


def _vtt(caption: Subtitle) -> str:
    # "-->" and markup in spoken text would end or style the cue (WebVTT, 4.2.2).
    text = _shown(caption).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_clock(caption.start_s, '.')} --> {_clock(caption.end_s, '.')}\n{text}\n\n"


def _shown(caption: Subtitle) -> str:
    return printable(caption.text, newlines=True)


def _clock(seconds: float, decimal_mark: str) -> str:
    total_ms = round(max(0.0, seconds) * 1000)
    total_s, ms = divmod(total_ms, 1000)
    minutes, s = divmod(total_s, 60)
    h, m = divmod(minutes, 60)
    return f"{h:02}:{m:02}:{s:02}{decimal_mark}{ms:03}"
