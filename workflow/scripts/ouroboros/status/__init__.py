"""Where a run stands, told beside it: from its record, its artifacts and its logs; nothing is written."""
