-- When is_live took its present value: the time of the doctor's last login or logout. Null: it never changed. Written by
-- the hospital's room only, together with is_live.
ALTER TABLE doctors ADD COLUMN live_changed_ms INTEGER;

UPDATE doctors SET live_changed_ms = last.at_ms
FROM (SELECT doctor_id, at_ms, MAX(seq) FROM events WHERE action IN ('login', 'logout') GROUP BY doctor_id) AS last
WHERE user_id = last.doctor_id;
