"""What a person sees of a run in a notebook: panels are folds over its events, plus commands on its methods."""
