-- Who comes from `cargo xtask import-django`. 1: as they were imported, so that importing again brings changes. 0: edited
-- since, so that it leaves them alone. Null: not imported.
ALTER TABLE users ADD COLUMN follows_import INTEGER CHECK (follows_import IN (0, 1));

-- Whose password is still stored as Django stored it: asked with every sign-in, so it costs nothing where there is nobody.
CREATE INDEX users_with_imported_passwords ON users (id) WHERE is_active = 1 AND password_hash LIKE 'pbkdf2%';
