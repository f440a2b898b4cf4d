"""The floor: states of a conversation, and what each fact does to them. Pure.

Theory of operation
-------------------
Two parties, each in one of a few states.

The user is SILENT, SPEAKS (by voice activity detection), MARKS (an activity that the client marked
itself), OVERLAPS (is heard while the model answers, and words decide whether that is an
interruption), or has just OVERLAPPED (is silent again, and the words are being read).

The model is IDLE, READS (the user's words are being transcribed: the first stage of a turn),
PREPARES (it answers, and too little has been heard of that to be noticed), SPEAKS, or WAITS (its
turn is over, and it waits for the result of a function).

A turn is *under way* while the model READS, PREPARES or SPEAKS. At most one is.

How a fact acts depends on what the client asked for:

    INTERRUPTING by sound   a voice over the answer ends it, as with Google's service
    INTERRUPTING by words   a voice over the answer is listened to first: "mm-hmm" passes, "wait"
                            ends it, and so does speech that goes on
    PATIENT                 nothing interrupts (NO_INTERRUPTION): what comes waits for its turn

Some rules, each a row or a few of the table:

- A voice while the model READS takes the words back: they were not all, and are answered with what
  follows, as one turn. The same while it PREPARES: the turn was ended too early.
- What has been marked is meant: it interrupts at once, and what is typed does, too.
- A result of a function is told as soon as nobody speaks and the model waits for no other; never
  over the user.
- A voice that begins over an answer and outlasts it is ordinary speech.

A fact that has no row changes nothing and asks for nothing. What is still owed is noted beside the
states (`owed`): a turn for an activity without words, an answer that was asked for, the telling of
results.
"""

from enum import Enum, auto
from typing import Final, NamedTuple, TypeVar


class UserState(Enum):
    """Activity of the user."""

    SILENT = auto()
    SPEAKS = auto()
    MARKS = auto()
    OVERLAPS = auto()
    OVERLAPPED = auto()


class ModelState(Enum):
    """Activity of the model."""

    IDLE = auto()
    READS = auto()
    PREPARES = auto()
    SPEAKS = auto()
    WAITS = auto()


class FloorFact(Enum):
    """Something that happened, told to `TurnTaking.take`."""

    VOICE_BEGINS = auto()
    """By voice activity detection; never told where the client marks activities itself."""
    VOICE_ENDS = auto()
    ACTIVITY_BEGINS = auto()
    """Marked by the client."""
    ACTIVITY_ENDS = auto()
    OVERLAP_INTERRUPTS = auto()
    """The words over the answer are an interruption, or just go on."""
    OVERLAP_PASSES = auto()
    """They were none, and are over."""
    TYPED = auto()
    ASKED = auto()
    """The client asks for an answer to what it has told: it interrupts whatever is under way."""
    TOLD = auto()
    """Content of the client that asks for nothing, of a family in which it interrupts."""
    RESULT_PRESSES = auto()
    """A function has answered, and its result is to interrupt the model."""
    RESULT_COMES = auto()
    TURN_BEGINS = auto()
    ANSWER_BEGINS = auto()
    """The words have been read, and the model is to answer them."""
    ANSWER_HEARD = auto()
    TURN_ENDS = auto()
    TURN_WAITS = auto()
    """The turn has ended with a call that the model waits for."""
    RESULTS_SETTLED = auto()
    """Nothing is left that the model waits for."""


class Act(Enum):
    """Something to do about a fact."""

    TAKE_BACK = auto()
    """Cancel the turn under way as if it had not begun: its words belong to the next. The client is
    told only where it has something of the answer."""
    INTERRUPT = auto()
    """Cancel what is under way, calls that the model waits for too, and tell the client."""
    OVERHEAR = auto()
    """Begin to read what is said over the answer."""
    DECIDE = auto()
    """All was said: find out whether it interrupts."""
    KEEP_ASIDE = auto()
    """Keep what was said over the answer in the history, unanswered."""
    BEGIN = auto()
    """Begin a turn with the input that is there, if there is any or a turn is owed."""
    QUEUE = auto()
    """Keep the input for the turn after the one under way."""
    GO_ON = auto()
    """Begin the turn of queued input; without any, tell the results that are there."""
    TELL = auto()
    """Begin a turn about results that are not told yet, if there are any."""


class Owed(Enum):
    """A debt of the session to its client, beside the input that it holds."""

    TURN = auto()
    """For an activity that was marked, whatever was said in it."""
    ANSWER = auto()
    """Asked for by the client, whatever was said."""
    RESULT = auto()
    """Functions have answered, and the model has not told of it."""


class BargeInManner(Enum):
    """A way to take a voice over the answer."""

    BY_SOUND = auto()
    BY_WORDS = auto()
    PATIENT = auto()


class Move(NamedTuple):
    """The states after a fact, and what to do."""

    user: UserState
    model: ModelState
    acts: tuple[Act, ...] = ()


# Columns: fact, user, model -> user, model, acts. "|" names several, "*" any, "." leaves it.
_ALWAYS: Final = """
TURN_BEGINS        *                    *                     -> .          READS
ANSWER_BEGINS      *                    READS                 -> .          PREPARES
ANSWER_HEARD       *                    PREPARES              -> .          SPEAKS
ASKED              SILENT|SPEAKS|MARKS  *                     -> .          IDLE  INTERRUPT BEGIN
TOLD               SILENT|SPEAKS|MARKS  *                     -> .          IDLE  INTERRUPT
RESULT_PRESSES     SILENT               READS|PREPARES|SPEAKS -> .          IDLE  INTERRUPT TELL
RESULT_PRESSES     SILENT               IDLE                  -> .          .     TELL
RESULT_COMES       SILENT               IDLE                  -> .          .     TELL
RESULTS_SETTLED    *                    WAITS                 -> .          IDLE
TURN_ENDS          *                    READS|PREPARES|SPEAKS -> .          IDLE  GO_ON
TURN_WAITS         *                    READS|PREPARES|SPEAKS -> .          WAITS GO_ON
"""
_INTERRUPTING: Final = """
VOICE_BEGINS       SILENT               IDLE                  -> SPEAKS     .
VOICE_BEGINS       SILENT               READS|PREPARES        -> SPEAKS     IDLE  TAKE_BACK
VOICE_ENDS         SPEAKS               *                     -> SILENT     .     BEGIN
ACTIVITY_BEGINS    *                    *                     -> MARKS      IDLE  INTERRUPT
ACTIVITY_ENDS      *                    *                     -> SILENT     .     BEGIN
TYPED              SILENT|SPEAKS|MARKS  *                     -> .          IDLE  INTERRUPT BEGIN
"""
_BY_SOUND: Final = """
VOICE_BEGINS       SILENT               SPEAKS|WAITS          -> SPEAKS     IDLE  INTERRUPT
"""
_BY_WORDS: Final = """
VOICE_BEGINS       SILENT|OVERLAPPED    SPEAKS|WAITS          -> OVERLAPS   .     OVERHEAR
VOICE_BEGINS       OVERLAPPED           IDLE|READS|PREPARES   -> SPEAKS     IDLE  TAKE_BACK
VOICE_ENDS         OVERLAPS             *                     -> OVERLAPPED .     DECIDE
OVERLAP_INTERRUPTS OVERLAPS             *                     -> SPEAKS     IDLE  INTERRUPT
OVERLAP_INTERRUPTS OVERLAPPED           *                     -> SILENT     IDLE  INTERRUPT BEGIN
OVERLAP_PASSES     OVERLAPPED           *                     -> SILENT     .     KEEP_ASIDE TELL
TYPED|ASKED        OVERLAPS             *                     -> SPEAKS     IDLE  INTERRUPT BEGIN
TYPED|ASKED        OVERLAPPED           *                     -> SILENT     IDLE  INTERRUPT BEGIN
TOLD               OVERLAPS             *                     -> SPEAKS     IDLE  INTERRUPT
TOLD               OVERLAPPED           *                     -> SILENT     IDLE  INTERRUPT
TURN_ENDS          OVERLAPS             READS|PREPARES|SPEAKS -> SPEAKS     IDLE  GO_ON
TURN_WAITS         OVERLAPS             READS|PREPARES|SPEAKS -> SPEAKS     WAITS GO_ON
"""
_PATIENT: Final = """
VOICE_BEGINS       *                    *                     -> SPEAKS     .
ACTIVITY_BEGINS    *                    *                     -> MARKS      .
VOICE_ENDS         SPEAKS               READS|PREPARES|SPEAKS -> SILENT     .     QUEUE
VOICE_ENDS         SPEAKS               IDLE                  -> SILENT     .     BEGIN
VOICE_ENDS         SPEAKS               WAITS                 -> SILENT     IDLE  INTERRUPT BEGIN
ACTIVITY_ENDS      MARKS                READS|PREPARES|SPEAKS -> SILENT     .     QUEUE
ACTIVITY_ENDS      MARKS                IDLE                  -> SILENT     .     BEGIN
ACTIVITY_ENDS      MARKS                WAITS                 -> SILENT     IDLE  INTERRUPT BEGIN
TYPED              *                    READS|PREPARES|SPEAKS -> .          .     QUEUE
TYPED              *                    IDLE|WAITS            -> .          IDLE  INTERRUPT BEGIN
"""
_ROWS: Final = {
    BargeInManner.BY_SOUND: _ALWAYS + _INTERRUPTING + _BY_SOUND,
    BargeInManner.BY_WORDS: _ALWAYS + _INTERRUPTING + _BY_WORDS,
    BargeInManner.PATIENT: _ALWAYS + _PATIENT,
}

Table = dict[tuple[FloorFact, UserState, ModelState], Move]
_State = TypeVar("_State", FloorFact, UserState, ModelState)


def table_of(manner: BargeInManner) -> Table:
    """Return every row of ``manner``; a later row takes the place of an earlier one."""
    table: Table = {}
    for row in filter(None, map(str.split, _ROWS[manner].splitlines())):
        facts, users, models, _, user_after, model_after, *acts = row
        for fact in _named(FloorFact, facts):
            for user in _named(UserState, users):
                for model in _named(ModelState, models):
                    table[fact, user, model] = Move(
                        user if user_after == "." else UserState[user_after],
                        model if model_after == "." else ModelState[model_after],
                        tuple(Act[act] for act in acts),
                    )
    return table


def _named(kind: type[_State], names: str) -> list[_State]:
    return list(kind) if names == "*" else [kind[name] for name in names.split("|")]


_TABLES: Final = {manner: table_of(manner) for manner in BargeInManner}


class TurnTaking:
    """The floor of one session: `take` tells it a fact and returns what to do, in order."""

    def __init__(self, manner: BargeInManner) -> None:
        self._table = _TABLES[manner]
        self.user, self.model = UserState.SILENT, ModelState.IDLE
        self.owed: set[Owed] = set()

    def take(self, fact: FloorFact) -> tuple[Act, ...]:
        """Go on to the states after ``fact``."""
        if fact is FloorFact.ACTIVITY_BEGINS:
            self.owed.add(Owed.TURN)
        elif fact is FloorFact.ASKED:
            self.owed.add(Owed.ANSWER)
        elif fact is FloorFact.TURN_BEGINS:
            self.owed.discard(Owed.TURN)
        elif fact is FloorFact.ANSWER_BEGINS:
            self.owed -= {Owed.ANSWER, Owed.RESULT}
        move = self._table.get((fact, self.user, self.model))
        if move is None:
            return ()
        if Act.TAKE_BACK in move.acts and self.model is ModelState.PREPARES:
            self.owed.add(Owed.ANSWER)  # its words are in the history, unanswered
        self.user, self.model = move.user, move.model
        return move.acts

    def foresee(self, fact: FloorFact) -> tuple[Act, ...]:
        """Return what `take` would, and change nothing."""
        move = self._table.get((fact, self.user, self.model))
        return move.acts if move is not None else ()

    @property
    def is_under_way(self) -> bool:
        """Return whether a turn is under way."""
        return self.model in (ModelState.READS, ModelState.PREPARES, ModelState.SPEAKS)
