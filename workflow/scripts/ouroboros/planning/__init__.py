"""Plans of runs: speeds, sizes, costs of jobs, schedules."""
