"""What each of a client's events does to its session."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from companion.avatar.show import Show
from companion.conversation.items import Conversation, announce
from companion.hearing.audio.microphone import BufferFullError
from companion.hearing.hearing import Hearing
from companion.protocol import events
from companion.protocol.codec import WireError
from companion.protocol.events import ClientEvent, Problem, SessionUpdate
from companion.protocol.settings import Settings
from companion.session.client import requests
from companion.session.client.client import Client
from companion.session.client.recorder import Recorder
from companion.session.replies.responder import Responder
from companion.speech.text.wording import language_of
from companion.stages.protocols import SPEAK_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Those of one session. ``settings`` gives those that hold now, ``update`` changes them; it raises WireError."""

    client: Client
    conversation: Conversation
    hearing: Hearing
    show: Show
    responder: Responder
    recorder: Recorder
    settings: Callable[[], Settings]
    update: Callable[[SessionUpdate], None]

    def receive(self, event: ClientEvent) -> bool:
        """Act on a client's event; what is wrong with it is answered with an `error`, and changes nothing -> whether
        nothing was."""
        self.recorder.received(event, self.settings().audio.input.format)
        try:
            self._handle(event)
            return True
        except WireError as error:
            self.client.complain(Problem(error.code, str(error), param=error.param, event_id=event.event_id))
        except KeyError as error:
            message = f"There is no item {str(error.args[0])[:80]!r} in this conversation."
            self.client.complain(Problem("item_not_found", message, param="item_id", event_id=event.event_id))
        except BufferFullError:
            self.hearing.clear()
            message = "Five minutes of sound without a commit: the buffer was cleared."
            self.client.complain(Problem("input_audio_buffer_full", message, event_id=event.event_id))
        return False

    def _handle(self, event: ClientEvent) -> None:
        """Raises WireError, BufferFullError, or KeyError for an item that does not exist; then nothing has changed."""
        match event:
            case events.InputAudioBufferAppend():
                self.hearing.append(event.audio)
            case events.AvatarPlayback():
                self.show.played(event.played_ms, event.buffered_ms)
            case events.AvatarControl():
                self._control(event)
            case events.AvatarWatch():
                self.show.pictures.watch(event.watched)
            case events.InputAudioBufferCommit():
                self.hearing.commit()
            case events.InputAudioBufferClear():
                self.hearing.clear()
                self.client.tell(events.InputAudioBufferCleared())
            case events.SessionUpdate():
                self.update(event)
            case events.ResponseCreate() | events.ResponseCancel() | events.OutputAudioBufferClear():
                self._response(event)
            case _:
                self._item(event)

    def _response(self, event: ClientEvent) -> None:
        match event:
            case events.ResponseCreate():
                wishes = requests.wishes(event.response, self.settings().output_modalities[0], self.conversation)
                if self.responder.reply is not None:
                    message = "A response is in progress; cancel it first, or wait for `response.done`."
                    raise WireError("conversation_already_has_active_response", message)
                text = requests.given(event.response)
                self.responder.start(wishes, text=text)
            case events.ResponseCancel():
                if self.responder.reply is None or event.response_id not in (None, self.responder.reply.id):
                    raise WireError("response_cancel_not_active", "There is no such response in progress.")
                self.responder.interrupt("client_cancelled")
            case _:
                self.responder.interrupt("client_cancelled")

    def _item(self, event: ClientEvent) -> None:
        conversation = self.conversation
        match event:
            case events.ConversationItemCreate():
                self._create_item(event)
            case events.ConversationItemRetrieve():
                self.client.tell(events.ItemRetrieved(conversation[event.item_id].to_json()))
            case events.ConversationItemDelete():
                if self.responder.reply and self.responder.reply.item is conversation[event.item_id]:
                    self.responder.interrupt("client_cancelled")
                conversation.delete(event.item_id)
                self.client.tell(events.ItemDeleted(event.item_id))
            case events.ConversationItemTruncate():
                self._truncate(event)
            case _:
                raise WireError("unknown_event", f"`{event.type}` is not supported here.", "type")

    def _create_item(self, event: events.ConversationItemCreate) -> None:
        sound = requests.sound(event.item)
        item = requests.spoken(event.item) if sound else requests.item(event.item)
        if item.id in self.conversation:
            raise WireError("invalid_value", "There is an item with this id already.", "item.id")
        if item.text is None:
            return self.hearing.add(item, sound, event.previous_item_id)
        if item.role == "user":
            item.language = language_of(item.text, self.conversation.language)
        return announce(item, self.conversation.add(item, event.previous_item_id), self.client.tell)

    def _truncate(self, event: events.ConversationItemTruncate) -> None:
        """Cut the item to what the client says it played."""
        item = self.conversation[event.item_id]
        if item.role != "assistant" or not item.sound:
            raise WireError("invalid_value", "Only a spoken message of the assistant can be truncated.", "item_id")
        if event.content_index:
            raise WireError(
                "invalid_value", "A spoken message has one part: its `content_index` is 0.", "content_index"
            )
        if self.responder.reply and self.responder.reply.item is item:
            self.responder.interrupt("client_cancelled")
        end = event.audio_end_ms if item.cut_ms is None else min(event.audio_end_ms, item.cut_ms)
        item.cut_ms, item.heard = end, end * SPEAK_RATE // 1000
        item.status = "incomplete"
        self.client.tell(events.ItemTruncated(item.id, end, event.content_index))

    def _control(self, event: events.AvatarControl) -> None:
        wishes = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("event_id", "gaze")}
        if event.gaze:
            wishes |= {"gaze_yaw_deg": event.gaze.yaw_deg, "gaze_pitch_deg": event.gaze.pitch_deg}
        self.show.control = replace(self.show.control, **{k: v for k, v in wishes.items() if v is not None})
