-- What was counted of a hospital, by sample: [["events_total{kind=\"login\"}", 12], …]. Hospital 0: of none.
CREATE TABLE counters (
  hospital_id INTEGER PRIMARY KEY,
  samples     TEXT NOT NULL
);

-- A hospital's next seq is above this one, too: after its database was put back to an older state no seq is given twice.
ALTER TABLE hospitals ADD COLUMN seq_floor INTEGER NOT NULL DEFAULT 0;
