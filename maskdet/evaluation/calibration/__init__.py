"""Whether scores are probabilities, and the calibration that makes them so."""
