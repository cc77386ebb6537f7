//! The changes that importing again makes to an account.
//!
//! **Invariant:** what was done here since the last import stays: a profile that was edited, a password that was chosen or
//! given, or stored again at a sign-in, and a state that has events.

use rollcall_core::{HospitalId, wire::Role};

use super::{existing::User, person::Person};

/// Whether an account follows what Django says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// It is as it was imported.
    Yes,
    /// It was edited since.
    Edited,
    /// It was added here, by another administrator.
    AddedHere,
}

impl Follows {
    /// Of the account with that person's id.
    ///
    /// # Errors
    /// If it is somebody else's.
    pub fn of(old: &User, person: &Person) -> Result<Self, String> {
        // A dump of another application has other people's ids.
        let same_email = old.email.eq_ignore_ascii_case(&person.user.email);
        let same = same_email || old.follows_import.is_some() && old.username == person.user.username;
        match old.follows_import {
            _ if !same => Err("somebody else has that id".into()),
            Some(1) => Ok(Self::Yes),
            Some(_) => Ok(Self::Edited),
            None => Ok(Self::AddedHere),
        }
    }

    pub fn why_unchanged(self) -> &'static str {
        match self {
            Self::Yes => "as it was imported",
            Self::Edited => "edited in Rollcall since it was imported",
            Self::AddedHere => "added in Rollcall, not imported",
        }
    }
}

/// The differences to what was imported before.
pub struct Changes {
    /// The names of the fields.
    pub names: Vec<&'static str>,
    pub profile: bool,
    pub availability: bool,
    pub password: bool,
    /// Something was taken away, as by an administrator.
    pub ends_sessions: bool,
}

impl Changes {
    /// Compares.
    ///
    /// # Errors
    /// If something cannot change now.
    pub fn between(old: &User, person: &Person, hospital_id: HospitalId, follows: Follows) -> Result<Self, String> {
        let Person { user, password_hash, .. } = person;
        let (follows, is_doctor) = (follows == Follows::Yes, user.role == Role::Doctor);
        let doctors = |new: &str, old: &Option<String>| is_doctor && old.as_deref() != Some(new);
        let grave = [
            ("role", user.role.as_str() != old.role),
            ("is_active", u8::from(user.is_active) != old.is_active),
            ("hospital", hospital_id != old.hospital_id),
        ];
        let light = [
            ("email", user.email != old.email),
            ("username", user.username != old.username),
            ("first_name", user.first_name != old.first_name),
            ("last_name", user.last_name != old.last_name),
            ("consultation_hours", doctors(&user.consultation_hours, &old.consultation_hours)),
            ("specialization", doctors(&user.specialization, &old.specialization)),
        ];
        let names = |fields: &[(&'static str, bool)]| -> Vec<&'static str> {
            fields.iter().filter(|(_, is_other)| follows && *is_other).map(|(name, _)| *name).collect()
        };
        let (grave, light) = (names(&grave), names(&light));
        if let Some(name) = grave.first().filter(|_| old.is_live == Some(1)) {
            return Err(format!("{name}: cannot change while the doctor is on duty"));
        }
        if grave.contains(&"hospital") && old.has_events == 1 {
            return Err("hospital: cannot change, because events of the one before name the doctor".into());
        }
        let is_available = Some(u8::from(person.is_available_for_consultation));
        let state = old.is_available_for_consultation.filter(|_| old.has_events == 0);
        let availability = follows && is_doctor && state.is_some() && state != is_available;
        let password = old.imported_hash.as_ref().is_some_and(|old| old != password_hash);

        let (profile, ends_sessions) = (!grave.is_empty() || !light.is_empty(), !grave.is_empty() || password);
        let others = [("is_available_for_consultation", availability), ("password", password)];
        let others = others.into_iter().filter(|(_, is_other)| *is_other).map(|(name, _)| name);
        let names = grave.into_iter().chain(light).chain(others).collect();
        Ok(Self { names, profile, availability, password, ends_sessions })
    }
}
