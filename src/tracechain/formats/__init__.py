"""Files of other systems <-> events: EPCIS documents, scan files."""
