// Firebase AI Logic, before the Gemini API and before Vertex AI: a typed question, a spoken one.
// Its address is fixed in it; here that name leads to `serve`, as an operator's DNS would.
import { readFileSync } from 'node:fs';
import { initializeApp } from 'firebase/app';
import {
  getAI, getLiveGenerativeModel, GoogleAIBackend, ResponseModality, AgentPlatformBackend,
} from 'firebase/ai';

const Socket = globalThis.WebSocket;
const own = process.env.GOOGLE_GEMINI_BASE_URL.replace('http', 'ws');
globalThis.WebSocket = class extends Socket {
  constructor(url) {
    super(url.replace('wss://firebasevertexai.googleapis.com', own));
  }
};

const sound = readFileSync('16000.pcm');
const chunk = 1600; // 50 ms
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function converse(backend) {
  const app = initializeApp({ apiKey: 'any', appId: '1:2:web:3', projectId: 'p' }, `${backend.constructor.name}`);
  const model = getLiveGenerativeModel(getAI(app, { backend }), {
    model: 'gemini-2.5-flash-native-audio-preview-12-2025',
    generationConfig: {
      responseModalities: [ResponseModality.AUDIO],
      inputAudioTranscription: {},
      outputAudioTranscription: {},
    },
  });
  const session = await model.connect();
  const messages = session.receive();
  async function turn() {
    const told = { heard: '', said: '', audio_s: 0 };
    while (true) {
      const { value, done } = await messages.next();
      if (done) throw new Error('the session ended');
      told.heard += value.inputTranscription?.text ?? '';
      told.said += value.outputTranscription?.text ?? '';
      for (const part of value.modelTurn?.parts ?? []) {
        if (part.inlineData) told.audio_s += Buffer.from(part.inlineData.data, 'base64').length / 48000;
      }
      if (value.turnComplete) break;
    }
    told.heard = told.heard.trim();
    console.log(JSON.stringify(told));
  }
  await session.send('How many legs does a dog have?');
  await turn();
  const answered = turn();
  for (let start = 0; start < sound.length; start += chunk) {
    const data = sound.subarray(start, start + chunk).toString('base64');
    await session.sendAudioRealtime({ mimeType: 'audio/pcm', data });
    await sleep(chunk / 32);
  }
  await answered;
  await session.close();
}

for (const backend of [new GoogleAIBackend(), new AgentPlatformBackend('us-central1')]) {
  await converse(backend);
}
process.exit(0);
