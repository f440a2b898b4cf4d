// The microphone as 16-bit PCM in pieces of 50 ms, at the rate of the context (an AudioWorklet).
class Microphone extends AudioWorkletProcessor {
  piece = new Int16Array(sampleRate / 20);
  filled = 0;

  process([[samples]]) {
    for (const sample of samples ?? []) {
      this.piece[this.filled++] = 32767 * Math.max(-1, Math.min(1, sample));
      if (this.filled === this.piece.length) {
        this.port.postMessage(this.piece);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('microphone', Microphone);
