"""`live-cli transcribe`: speech files through sessions, to text and subtitles."""
