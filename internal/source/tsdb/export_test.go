package tsdb

// Minute does what the TSDB does by itself once a minute, for tests that are faster than time.
func (db *DB) Minute() { db.inner.ForceHeadMMap() }
