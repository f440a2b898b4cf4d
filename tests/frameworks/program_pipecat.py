"""pipecat's GeminiLiveLLMService: a typed question, then a spoken one; nothing but environment."""

import asyncio
import json
import os
from pathlib import Path

from pipecat.frames.frames import (
    InputAudioRawFrame,
    LLMRunFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.workers.runner import WorkerRunner

SOUND = Path("16000.pcm").read_bytes()
CHUNK = 640  # 20 ms


class Turn:
    def __init__(self):
        self.heard, self.said, self.audio = "", "", b""
        self.over = asyncio.Event()

    async def end(self):
        await self.over.wait()
        told = {"heard": self.heard, "said": self.said, "audio_s": len(self.audio) / 48_000}
        print(json.dumps(told), flush=True)
        self.__init__()


class Listener(FrameProcessor):
    def __init__(self, turn):
        super().__init__()
        self.turn = turn

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.turn.audio += frame.audio
        elif isinstance(frame, TTSTextFrame):
            self.turn.said += frame.text
        elif isinstance(frame, TranscriptionFrame):
            self.turn.heard += frame.text
        elif isinstance(frame, TTSStoppedFrame):
            self.turn.over.set()
        await self.push_frame(frame, direction)


async def main():
    llm = GeminiLiveLLMService(api_key=os.environ["GOOGLE_API_KEY"])
    context = LLMContext([{"role": "user", "content": "How many legs does a dog have?"}])
    aggregators = LLMContextAggregatorPair(context)
    turn = Turn()
    heard, said = Listener(turn), Listener(turn)  # transcripts of the user travel upstream
    pipeline = Pipeline([aggregators.user(), heard, llm, said, aggregators.assistant()])
    worker = PipelineWorker(pipeline)
    runner = WorkerRunner()
    await runner.add_workers(worker)

    async def converse():
        await worker.queue_frames([LLMRunFrame()])
        await turn.end()
        for start in range(0, len(SOUND), CHUNK):
            chunk = SOUND[start : start + CHUNK]
            frame = InputAudioRawFrame(audio=chunk, sample_rate=16_000, num_channels=1)
            await worker.queue_frames([frame])
            await asyncio.sleep(0.02)
        await turn.end()
        await worker.cancel()

    await asyncio.gather(runner.run(), converse())


asyncio.run(main())
