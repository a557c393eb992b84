"""The bundle at run time: decode, preprocess, infer, postprocess, draw."""
