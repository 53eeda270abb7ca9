package store

// ForgetAll makes a digester know as little as one that has just started.
func ForgetAll(d *DB) { d.forgetAll() }
