"""The pipeline file: its schema, how it is read and checked, and a first draft of one."""
