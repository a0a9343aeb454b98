"""What the operations on clusters share: the segmenter, its files, stability and profiles."""
