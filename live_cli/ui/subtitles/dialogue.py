"""Subtitles of a recorded conversation, from its events and the places of its sound.

Theory: text and sound come apart, and both in pieces. Of the model's side it is known how much of
a turn's sound had come with each piece of its text (as in `alignment.py`), and when each second of
that sound was played; so each piece has its time. A piece that was never played has none: nobody
heard it, and it is left out. Of the user's side some servers tell the times, counted in the sound
that was sent; where a server tells none, an utterance lasts from the first speech at the microphone
that no earlier utterance claimed to the last speech before its text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from live_cli.protocol import events
from live_cli.ui.subtitles.captions import Subtitle
from live_cli.ui.transcript.alignment import word_end
from live_cli.ui.turn_ledger import TurnLedger

Places = Callable[[float], float | None]
"""Seconds of a stream -> seconds of the recording; None where the recording lacks that second."""

_GROUP_CHARACTERS = 60
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")
_SHORTEST_S = 0.5
_TYPED_S = 2.0
_ALL_HEARD_S = 0.05


@dataclass(slots=True)
class _Utterance:
    """What the user said; ``start_s`` and ``end_s`` in the sent sound, where the server tells."""

    text: str
    at_s: float
    start_s: float | None = None
    end_s: float | None = None
    typed: bool = False


@dataclass(slots=True)
class _Answer:
    """What the model said: text in pieces, each with the seconds of sound received before it."""

    turn: int
    began_at_s: float
    pieces: list[tuple[float, str]] = field(default_factory=list)
    received_s: float = 0.0
    last_at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """The played part of a turn: its first ``heard_s`` seconds, and their places."""

    heard_s: float
    places: Places


class Dialogue:
    """Collects events with their times, in seconds of the recording, for `subtitles` at the end."""

    def __init__(self) -> None:
        self._utterances: list[_Utterance] = []
        self._answers: dict[int, _Answer] = {}
        self._turns = TurnLedger()
        self._open = False
        self._server_times = True

    def event(self, event: events.Event, at_s: float) -> None:
        """Note an event that came ``at_s`` seconds into the recording."""
        self._turns = self._turns.after(event)
        match event:
            case events.InputTranscript(interim=False):
                self._note_said(event, at_s)
            case events.OutputTranscript(turn, text) | events.TextChunk(turn, text):
                answer = self._answer(turn, at_s)
                answer.pieces.append((answer.received_s, text))
                answer.last_at_s = at_s
            case events.AudioChunk(turn, data, rate):
                self._answer(turn, at_s).received_s += len(data) / 2 / rate
            case events.Interrupted() | events.TurnComplete():
                self._open = False
            case events.Reconnected():
                self._server_times = False  # they count from another start now
            case _:
                pass

    def sent(self, text: str, at_s: float) -> None:
        """Note a line that the user typed."""
        self._open = False
        self._utterances.append(_Utterance(text, at_s, typed=True))

    def _note_said(self, said: events.InputTranscript, at_s: float) -> None:
        start_s, end_s = (said.start_s, said.end_s) if self._server_times else (None, None)
        if self._open and start_s is None:
            last = self._utterances[-1]
            last.text, last.at_s = last.text + said.text, at_s
        elif said.text.strip():
            self._utterances.append(_Utterance(said.text, at_s, start_s, end_s))
        self._open = start_s is None and not said.finished and bool(self._utterances)

    def _answer(self, turn: int, at_s: float) -> _Answer:
        return self._answers.setdefault(turn, _Answer(turn, at_s))

    # --- at the end ------------------------------------------------------------------------

    def subtitles(
        self,
        sent: Places,
        speech: Sequence[tuple[float, float]],
        turns: Mapping[int, PlayedTurn],
    ) -> list[Subtitle]:
        """Return both sides by time.

        ``sent``: the places of the sent sound; ``speech``: runs of speech at the microphone;
        ``turns``: the played parts by turn.
        """
        found = self._of_user(sent, speech)
        for answer in self._answers.values():
            interrupted = answer.turn in self._turns.interrupted
            found += _of_model(answer, turns.get(answer.turn), interrupted=interrupted)
        return sorted(found, key=lambda subtitle: subtitle.start_s)

    def _of_user(self, sent: Places, speech: Sequence[tuple[float, float]]) -> list[Subtitle]:
        found: list[Subtitle] = []
        claimed_s = 0.0
        for said in self._utterances:
            start_s, end_s = _user_times(said, sent, speech, claimed_s)
            claimed_s = max(claimed_s, end_s)
            text = " ".join(said.text.split())
            found.append(Subtitle(f"you: {text}", start_s, max(end_s, start_s + _SHORTEST_S)))
        return found


def _user_times(
    said: _Utterance, sent: Places, speech: Sequence[tuple[float, float]], claimed_s: float
) -> tuple[float, float]:
    if said.typed:
        return said.at_s, said.at_s + _TYPED_S
    if said.start_s is not None and said.end_s is not None:
        start_s, end_s = sent(said.start_s), sent(said.end_s)
        if start_s is not None and end_s is not None:
            return start_s, end_s
    runs = [run for run in speech if run[1] > claimed_s and run[0] < said.at_s]
    if not runs:
        return max(claimed_s, said.at_s - _TYPED_S), said.at_s
    return max(claimed_s, runs[0][0]), min(runs[-1][1], said.at_s)


def _of_model(answer: _Answer, played: PlayedTurn | None, *, interrupted: bool) -> list[Subtitle]:
    if not answer.received_s:  # written, not spoken
        text = " ".join("".join(text for _, text in answer.pieces).split())
        end_s = max(answer.last_at_s, answer.began_at_s + _TYPED_S)
        return [Subtitle(f"model: {text}", answer.began_at_s, end_s)] if text else []
    if played is None:
        return []
    found: list[Subtitle] = []
    for text, start_s, end_s in _groups(answer):
        heard = _heard_part(text, start_s, end_s, played.heard_s)
        at_s, until_s = played.places(start_s), played.places(min(end_s, played.heard_s))
        if heard and at_s is not None and until_s is not None:
            mark = " [interrupted]" if interrupted and heard != text else ""
            speaker = "" if found else "model: "
            found.append(Subtitle(f"{speaker}{heard}{mark}", at_s, max(until_s, at_s)))
        if heard != text:
            break
    return found


def _groups(answer: _Answer) -> list[tuple[str, float, float]]:
    """Join pieces to sentences or long clauses: (text, start_s, end_s) in the turn's sound."""
    groups: list[tuple[str, float, float]] = []
    text, start_s = "", 0.0
    for index, (at_s, piece) in enumerate(answer.pieces):
        last = index + 1 == len(answer.pieces)
        next_s = answer.received_s if last else answer.pieces[index + 1][0]
        if not text:
            start_s = at_s
        text += piece
        done = text.rstrip().endswith(_SENTENCE_ENDS) or len(text) >= _GROUP_CHARACTERS
        if (done and next_s > start_s) or last:
            groups.append((" ".join(text.split()), start_s, next_s))
            text = ""
    return _with_sound(groups)


def _with_sound(groups: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Join a last text that came after all of the sound to the group before it."""
    if groups and groups[-1][2] <= groups[-1][1]:
        text, start_s, end_s = groups.pop()
        if groups:
            before, start_s, _ = groups.pop()
            text = f"{before} {text}"
        else:
            start_s = 0.0
        groups.append((text, start_s, end_s))
    return [group for group in groups if group[0]]


def _heard_part(text: str, start_s: float, end_s: float, heard_s: float) -> str:
    """Return the part of ``text``, spoken from ``start_s`` to ``end_s``, before ``heard_s``."""
    if heard_s > end_s - _ALL_HEARD_S:
        return text
    share = max(0.0, heard_s - start_s) / (end_s - start_s)
    return text[: word_end(text, round(len(text) * share))].rstrip()
