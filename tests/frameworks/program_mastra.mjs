// Mastra's voice for Gemini Live: a typed question, a spoken one.
// Its address is fixed in it; here its connections lead to `serve`, as an operator's DNS would.
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { GeminiLiveVoice } from '@mastra/voice-google-gemini-live';

const { hostname, port } = new URL(process.env.GOOGLE_GEMINI_BASE_URL);
tls.connect = () => net.connect({ host: hostname, port });

const sound = readFileSync('16000.pcm');
const chunk = 1600; // 50 ms
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const voice = new GeminiLiveVoice({ apiKey: 'any' });
let told;
let turnEnded;
function begin() {
  told = { heard: null, said: null, audio_s: 0 }; // it asks for no transcripts
  return new Promise((resolve) => { turnEnded = resolve; });
}
function tell() {
  console.log(JSON.stringify(told));
}
voice.on('speaking', ({ audioData }) => { told.audio_s += audioData.length / 24000; });
voice.on('turnComplete', () => turnEnded());
voice.on('error', (error) => console.error(error));

await voice.connect();
let ended = begin();
await voice.speak('How many legs does a dog have?');
await ended;
tell();
ended = begin();
for (let start = 0; start < sound.length; start += chunk) {
  const piece = sound.subarray(start, start + chunk);
  await voice.send(new Int16Array(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length)));
  await sleep(chunk / 32);
}
await ended;
tell();
await voice.disconnect();
process.exit(0);
