"""Who has the floor: the table row by row, and over any order of facts with a session's acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_cli.engine.conversation.floor.turn_taking import (
    BargeInManner,
    FloorFact,
    ModelState,
    Owed,
    TurnTaking,
    UserState,
    table_of,
)

SOUND, WORDS, PATIENT = BargeInManner.BY_SOUND, BargeInManner.BY_WORDS, BargeInManner.PATIENT
INTERRUPTING = (SOUND, WORDS)


def floor(manner, user=UserState.SILENT, model=ModelState.IDLE):
    turns = TurnTaking(manner)
    turns.user, turns.model = user, model
    return turns


@pytest.mark.parametrize(
    ("manners", "user", "model", "fact", "acts", "after"),
    [
        (BargeInManner, "SILENT", "IDLE", "VOICE_BEGINS", "", "SPEAKS IDLE"),
        (BargeInManner, "SPEAKS", "IDLE", "VOICE_ENDS", "BEGIN", "SILENT IDLE"),
        (INTERRUPTING, "SILENT", "READS", "VOICE_BEGINS", "TAKE_BACK", "SPEAKS IDLE"),
        (INTERRUPTING, "SILENT", "PREPARES", "VOICE_BEGINS", "TAKE_BACK", "SPEAKS IDLE"),
        ([SOUND], "SILENT", "SPEAKS", "VOICE_BEGINS", "INTERRUPT", "SPEAKS IDLE"),
        ([SOUND], "SILENT", "WAITS", "VOICE_BEGINS", "INTERRUPT", "SPEAKS IDLE"),
        ([WORDS], "SILENT", "SPEAKS", "VOICE_BEGINS", "OVERHEAR", "OVERLAPS SPEAKS"),
        ([WORDS], "SILENT", "WAITS", "VOICE_BEGINS", "OVERHEAR", "OVERLAPS WAITS"),
        ([WORDS], "OVERLAPS", "SPEAKS", "VOICE_ENDS", "DECIDE", "OVERLAPPED SPEAKS"),
        ([WORDS], "OVERLAPS", "SPEAKS", "OVERLAP_INTERRUPTS", "INTERRUPT", "SPEAKS IDLE"),
        ([WORDS], "OVERLAPPED", "SPEAKS", "OVERLAP_INTERRUPTS", "INTERRUPT BEGIN", "SILENT IDLE"),
        ([WORDS], "OVERLAPPED", "SPEAKS", "OVERLAP_PASSES", "KEEP_ASIDE TELL", "SILENT SPEAKS"),
        ([WORDS], "OVERLAPS", "SPEAKS", "TURN_ENDS", "GO_ON", "SPEAKS IDLE"),
        ([WORDS], "OVERLAPPED", "SPEAKS", "VOICE_BEGINS", "OVERHEAR", "OVERLAPS SPEAKS"),
        ([PATIENT], "SILENT", "SPEAKS", "VOICE_BEGINS", "", "SPEAKS SPEAKS"),
        ([PATIENT], "SPEAKS", "SPEAKS", "VOICE_ENDS", "QUEUE", "SILENT SPEAKS"),
        ([PATIENT], "SPEAKS", "WAITS", "VOICE_ENDS", "INTERRUPT BEGIN", "SILENT IDLE"),
        ([PATIENT], "SILENT", "PREPARES", "TYPED", "QUEUE", "SILENT PREPARES"),
        (INTERRUPTING, "SILENT", "SPEAKS", "TYPED", "INTERRUPT BEGIN", "SILENT IDLE"),
        (INTERRUPTING, "SPEAKS", "IDLE", "TYPED", "INTERRUPT BEGIN", "SPEAKS IDLE"),
        (INTERRUPTING, "SILENT", "SPEAKS", "ACTIVITY_BEGINS", "INTERRUPT", "MARKS IDLE"),
        (BargeInManner, "MARKS", "IDLE", "ACTIVITY_ENDS", "BEGIN", "SILENT IDLE"),
        (BargeInManner, "SILENT", "SPEAKS", "ASKED", "INTERRUPT BEGIN", "SILENT IDLE"),
        (BargeInManner, "SILENT", "SPEAKS", "RESULT_PRESSES", "INTERRUPT TELL", "SILENT IDLE"),
        (BargeInManner, "SILENT", "SPEAKS", "RESULT_COMES", "", "SILENT SPEAKS"),
        (BargeInManner, "SPEAKS", "IDLE", "RESULT_COMES", "", "SPEAKS IDLE"),
        (BargeInManner, "SPEAKS", "IDLE", "RESULT_PRESSES", "", "SPEAKS IDLE"),
        (BargeInManner, "SILENT", "SPEAKS", "TURN_WAITS", "GO_ON", "SILENT WAITS"),
        (BargeInManner, "SILENT", "WAITS", "RESULTS_SETTLED", "", "SILENT IDLE"),
    ],
)
def test_what_follows_from_a_fact(manners, user, model, fact, acts, after):
    for manner in manners:
        turns = floor(manner, UserState[user], ModelState[model])
        found = " ".join(act.name for act in turns.take(FloorFact[fact]))
        assert (found, f"{turns.user.name} {turns.model.name}") == (acts, after)


def test_words_that_are_taken_back_from_an_answer_are_owed_one():
    for model, owed in ((ModelState.PREPARES, {Owed.ANSWER}), (ModelState.READS, set())):
        turns = floor(WORDS, model=model)
        turns.take(FloorFact.VOICE_BEGINS)
        assert turns.owed == owed


def test_only_words_decide_over_an_answer_and_only_where_they_are_asked_to():
    for manner in (SOUND, PATIENT):
        reached = {
            move.user
            for (_, before, _), move in table_of(manner).items()
            if move.user is not before
        }
        assert not reached & {UserState.OVERLAPS, UserState.OVERLAPPED}


class Session:
    """Does what a session does about each act, with numbers for words."""

    def __init__(self, manner):
        self.floor = TurnTaking(manner)
        self.given = 0  # utterances and lines so far
        self.utterance, self.input, self.reading, self.waiting = [], [], [], []
        self.history, self.asides, self.answered = [], [], []
        self.turns_under_way = 0
        self.results, self.told = 0, 0

    def take(self, fact):
        for act in self.floor.take(fact):
            getattr(self, act.name.lower())()

    def voice(self):
        self.take(FloorFact.VOICE_BEGINS)

    def voice_ends(self):
        if self.floor.user in (UserState.SPEAKS, UserState.OVERLAPS):
            self.say()
            self.take(FloorFact.VOICE_ENDS)

    def say(self):
        self.given += 1
        self.utterance.append(self.given)

    def typed(self):
        self.given += 1
        self.input.append(self.given)
        self.take(FloorFact.TYPED)

    def activity(self):
        self.take(FloorFact.ACTIVITY_BEGINS)

    def activity_ends(self):
        if self.floor.user is UserState.MARKS:
            self.say()
            self.take(FloorFact.ACTIVITY_ENDS)

    def interrupts(self):
        self.take(FloorFact.OVERLAP_INTERRUPTS)

    def asked(self):
        self.take(FloorFact.ASKED)

    def result(self):
        self.results += 1
        self.floor.owed.add(Owed.RESULT)
        self.take(FloorFact.RESULT_PRESSES if self.results % 2 else FloorFact.RESULT_COMES)

    def read(self):
        if self.floor.model is ModelState.READS:
            self.history += self.reading
            self.reading = []
            if Owed.RESULT in self.floor.owed:
                self.told = self.results
            self.take(FloorFact.ANSWER_BEGINS)

    def heard(self):
        self.take(FloorFact.ANSWER_HEARD)

    def ends(self):
        if self.floor.model in (ModelState.PREPARES, ModelState.SPEAKS):
            self.turns_under_way -= 1
            self.answered = [*self.history]
            self.take(FloorFact.TURN_ENDS)

    # --- acts

    def interrupt(self):
        self.turns_under_way = 0

    take_back = interrupt

    def overhear(self):
        pass

    def decide(self):
        self.decided = len(self.utterance)
        self.take(FloorFact.OVERLAP_PASSES if self.given % 2 else FloorFact.OVERLAP_INTERRUPTS)

    def keep_aside(self):
        self.asides += self.utterance
        self.utterance = []

    def taken(self):
        given, self.input = self.input, []
        if self.floor.user is UserState.SILENT:
            given += self.utterance
            self.utterance = []
        return given

    def queue(self):
        self.waiting += self.taken()

    def begin(self):
        given = self.taken()
        owed = self.reading or self.waiting or self.floor.owed
        if not given and (self.floor.is_under_way or not owed):
            return
        if self.floor.is_under_way:
            self.interrupt()
        assert self.turns_under_way == 0
        self.turns_under_way = 1
        self.reading += [*self.waiting, *given]
        self.waiting = []
        self.floor.take(FloorFact.TURN_BEGINS)

    def go_on(self):
        if self.waiting:
            self.begin()
        else:
            self.tell()

    def tell(self):
        free = self.floor.model is ModelState.IDLE and self.floor.user is UserState.SILENT
        if free and self.floor.owed & {Owed.ANSWER, Owed.RESULT}:
            self.begin()


STEPS = (
    *("voice", "voice_ends", "typed", "activity", "activity_ends", "interrupts", "asked"),
    *("result", "read", "heard", "ends"),
)


@given(st.sampled_from(list(BargeInManner)), st.lists(st.sampled_from(STEPS), max_size=60))
def test_over_any_order_of_events_nothing_is_lost_or_said_twice(manner, steps):
    session = Session(manner)
    for step in steps:
        getattr(session, step)()
        assert session.turns_under_way == session.floor.is_under_way
    for step in ("voice_ends", "activity_ends", *("read", "heard", "ends") * 4):
        getattr(session, step)()
    words = sorted(session.history + session.asides)
    assert words == list(range(1, session.given + 1)), "each word once, in the history"
    assert session.answered == session.history, "the last answer answers them all"
    assert not session.floor.is_under_way
    assert session.floor.user is UserState.SILENT
    assert session.told == session.results
