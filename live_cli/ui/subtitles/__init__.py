"""Transcripts with times, as text, SRT, WebVTT or JSON."""
