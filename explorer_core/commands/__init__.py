"""The command line, one file a command: it describes itself, adds its arguments and runs through the front desk."""
