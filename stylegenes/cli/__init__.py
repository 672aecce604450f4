"""The command line: one small file a verb, imported when it is called."""
