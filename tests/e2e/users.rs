//! `/api/users/…`

mod login;
mod logout;
mod me;
mod status;
