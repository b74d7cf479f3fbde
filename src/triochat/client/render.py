"""Events as lines for a terminal, and the promise that what came from the network is text and nothing else.

No control character of C0 or C1 gets through, nor what turns the direction of writing round: the former
could move the cursor and forge whole screens, the latter make a line read as something else. Every line
of a text with several has its sender in front, so no text can look like somebody else's.
"""

from datetime import datetime, tzinfo

from triochat.client.answers import EnteredRoom
from triochat.client.event_buffer import Lagged
from triochat.client.happenings import Disconnected, Happening, Reconnected
from triochat.protocol import events as e
from triochat.protocol.escape import clean
from triochat.protocol.text import ACTION, as_sentence


def clean_sentence(words: str) -> str:
    """Words of the server or of the system as one sentence."""
    return clean(as_sentence(words.replace("\n", " ")))


def render(event: Happening | EnteredRoom, zone: tzinfo | None = None) -> list[str]:
    """The lines that tell of `event`; none if there is nothing to tell.

    Args:
        event: what happened.
        zone: in which time zone the clock is shown; None for that of this machine.
    """
    match event:
        case e.Message():
            return _message(event, zone)
        case e.TopicSet():
            return [clean(f"{_clock(event.ms, zone)} {_topic_set(event)}")]
        case e.Gap():
            return [f"{event.target}: the messages {event.first} to {event.last} are no longer kept"]
        case e.Joined():
            return [f"{event.room}: {event.nick} came in"]
        case e.Left():
            reason = f" ({_one_line(event.reason)})" if event.reason else ""
            return [clean(f"{event.room}: {event.nick} left{reason}")]
        case e.Renamed():
            return [f"{event.old} is now {event.new}"]
        case e.RoomInfo():
            topic = f", topic: {_one_line(event.topic)}" if event.topic else ""
            return [clean(f"{event.room}: {_people(event.members)}{topic}")]
        case EnteredRoom():
            info = e.RoomInfo(event.room, len(event.nicks), event.last, event.topic)
            return [*render(info), *render(e.NameList(event.room, event.nicks))]
        case e.NameList():
            return [f"{event.room}: {', '.join(event.nicks) or 'nobody'}"]
        case e.Failure():
            return [clean_sentence(event.sentence)]
        case Disconnected():
            return [clean(f"connection lost: {_one_line(event.reason)}; trying again")]
        case Reconnected():
            return ["connected again"]
        case Lagged():
            return [f"({event.count} messages came too fast to be shown; /history has them)"]
        case _:
            return []


def _message(event: e.Message, zone: tzinfo | None) -> list[str]:
    action = event.text.startswith(ACTION)
    if event.target.startswith("@"):
        place, name = f"{event.nick} -> {event.target[1:]}:", f"* {event.nick}" if action else ""
    else:
        place, name = event.target, f"* {event.nick}" if action else f"<{event.nick}>"
    lead = " ".join(filter(None, (_clock(event.ms, zone), place, name)))
    return [clean(f"{lead} {line}") for line in event.text.removeprefix(ACTION).split("\n")]


def _topic_set(event: e.TopicSet) -> str:
    if not event.text:
        return f"{event.room}: {event.nick} cleared the topic"
    return f"{event.room}: {event.nick} set the topic: {_one_line(event.text)}"


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _clock(ms: int, zone: tzinfo | None) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, zone).strftime("%H:%M")
    except (OverflowError, OSError, ValueError):  # a server may say any number
        return "--:--"
