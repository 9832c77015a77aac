"""Names of what a sweep keeps in the study storage beside Optuna's own columns, once."""

# study user attributes
DEFINITION = "rrnn:definition"  # JSON of Definition: what the study is
RUNG_OF = "rrnn:rung_of"  # name of the study whose best trials this one continues
TOKEN = "rrnn:token"  # eight random hex digits, those of the first rung in all later ones

# trial user attributes, for people: shown by the dashboard
FOLDER = "folder"  # run folder, relative to the place the sweep was started from
REASON = "reason"  # why a FAIL trial failed
DETAIL = "detail"  # last lines of its log; of a COMPLETE one: why it ended early
FIGURES = "figures"  # last value of every logged figure
SECONDS = "seconds"  # wall time of all attempts of the trial
ORIGIN = "origin"  # in a later rung: number of the trial that is continued

# trial system attributes, for workers
ATTEMPT = "rrnn:attempt"  # how often the trial was put back; 0 is never set
BEAT = "rrnn:beat"  # changes while a worker is alive
WORKER = "rrnn:worker"  # host:pid:thread that has the trial
ENDS = "rrnn:ends"  # list of [reason, counted] of earlier attempts
SILENCE = "rrnn:silence"  # a live worker is never silent for so many seconds
SPENT = "rrnn:spent"  # wall time of all attempts, seconds, as of the last beat
