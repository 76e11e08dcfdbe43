"""Fine-tuning an audio LLM on several Arabic speech and text tasks, with the data schedule as the thing to choose."""
