"""The model's side of a turn: it answers the history, and its end is told with its cost."""

import asyncio
from dataclasses import replace

from live_cli.engine.conversation import (
    MODEL,
    Conversation,
    TokenCount,
    audio_tokens,
    text_tokens,
)
from live_cli.engine.options import SessionOptions
from live_cli.engine.reporting import usage_of
from live_cli.engine.stages import ChatMessage, ChatRequest
from live_cli.engine.surroundings import Emit, Stages, Surroundings
from live_cli.engine.turn import ModelTurn
from live_cli.engine.workers import Stage
from live_cli.protocol.messages import (
    ServerContent,
    ServerMessage,
    SessionResumptionUpdate,
    UsageMetadata,
)

_REPLY_SHARE = 4  # a reply may take a quarter of the model's window, unless the client says
_GO_ON = ChatMessage("user", "Please go on.")


class Answerer:
    """Answers once at a time. To interrupt: `stop`, cancel whoever awaits `answer`, `cut_off`."""

    def __init__(
        self,
        conversation: Conversation,
        options: SessionOptions,
        stages: Stages,
        surroundings: Surroundings,
        emit: Emit,
    ) -> None:
        self._conversation = conversation
        self._options = options
        self._chat = stages.chat
        self._mouth = stages.mouth
        self._around = surroundings
        self._emit = emit
        self._turn: ModelTurn | None = None
        self.voice = options.voice
        """What the next answer is spoken in."""

    async def prefill(self, heard: str = "") -> None:
        """Let the model read the history ahead; ``heard``: as if the user had also said that."""
        messages = self._conversation.messages(heard)
        if messages:
            await self._around.workers.run(Stage.CHAT, lambda: self._chat.prefill(messages))

    async def answer(self) -> None:
        """One turn of the model, from the history to its end."""
        self._conversation.trim()
        prompt = self._conversation.billed()
        messages = self._conversation.messages()
        turn = ModelTurn(
            self._chat,
            self._mouth,
            replace(self._options, voice=self.voice),
            self._around.workers,
            self._send,
            self._around.time,
        )
        self._turn = turn
        await turn.run(self._request(messages))
        self._turn = None
        self._conversation.calibrate(messages, turn.usage.prompt_tokens)
        self._conversation.add(MODEL, turn.text, turn.audio_s)
        await asyncio.shield(asyncio.create_task(self._complete(turn, prompt)))

    async def keep_silent(self) -> None:
        """A turn without an answer: what was said was not for the model."""
        self._conversation.trim()
        await asyncio.shield(asyncio.create_task(self._tell_silence()))

    async def _tell_silence(self) -> None:
        modality = "AUDIO" if self._options.speaks else "TEXT"
        await self._send(ServerContent(generation_complete=True))
        await self._end(usage_of(self._conversation.billed(), 0, 0, modality))

    def stop(self) -> None:
        """Make the model stop with its next token."""
        if self._turn is not None:
            self._turn.stop()

    async def cut_off(self) -> None:
        """Tell the interruption, if the model had its turn; what can have been heard stays."""
        turn, self._turn = self._turn, None
        if turn is None:
            return  # nothing was being answered, or it has just ended by itself
        prompt = self._conversation.billed()
        self._conversation.add(MODEL, turn.heard_text(), turn.audio_s)
        await self._send(ServerContent(interrupted=True))
        await self._complete(turn, prompt)

    def _request(self, messages: tuple[ChatMessage, ...]) -> ChatRequest:
        if not messages or messages[-1].role != "user":
            messages = (*messages, _GO_ON)
        sampling = self._options.sampling
        if sampling.max_tokens is None:
            sampling = replace(sampling, max_tokens=self._chat.context_tokens // _REPLY_SHARE)
        return ChatRequest(messages, sampling)

    async def _complete(self, turn: ModelTurn, prompt: TokenCount) -> None:
        """The turn's last messages."""
        if self._options.speaks:
            replied, modality = audio_tokens(turn.audio_s), "AUDIO"
        else:
            replied, modality = turn.usage.reply_tokens or text_tokens(turn.text), "TEXT"
        await self._end(usage_of(prompt, replied, turn.usage.thought_tokens, modality))

    async def _end(self, usage: UsageMetadata) -> None:
        done = ServerContent(turn_complete=True)
        await self._emit(ServerMessage(server_content=done, usage_metadata=usage))
        if self._options.resumable:
            await self._give_handle()

    async def _give_handle(self) -> None:
        snapshot = self._conversation.snapshot()
        handles, now = self._around.handles, self._around.time.now()
        handle = handles.give(self._options.model, snapshot, now)
        update = SessionResumptionUpdate(new_handle=handle, resumable=True)
        await self._emit(ServerMessage(session_resumption_update=update))

    async def _send(self, content: ServerContent) -> None:
        await self._emit(ServerMessage(server_content=content))
