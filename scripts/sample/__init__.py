"""The parts of the sample data set's generator: a flat illustration style, drawn large and scaled down."""
