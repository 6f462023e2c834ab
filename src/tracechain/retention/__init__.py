"""Retention: how long what is kept, by which rule; what may go, what is held, what went."""
