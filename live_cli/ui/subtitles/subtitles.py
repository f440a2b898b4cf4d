"""A transcript as a file: plain text, SubRip (SRT), WebVTT or JSON.

Captions are cut at word borders so that none is longer than two lines of 42 characters, the
common limit; a cut inside a subtitle gets its time in proportion to its characters.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SUBTITLE_CHARACTERS = 84
FORMATS = ("text", "srt", "vtt", "json")


@dataclass(frozen=True, slots=True)
class Subtitle:
    """Words spoken from ``start_s`` to ``end_s`` seconds of the file."""

    text: str
    start_s: float
    end_s: float


def render(subtitles: Sequence[Subtitle], file_format: str, *, name: str, duration_s: float) -> str:
    """Return the whole transcript in one of `FORMATS`, ending in a newline."""
    match file_format:
        case "text":
            return " ".join(subtitle.text.strip() for subtitle in subtitles) + "\n"
        case "srt":
            return "".join(_srt(_captions(subtitles)))
        case "vtt":
            return "WEBVTT\n\n" + "".join(_vtt(_captions(subtitles)))
        case "json":
            return _json(subtitles, name, duration_s) + "\n"
    raise ValueError(f"not a transcript format: {file_format}")


def _json(subtitles: Sequence[Subtitle], name: str, duration_s: float) -> str:
    rows = [
        {"start": round(s.start_s, 3), "end": round(s.end_s, 3), "text": s.text.strip()}
        for s in subtitles
    ]
    text = " ".join(row["text"] for row in rows if isinstance(row["text"], str))
    whole = {"file": name, "duration": round(duration_s, 3), "text": text, "segments": rows}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _srt(captions: Iterable[Subtitle]) -> Iterator[str]:
    for number, caption in enumerate(captions, start=1):
        start, end = _clock(caption.start_s, ","), _clock(caption.end_s, ",")
        yield f"{number}\n{start} --> {end}\n{caption.text}\n\n"


def _vtt(captions: Iterable[Subtitle]) -> Iterator[str]:
    for caption in captions:
        # "-->" and markup in spoken text would end or style the cue (WebVTT, 4.2.2).
        text = caption.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield f"{_clock(caption.start_s, '.')} --> {_clock(caption.end_s, '.')}\n{text}\n\n"


def _clock(seconds: float, decimal_mark: str) -> str:
    total_ms = round(max(0.0, seconds) * 1000)
    total_s, ms = divmod(total_ms, 1000)
    minutes, s = divmod(total_s, 60)
    h, m = divmod(minutes, 60)
    return f"{h:02}:{m:02}:{s:02}{decimal_mark}{ms:03}"


def _captions(subtitles: Iterable[Subtitle]) -> Iterator[Subtitle]:
    for subtitle in subtitles:
        texts = _cut(subtitle.text.split())
        total = sum(len(text) for text in texts) or 1
        start_s, length_s = subtitle.start_s, subtitle.end_s - subtitle.start_s
        for text in texts:
            end_s = start_s + length_s * len(text) / total
            yield Subtitle(text, start_s, end_s)
            start_s = end_s


def _cut(words: Sequence[str]) -> list[str]:
    """Return runs of words of nearly equal length; only a single long word exceeds the limit."""
    whole = " ".join(words)
    if not whole:
        return []
    parts = -(-len(whole) // SUBTITLE_CHARACTERS)
    goal = len(whole) / parts
    texts: list[str] = []
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if line and (len(longer) > SUBTITLE_CHARACTERS or len(line) >= goal):
            texts.append(line)
            line = word
        else:
            line = longer
    return [*texts, line]
