"""A small Whisper trained from zero on made-up Arabic broadcast speech, for the demo and for tests."""
