//! The plan of an import, made before anything is written: the report on each row of the dump, and the statements.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_core::{HospitalId, UserId, wire::Role};

use super::{
    changes::{Changes, Follows},
    dump::{Dump, Row},
    existing::{Existing, Hospital, User},
    person::{Person, UNUSABLE, same_name},
    report::{Kind, Of, Report},
    sql,
    token::UserToken,
};
use crate::wrangler;

/// The hospitals that users go to.
pub struct Hospitals<'a> {
    /// The one of users who have none.
    pub default: &'a str,
    /// It is everybody's.
    pub one: bool,
    /// The time zone of those that are new.
    pub time_zone: &'a str,
}

/// The plan.
pub struct Plan<'a> {
    pub report: Report,
    pub warnings: Vec<String>,
    pub sql: String,
    existing: Existing,
    hospitals: Hospitals<'a>,
    /// The owners of emails, in lower case, and of usernames.
    emails: BTreeMap<String, UserId>,
    usernames: BTreeMap<String, UserId>,
    /// The users that are there afterwards, and why their tokens are not taken, if so.
    there: BTreeMap<UserId, Option<&'static str>>,
    /// The hospitals whose users are written.
    touched: BTreeSet<HospitalId>,
    /// Whether the hospitals of the dump have an administrator.
    administered: BTreeMap<HospitalId, bool>,
}

impl<'a> Plan<'a> {
    /// Decides.
    pub fn new(dump: &Dump, existing: Existing, hospitals: Hospitals<'a>) -> Self {
        let emails = existing.users.iter().map(|user| (user.email.to_ascii_lowercase(), user.id)).collect();
        let usernames = existing.users.iter().map(|user| (user.username.clone(), user.id)).collect();
        let (report, warnings, sql) = (Report::default(), Vec::new(), String::new());
        let (there, touched, administered) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        let mut plan =
            Self { report, warnings, sql, existing, hospitals, emails, usernames, there, touched, administered };
        let mut users: Vec<&Row> = dump.users.iter().collect();
        // In the order of their keys, so that of two with the same email the older one has it, however often this is run.
        users.sort_by_key(|row| row.pk.as_i64());
        for row in users {
            let decided = Person::check(row, &dump.hospitals).and_then(|person| plan.user(&person));
            let (kind, note) = decided.unwrap_or_else(|reason| (Kind::Refused, reason));
            plan.report.say(kind, Of::User, row.pk.as_i64(), note);
        }
        for row in &dump.tokens {
            plan.token(row);
        }
        plan.sql.extend(plan.touched.iter().map(wrangler::raise_revision));
        for (id, _) in plan.administered.iter().filter(|(_, administered)| !**administered) {
            let create = format!("cargo xtask admin create --hospital {id}");
            plan.warnings.push(format!("hospital {id} has no administrator who can sign in: `{create}` makes one"));
        }
        plan
    }

    fn user(&mut self, person: &Person) -> Result<(Kind, String), String> {
        if self.there.contains_key(&person.id) {
            return Err("another row has that key".into());
        }
        let old = self.existing.users.iter().find(|user| user.id == person.id).cloned();
        let follows = old.as_ref().map_or(Ok(Follows::Yes), |old| Follows::of(old, person))?;
        let hospital_id = match &old {
            Some(old) if follows != Follows::Yes => old.hospital_id,
            _ => {
                self.is_free(person)?;
                let name = person.hospital.as_deref().filter(|_| !self.hospitals.one);
                self.hospital(name.unwrap_or(self.hospitals.default))?
            }
        };
        let (kind, note) = match &old {
            None => {
                self.sql += &sql::insert(person, hospital_id);
                self.touched.insert(hospital_id);
                (Kind::Imported, format!("{}, hospital {hospital_id}", person.user.role.as_str()))
            }
            Some(old) => self.update(person, hospital_id, old, follows)?,
        };
        if follows == Follows::Yes {
            self.emails.insert(person.user.email.to_ascii_lowercase(), person.id);
            self.usernames.insert(person.user.username.clone(), person.id);
        }
        let is_active = match &old {
            Some(old) if follows != Follows::Yes => old.is_active == 1,
            _ => person.user.is_active,
        };
        let why_no_token = match &old {
            Some(old) if old.imported_hash.is_none() => Some("its user has a password of Rollcall's by now"),
            _ if !is_active => Some("its user is deactivated"),
            _ => None,
        };
        self.there.insert(person.id, why_no_token);
        self.look_for_administrator(person, hospital_id);
        Ok((kind, [&[note], person.notes.as_slice()].concat().join("; ")))
    }

    /// Brings an account up to date.
    fn update(
        &mut self,
        person: &Person,
        hospital_id: HospitalId,
        old: &User,
        follows: Follows,
    ) -> Result<(Kind, String), String> {
        let changes = Changes::between(old, person, hospital_id, follows)?;
        if changes.profile {
            self.sql += &sql::change_profile(person, hospital_id);
        }
        if changes.availability {
            self.sql += &sql::change_availability(person, hospital_id);
        }
        if changes.password {
            self.sql += &sql::change_password(person);
        }
        if changes.ends_sessions {
            self.sql += &sql::end_tokens(person.id);
        }
        if changes.names.is_empty() {
            return Ok((Kind::Unchanged, follows.why_unchanged().into()));
        }
        self.sql += &sql::raise_version(person.id);
        self.touched.extend([old.hospital_id, hospital_id]);
        Ok((Kind::Changed, changes.names.join(", ")))
    }

    /// Whether nobody else has the email and the username.
    fn is_free(&self, person: &Person) -> Result<(), String> {
        let email = self.emails.get(&person.user.email.to_ascii_lowercase());
        let username = self.usernames.get(&person.user.username);
        for (what, owner) in [("email", email), ("username", username)] {
            if let Some(owner) = owner.filter(|owner| **owner != person.id) {
                return Err(format!("{what}: it is that of user {owner}"));
            }
        }
        Ok(())
    }

    /// The id of the hospital of that name, or of a new one.
    fn hospital(&mut self, name: &str) -> Result<HospitalId, String> {
        let mut same = self.existing.hospitals.iter().filter(|hospital| same_name(&hospital.name, name));
        match (same.next(), same.next()) {
            (Some(hospital), None) => return Ok(hospital.id),
            (Some(_), Some(_)) => return Err("hospital: two have that name already".into()),
            (None, _) => {}
        }
        let last = self.existing.hospitals.iter().map(|hospital| hospital.id).max().unwrap_or_default();
        let id = HospitalId::new(last.get() + 1);
        self.sql += &sql::hospital(id, name, self.hospitals.time_zone);
        self.report.say(Kind::Imported, Of::Hospital, Some(id.get()), name);
        self.existing.hospitals.push(Hospital { id, name: name.into() });
        Ok(id)
    }

    fn look_for_administrator(&mut self, person: &Person, hospital_id: HospitalId) {
        // Among users who are there already: somebody with a password to sign in with.
        let can = |user: &User| {
            user.hospital_id == hospital_id
                && user.role == "admin"
                && user.is_active == 1
                && user.imported_hash.as_deref() != Some(UNUSABLE)
        };
        let already = self.existing.users.iter().any(can);
        let now = person.user.role == Role::Admin && person.user.is_active && person.password_hash != UNUSABLE;
        *self.administered.entry(hospital_id).or_insert(already) |= now;
    }

    /// A token is taken once. Whatever becomes of it, its row stays until its user signs in with a password; and from then
    /// on none of their tokens is taken.
    fn token(&mut self, row: &Row) {
        let UserToken { digest, user_id } = match UserToken::check(row) {
            Ok(token) => token,
            Err(reason) => {
                return self.report.say(Kind::Refused, Of::Token, UserToken::user(row).map(UserId::get), reason);
            }
        };
        let (kind, note) = match self.there.get(&user_id) {
            None => (Kind::Refused, "its user is not there"),
            Some(_) if self.existing.tokens.contains(&digest) => (Kind::Unchanged, "it was imported before"),
            Some(Some(reason)) => (Kind::Unchanged, *reason),
            Some(None) => {
                self.sql += &sql::token(user_id, &digest);
                self.existing.tokens.insert(digest);
                (Kind::Imported, "good for ten hours from now")
            }
        };
        self.report.say(kind, Of::Token, Some(user_id.get()), note);
    }
}

#[cfg(test)]
mod tests;
