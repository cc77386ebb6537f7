//! What `manage.py dumpdata` writes: a list of `{"model", "pk", "fields"}`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A row of some table.
#[derive(Deserialize)]
pub struct Row {
    model: String,
    /// Absent if the dump was made with `--natural-primary`.
    #[serde(default)]
    pub pk: Value,
    pub fields: Map<String, Value>,
}

impl Row {
    /// A field that holds a text; empty if it does not.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field that holds a truth value; false if it does not.
    pub fn flag(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn is_called(&self, name: &str) -> bool {
        self.model.rsplit('.').next().is_some_and(|model| model.eq_ignore_ascii_case(name))
    }
}

/// What is taken from a dump.
pub struct Dump {
    pub users: Vec<Row>,
    /// Of Django REST Framework.
    pub tokens: Vec<Row>,
    /// Those of users who name theirs by its key.
    pub hospitals: Vec<Row>,
}

impl Dump {
    /// Reads a dump. Users are the rows of the one model that has an email and a password, or of `user_model`.
    ///
    /// # Errors
    /// If it is no dump, or it is not clear which model is that of the users.
    pub fn parse(text: &str, user_model: Option<&str>) -> Result<Self> {
        let rows: Vec<Row> = serde_json::from_str(text)
            .context("this is not what `manage.py dumpdata --format json --output <file>` writes")?;
        let is_user = |row: &Row| match user_model {
            Some(model) => row.model.eq_ignore_ascii_case(model),
            None => row.fields.contains_key("email") && row.fields.contains_key("password"),
        };
        let models: BTreeSet<&str> = rows.iter().filter(|row| is_user(row)).map(|row| row.model.as_str()).collect();
        if models.len() > 1 {
            bail!("which of them are the users? --user-model {}", Vec::from_iter(models).join(" or "));
        }
        ensure!(!models.is_empty(), "there are no users in it: no row has the fields email and password");
        let (users, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_user);
        let (tokens, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|row| row.is_called("token"));
        let hospitals = others.into_iter().filter(|row| row.is_called("hospital")).collect();
        Ok(Self { users, tokens, hospitals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = r#"[
        {"model": "contenttypes.contenttype", "pk": 1, "fields": {"app_label": "users"}},
        {"model": "users.customuser", "pk": 7, "fields": {"email": "ann@example.com", "password": "!"}},
        {"model": "users.hospital", "pk": 3, "fields": {"name": "North"}},
        {"model": "authtoken.token", "pk": "00", "fields": {"user": 7}}
    ]"#;

    #[test]
    fn users_are_those_with_an_email_and_a_password() {
        let dump = Dump::parse(DUMP, None).unwrap();
        assert_eq!((dump.users.len(), dump.tokens.len(), dump.hospitals.len()), (1, 1, 1));
        assert_eq!((&dump.users[0].pk, dump.users[0].text("email")), (&7.into(), "ann@example.com"));
    }

    #[test]
    fn two_models_of_users_have_to_be_told_apart() {
        let two = DUMP.replace("]", r#", {"model": "auth.user", "pk": 1, "fields": {"email": "", "password": ""}}]"#);
        let error = Dump::parse(&two, None).err().unwrap().to_string();
        assert_eq!(error, "which of them are the users? --user-model auth.user or users.customuser");
        assert_eq!(Dump::parse(&two, Some("users.CustomUser")).unwrap().users[0].pk, 7);
    }

    #[test]
    fn a_file_that_is_no_dump_is_refused() {
        for text in ["", "{}", "[1]", r#"[{"pk": 1}]"#, "[]", r#"[{"model": "a.b", "pk": 1, "fields": {}}]"#] {
            assert!(Dump::parse(text, None).is_err(), "{text}");
        }
    }
}
