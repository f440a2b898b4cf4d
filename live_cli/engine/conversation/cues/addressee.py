"""Whether an utterance was said to the assistant, for proactive audio. Pure.

Theory of operation
-------------------
A microphone in a room picks up the television and the neighbours too. An utterance is weighed by a
handful of signs, in points; one with a point or more is answered:

    its own name, called                           answered, whatever else
    somebody else's name, or "mum", called         -4
    a question                                     +2
    a request ("tell me", "can you", "I need")     +2
    a greeting                                     +1, and so does being the first words of all
    "please", "you"                                +0.5
    within 8 s of its reply                        +2;  within 20 s +0.5, or +2 if it had asked
    "hm", "okay", "thanks", without being asked    -2
    told of he, she or they, out of a conversation -2;  of we -0.5;  of the world -1
    10 dB quieter than it is spoken to             -1.5

The signs are English words and the punctuation that transcribers write. Topics and voices are not
known: whoever asks the room a question is answered, and a quiz on television is too. In doubt, an
utterance within a conversation is answered, and one outside of it is not.
"""

import re
from collections import deque
from dataclasses import dataclass
from difflib import get_close_matches
from statistics import median

_CONVERSING_S = 8.0
_LINGERING_S = 20.0
_QUIET_DB = -10.0
_ENOUGH = 1.0
_LEVELS = 10

_WORD = re.compile(r"[\w']+")

_QUESTION = re.compile(
    r"(what|who|whom|whose|when|where|why|which|how|is|are|am|was|were|do|does|did|can|could|will|"
    r"would|should|shall|may|has|have|what's|who's|where's|how's|when's|isn't|aren't|don't|"
    r"doesn't|didn't|can't|couldn't|won't|wouldn't|shouldn't)\b"
)
_TAG = re.compile(r",\s*(right|okay|ok|you know|huh|eh|isn't it|don't you think)\s*\?$")
_REQUEST = re.compile(
    r"(tell|show|explain|give|play|set|turn|find|read|write|translate|describe|list|suggest|"
    r"recommend|remind|repeat|stop|continue|go on|go ahead|help|spell|count|sing|define|compare|"
    r"sum up|summari[sz]e|look up|say|calculate|convert|name|guess|search|add|check|cancel|imagine|"
    r"pretend|teach|let's|start|keep going|try again|quiz|remember|wake me)\b"
    r"|(can|could|would|will) you\b"
)
_WISH = re.compile(
    r"\bi (need|want|wish|wonder|would like|was wondering|am looking for|have a question|"
    r"don't understand|do not understand|can't find|can't remember)\b"
    r"|\bi'd (like|love)\b|\bi'm (looking for|trying to|wondering)\b"
)
_LEAD_IN = re.compile(
    r"((well|okay|ok|so|and|but|oh|um|uh|er|now|then|alright|right|yes|no|yeah|please|sorry|hey|hi|"
    r"hello|actually|also|just|maybe|great|thanks|thank you|good|cool)\b[\s,.!]*)+"
)
_GREETING = re.compile(r"(hello|hi|hey|good (morning|afternoon|evening|day))\b")
_MURMUR = re.compile(
    r"((h+m+|m{2,}|m+-?h+m+|uh[- ]?huh|uh|um|oh|ah|okay|ok|right|i see|got it|alright|all right|"
    r"well|yeah|yes|no|sure|thanks|thank you|great|cool|nice|wow|never mind|very much|a lot|"
    r"so much|then|good)\b|[\s,.!])+"
)
_KIN = re.compile(
    r"mom|mum|mommy|mummy|dad|daddy|honey|darling|sweetie|sweetheart|dear|babe|baby|guys|everyone|"
    r"everybody|kids|buddy|dude|man|folks|grandma|grandpa|ladies|gentlemen|sir|madam"
)
_NO_NAME = re.compile(
    r"i|okay|ok|yes|no|yeah|well|so|now|then|please|tomorrow|today|yesterday|tonight|actually|"
    r"honestly|right|alright|anyway|also|first|second|next|finally|sure|great|thanks|hello|hi|hey|"
    r"oh|ah|um|uh|h+m+|sorry|wait|and|but|however|still|maybe|perhaps|again|listen|look|see|"
    r"basically|cool|nice|good|perfect|exactly|true|fine|there|because|if|when|while|after|before|"
    r"once|in|on|at|for|with|like|otherwise|meanwhile|instead|obviously|clearly|sadly|luckily|"
    r"apparently|\w+ing|computer|assistant|google|gemini|one|two|three|morning|evening|wow"
)
_GREETED = re.compile(r"(hey|hi|hello|thanks|thank you|sorry)[\s,]+", re.IGNORECASE)
_TURNED = re.compile(r"(ok|okay|oh|yes|no|well|so|and|but)[\s,]+", re.IGNORECASE)
_NAME_LIKE = re.compile(r"[\w'-]+")
_SET_OFF = re.compile(r"\s+[\w'-]+")
_SOMEBODY = re.compile(r"\b(he|she|they|him|her|them|his|their|he's|she's|they're)\b")
_WE = re.compile(r"\b(we|us|our|we're|we'll|we've)\b")
_WORLD = re.compile(r"(the|a|an|this|these|there|it|its|it's|according to|in|at|on|for|after)\b")
_YOU = re.compile(r"\b(you|your|you're|yourself)\b")

_NAMING = re.compile(
    r"\b(?:you are|you're|your name is|(?:is |are |be )?(?:called|named)|call yourself)\s+"
    r"[\"'“]?([A-Z][\w-]{1,63})\b(?!['’]s)",
)
_ARTICLES = ("A", "An", "The", "In", "Not", "Always")


@dataclass(frozen=True, slots=True)
class DialogueState:
    """The state of the conversation when an utterance begins.

    ``since_reply_s``: seconds from the end of the last reply to the first word; None: no reply yet.
    ``reply_asked``: the last reply was a question. ``name``: the assistant's, where it has one.
    ``level_db``: level of the utterance above the usual level of those said to the assistant.
    """

    since_reply_s: float | None = None
    reply_asked: bool = False
    name: str | None = None
    level_db: float = 0.0


def name_in(instruction: str) -> str | None:
    """Return the assistant's name, where a system instruction gives one ("You are Nova")."""
    text = re.sub(r"\bYou(?= are\b|'re\b|r name\b)", "you", instruction)
    found = (match.group(1) for match in _NAMING.finditer(text.replace("Your name", "your name")))
    return next((name for name in found if name not in _ARTICLES), None)


def is_addressed(text: str, state: DialogueState) -> bool:
    """Whether ``text``, as transcribed, was said to the assistant."""
    return calls(text, state.name) or score_of(text, state) >= _ENOUGH


def calls(text: str, name: str | None) -> bool:
    """Whether ``name`` is among the first three words of ``text``, or its last; nearly will do."""
    words = [word.lower() for word in _WORD.findall(text)]
    if name is None or not words:
        return False
    return bool(get_close_matches(name.lower(), [*words[:3], words[-1]], n=1, cutoff=0.8))


def score_of(text: str, state: DialogueState) -> float:
    """Return the points of all signs but the assistant's own name."""
    plain = text.strip().lower().replace("’", "'").replace("？", "?")
    lead_in = _LEAD_IN.match(plain)
    core = plain[lead_in.end() :] if lead_in else plain
    asks = bool(_QUESTION.match(core)) or (plain.endswith("?") and not _TAG.search(plain))
    requests = bool(_REQUEST.match(core) or _WISH.search(core))
    score = 2.0 * asks + 2.0 * requests
    score += 1.0 * bool(_GREETING.match(plain))
    score += 0.5 * ("please" in plain) + 0.5 * bool(_YOU.search(plain))
    score -= 4.0 * calls_somebody(text, state.name)
    score -= 1.5 * (state.level_db <= _QUIET_DB)
    return score + _standing(plain, core, state, meant=asks or requests)


def _standing(plain: str, core: str, state: DialogueState, *, meant: bool) -> float:
    """Return the points for the state of the conversation.

    ``plain``: the text in lower case; ``core``: the same without words such as "well, so";
    ``meant``: the text is a question or a request.
    """
    since = state.since_reply_s
    murmur = 2.0 if _MURMUR.fullmatch(plain) and not state.reply_asked else 0.0
    if since is not None and since <= _CONVERSING_S:
        return 2.0 - murmur
    score = -murmur
    if since is None:
        score += 1.0
    elif since <= _LINGERING_S:
        score += 2.0 if state.reply_asked else 0.5
    score -= 2.0 * bool(_SOMEBODY.search(plain)) + 0.5 * bool(_WE.search(plain))
    return score - 1.0 * (not meant and bool(_WORLD.match(core)))


def calls_somebody(text: str, name: str | None) -> bool:
    """Whether ``text`` calls somebody else than ``name``.

    Such a call is a name or a word for kin, set off by a comma or after a greeting. First words
    are capitalised whatever they are: before a comma, any first word that is not known to be
    something else is taken for a name.
    """
    stripped = text.strip().rstrip(".!?")
    greeted = _GREETED.match(stripped)
    turned = greeted or _TURNED.match(stripped)
    first = re.match(
        r"([A-Za-z][\w'-]+)(\s*,(?! please$))?", stripped[turned.end() if turned else 0 :]
    )
    if first and (greeted or first.group(2)) and _is_called(first.group(1), name):
        return True
    rest, comma, last = stripped.rpartition(",")
    backwards = _NAME_LIKE.match(rest[::-1])  # a search for a word before a comma is quadratic
    if not comma or backwards is None or not _SET_OFF.fullmatch(last):
        return False
    # "Portland, Oregon" is one place, not somebody called Oregon.
    return not backwards.group()[-1].isupper() and _is_called(last.strip(), name)


def _is_called(word: str, name: str | None) -> bool:
    lower = word.lower()
    if _KIN.fullmatch(lower):
        return True
    own = name is not None and bool(get_close_matches(name.lower(), [lower], cutoff=0.8))
    return word[0].isupper() and not own and not _NO_NAME.fullmatch(lower)


class AddresseeDetector:
    """Decides for the utterances of one session whether they were said to the assistant.

    Remembers the last reply and how loud the assistant is usually spoken to. Times are seconds on
    a steady clock.
    """

    def __init__(self, instruction: str) -> None:
        self.name = name_in(instruction)
        self._replied_at: float | None = None
        self._asked = False
        self._levels: deque[float] = deque(maxlen=_LEVELS)

    def rename(self, instruction: str) -> None:
        """Take the assistant's name from a new system instruction."""
        self.name = name_in(instruction)

    def note_reply(self, text: str, now: float) -> None:
        """Note that a reply has ended at ``now``, played to its end or interrupted."""
        self._replied_at = now
        self._asked = text.rstrip().endswith("?")

    def is_addressed(self, text: str, level_dbfs: float | None, begun_at: float) -> bool:
        """Whether ``text``, spoken from ``begun_at`` on, was said to the assistant.

        ``level_dbfs``: its level, None where it was too short to measure.
        """
        level_db = 0.0
        if level_dbfs is not None and self._levels:
            level_db = level_dbfs - median(self._levels)
        since = None if self._replied_at is None else max(0.0, begun_at - self._replied_at)
        addressed = is_addressed(text, DialogueState(since, self._asked, self.name, level_db))
        if addressed and level_dbfs is not None:
            self._levels.append(level_dbfs)
        return addressed
