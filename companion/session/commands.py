"""What each of a client's events does to its session."""

import asyncio
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from companion.protocol import events
from companion.protocol.codec import WireError
from companion.protocol.events import ClientEvent, Problem
from companion.protocol.settings import unknown, update
from companion.session import requests
from companion.session.effective import check, remembered
from companion.stages.protocols import SPEAK_RATE

if TYPE_CHECKING:
    from companion.session.session import Session


def handle(session: "Session", event: ClientEvent) -> None:
    """Raises WireError, `BufferFullError`, or KeyError for an item that does not exist; then nothing has changed."""
    match event:
        case events.InputAudioBufferAppend():
            session.hearing.append(event.audio)
        case events.AvatarPlayback():
            session.show.played(event.played_ms)
        case events.AvatarControl():
            _control(session, event)
        case events.InputAudioBufferCommit():
            session.hearing.commit()
        case events.InputAudioBufferClear():
            session.hearing.clear()
            session.tell(events.InputAudioBufferCleared())
        case events.SessionUpdate():
            _update(session, event)
        case events.ResponseCreate() | events.ResponseCancel() | events.OutputAudioBufferClear():
            _response(session, event)
        case _:
            _item(session, event)


def _response(session: "Session", event: ClientEvent) -> None:
    match event:
        case events.ResponseCreate():
            wishes = requests.wishes(event.response, session.settings.output_modalities[0])
            if session.reply is not None:
                message = "A response is in progress; cancel it first, or wait for `response.done`."
                raise WireError("conversation_already_has_active_response", message)
            text = requests.given(event.response)
            session.start(wishes, asyncio.get_running_loop().time(), text=text)
        case events.ResponseCancel():
            if session.reply is None or event.response_id not in (None, session.reply.id):
                raise WireError("response_cancel_not_active", "There is no such response in progress.")
            session.interrupt("client_cancelled")
        case _:
            session.interrupt("client_cancelled")


def _item(session: "Session", event: ClientEvent) -> None:
    conversation = session.conversation
    match event:
        case events.ConversationItemCreate():
            _create_item(session, event)
        case events.ConversationItemRetrieve():
            session.tell(events.ItemRetrieved(conversation[event.item_id].to_json()))
        case events.ConversationItemDelete():
            if session.reply and session.reply.item is conversation[event.item_id]:
                session.interrupt("client_cancelled")
            conversation.delete(event.item_id)
            session.tell(events.ItemDeleted(event.item_id))
        case events.ConversationItemTruncate():
            _truncate(session, event)
        case _:
            raise WireError("unknown_event", f"`{event.type}` is not supported here.", "type")


def _create_item(session: "Session", event: events.ConversationItemCreate) -> None:
    item = requests.item(event.item)
    if item.id in session.conversation:
        raise WireError("invalid_value", "There is an item with this id already.", "item.id")
    previous = session.conversation.add(item, event.previous_item_id)
    session.tell(events.ItemAdded(item.to_json(), previous))
    session.tell(events.ItemDone(item.to_json(), previous))


def _truncate(session: "Session", event: events.ConversationItemTruncate) -> None:
    """What the client says it played is what was said."""
    item = session.conversation[event.item_id]
    if item.role != "assistant" or not item.sound:
        raise WireError("invalid_value", "Only a spoken message of the assistant can be truncated.", "item_id")
    if event.content_index:
        raise WireError("invalid_value", "A spoken message has one part: its `content_index` is 0.", "content_index")
    if session.reply and session.reply.item is item:
        session.interrupt("client_cancelled")
    end = event.audio_end_ms if item.cut_ms is None else min(event.audio_end_ms, item.cut_ms)
    item.cut_ms, item.heard = end, end * SPEAK_RATE // 1000
    item.status = "incomplete"
    session.tell(events.ItemTruncated(item.id, end, event.content_index))


def _control(session: "Session", event: events.AvatarControl) -> None:
    wishes = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("event_id", "gaze")}
    if event.gaze:
        wishes |= {"gaze_yaw_deg": event.gaze.yaw_deg, "gaze_pitch_deg": event.gaze.pitch_deg}
    session.show.control = replace(session.show.control, **{k: v for k, v in wishes.items() if v is not None})


def _update(session: "Session", event: events.SessionUpdate) -> None:
    before = session.settings
    new = remembered(update(before, event.session, session.defaults), session.visitor)
    session.settings = check(new, before, event.session, session.engine)
    if session.settings.audio.input != before.audio.input:
        session.hearing.configure(session.settings.audio.input)
    if session.reply is None and not session.hearing.busy:
        session.prepare()
    if (new.persona, session.settings.audio.output) != (before.persona, before.audio.output):
        session.listening.rehearse()
    if session.settings.memory != before.memory:
        session.consent()
    if "avatar" in event.session or session.settings.avatar != before.avatar:
        session.wardrobe.dress(session.settings.avatar, before.avatar)
        session.tell_state()
    settings = session.settings.to_json(session.id) | {"disclosure": session.mind.notice}
    session.tell(events.SessionUpdated(settings))
    for path in unknown(event.session):
        message = f"`{path}` is not known here and was left out; the rest holds."
        session.complain(Problem("unsupported", message, param=path, event_id=event.event_id))
