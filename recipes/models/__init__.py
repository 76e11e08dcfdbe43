"""The audio LLM: what it is loaded from, what it takes and gives, what of it is adapted, how it is exported."""
