"""What a training and its results tell an experiment tracker, sent so that no tracker can hold them up."""
