"""Recall: which units a criterion covers, where they are, who has to act, and how far it has come."""
