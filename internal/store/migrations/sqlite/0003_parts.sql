-- What parts of the service remember, as JSON that the store does not look into.
CREATE TABLE parts (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
