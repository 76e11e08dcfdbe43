"""Audio: streaming decode, signal measures, clips. Knows numbers and files, not stages or stores."""
