// From the Live API capabilities guide, https://ai.google.dev/gemini-api/docs/live-guide (Apache-2.0).

const config = {
  responseModalities: [Modality.TEXT],
  realtimeInputConfig: {
    automaticActivityDetection: {
      disabled: true,
    }
  }
};
