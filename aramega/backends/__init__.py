"""The models behind stages, each loaded only when a stage asks it something."""
