"""No deadlines for property tests: this runs on shared machines, and a slow moment is no finding."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
