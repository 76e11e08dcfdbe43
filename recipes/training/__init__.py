"""Training: the loop and its steps, losses and rates, what feeds it, what it writes down, and how it is resumed."""
