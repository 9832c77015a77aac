"""Lightning wiring: modules, callbacks, loggers and the command line."""
