"""Old places of names that have moved since."""
