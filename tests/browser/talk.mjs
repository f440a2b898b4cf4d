// Streams the microphone to the server of ?server= until a turn is complete; what came, or the
// error, is posted to /told.
import { GoogleGenAI, Modality } from '@google/genai';

const MODEL = 'gemini-3.1-flash-live-preview';

async function speakInto(session) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext({ sampleRate: 16000 }); // the browser resamples
  await context.audioWorklet.addModule('microphone.js');
  const microphone = new AudioWorkletNode(context, 'microphone');
  microphone.port.onmessage = ({ data }) => session.sendRealtimeInput({
    audio: {
      data: btoa(String.fromCharCode(...new Uint8Array(data.buffer))),
      mimeType: 'audio/pcm;rate=16000',
    },
  });
  context.createMediaStreamSource(stream).connect(microphone);
  return () => context.close();
}

async function converse() {
  const told = { heard: '', said: '', audio_s: 0 };
  const server = new URL(location).searchParams.get('server');
  const ai = new GoogleGenAI({ apiKey: 'any', httpOptions: { baseUrl: server } });
  const answered = Promise.withResolvers();
  const connecting = ai.live.connect({
    model: MODEL,
    config: {
      responseModalities: [Modality.AUDIO],
      inputAudioTranscription: {},
      outputAudioTranscription: {},
    },
    callbacks: {
      onmessage({ serverContent }) {
        told.heard += serverContent?.inputTranscription?.text ?? '';
        told.said += serverContent?.outputTranscription?.text ?? '';
        for (const { inlineData } of serverContent?.modelTurn?.parts ?? []) {
          if (inlineData) told.audio_s += atob(inlineData.data).length / 48000;
        }
        if (serverContent?.turnComplete) answered.resolve();
      },
      onerror: (event) => answered.reject(new Error(`socket: ${event.message}`)),
      onclose: ({ code, reason }) => answered.reject(new Error(`closed: ${code} ${reason}`)),
    },
  });
  const session = await Promise.race([connecting, answered.promise]);
  const stop = await speakInto(session);
  told.model = (await ai.models.get({ model: MODEL })).name; // by HTTP, as it talks
  await answered.promise;
  await stop();
  session.close();
  return told;
}

const told = await converse().catch((error) => ({ error: `${error}` }));
await fetch('/told', { method: 'POST', body: JSON.stringify(told) });
