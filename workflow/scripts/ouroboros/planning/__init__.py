"""What a run will cost: speeds, sizes, job costs, schedules."""
