// From the Live API capabilities guide, https://ai.google.dev/gemini-api/docs/live-guide (Apache-2.0).

const message = 'Hello, how are you?';
session.sendClientContent({ turns: message, turnComplete: true });
