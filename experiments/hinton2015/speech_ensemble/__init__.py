"""Ten nets hear the states of phones; one that their ensemble teaches keeps its gain."""
