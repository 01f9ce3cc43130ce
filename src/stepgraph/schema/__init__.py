"""State schemas: how types become channels, inputs and answers."""
