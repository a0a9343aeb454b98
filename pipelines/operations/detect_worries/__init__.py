"""The worries about data, W1 to W8, each with its detector."""
