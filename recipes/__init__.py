"""Fine-tuning an audio LLM on several Arabic speech and text tasks, with the data schedule as the thing to choose.

What is run, each as `python -m recipes.NAME`: `hardware`, `schedule`, `embed`, `train`, `evaluate`, `compare`, `merge`.
Everything in the folders is library. CONTRIBUTING.md says what each folder holds.
"""
