//! `/api/users/…`

mod accounts;
mod login;
mod logout;
mod me;
mod password;
mod rights;
mod sessions;
mod status;
mod throttle;
