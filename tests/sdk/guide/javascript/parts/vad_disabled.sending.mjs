// From the Live API capabilities guide, https://ai.google.dev/gemini-api/docs/live-guide (Apache-2.0).

session.sendRealtimeInput({ activityStart: {} })

session.sendRealtimeInput(
  {
    audio: {
      data: base64Audio,
      mimeType: "audio/pcm;rate=16000"
    }
  }

);

session.sendRealtimeInput({ activityEnd: {} })
