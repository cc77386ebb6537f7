//! Query strings, parameter by parameter, with an error that names the one at fault.

use chrono::DateTime;

use crate::{ApiError, Seq, Timestamp, UserId, event::Event, room::Since};

/// The longest email that is looked up, in bytes (RFC 5321's path limit).
pub const EMAIL_LIMIT: usize = 254;

/// The parameters of a query string, decoded.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind the `?`.
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter that may be absent.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] where it is given twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(ApiError::field(name, "This parameter may be given once.")),
        }
    }

    /// A parameter that may be absent, read by `parse`.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] where it is not as `expected`, or given twice.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        self.one(name)?.map(|text| parse(text).ok_or_else(|| ApiError::field(name, expected))).transpose()
    }

    /// How many entries of a list are asked for: 100 unless said otherwise, 1,000 at most.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] for another number.
    pub fn limit(&self) -> Result<u32, ApiError> {
        let limit = |text: &str| text.parse().ok().filter(|limit| (1..=1000).contains(limit));
        Ok(self.parsed("limit", limit, "A number from 1 to 1000 is required.")?.unwrap_or(100))
    }

    /// The email of a join: trimmed. Case does not matter to the look-up.
    ///
    /// # Errors
    /// [`ApiError::NoEmail`] where it is absent or empty, [`ApiError::JoinNotAccepted`] where it is longer than an
    /// email can be, given twice, or holds a control character.
    pub fn email(&self) -> Result<&str, ApiError> {
        let email = self.one("email").map_err(|_| ApiError::JoinNotAccepted)?.unwrap_or_default().trim();
        if email.is_empty() {
            Err(ApiError::NoEmail)
        } else if email.len() > EMAIL_LIMIT || email.chars().any(char::is_control) {
            Err(ApiError::JoinNotAccepted)
        } else {
            Ok(email)
        }
    }

    /// Where a dashboard wants to resume. What cannot be read is no reason to refuse it: it gets a snapshot.
    pub fn resume(&self) -> Option<Since> {
        match self.one("since") {
            Ok(None) => None,
            Ok(Some(text)) => Some(text.parse().map_or(Since::Unreadable, Since::Seq)),
            Err(_) => Some(Since::Unreadable),
        }
    }

    /// Whether a dashboard asks to be told how many are connected.
    pub fn asks_for_connections(&self) -> bool {
        self.one("connections") == Ok(Some("1"))
    }
}

/// What `GET /api/events/` is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Events after this one.
    pub since: Seq,
    /// The last events before this one, instead of the first.
    pub before: Option<Seq>,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
    /// Of this doctor only.
    pub doctor_id: Option<UserId>,
    /// Recorded then or later.
    pub from: Option<Timestamp>,
    /// Recorded before then.
    pub to: Option<Timestamp>,
}

impl EventFilter {
    /// Whether an event is of the doctor and the time that are asked for.
    pub fn matches(&self, event: &Event) -> bool {
        self.doctor_id.is_none_or(|id| id == event.doctor.id)
            && self.from.is_none_or(|from| from <= event.at)
            && self.to.is_none_or(|to| event.at < to)
    }

    /// Reads the filter.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the parameter at fault.
    pub fn parse(query: &Query) -> Result<Self, ApiError> {
        // D1's numbers are JavaScript's: beyond 2^53 they are not whole any more.
        let seq = |text: &str| text.parse().ok().filter(|seq: &Seq| seq.get() < 1 << 53);
        let seq = |name| query.parsed(name, seq, "A seq of 0 or more is required.");
        let time = |text: &str| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc());
        let rfc3339 = "An RFC 3339 date and time is required.";
        Ok(Self {
            since: seq("since")?.unwrap_or_default(),
            before: seq("before")?,
            limit: query.limit()?,
            doctor_id: query.parsed("doctor_id", |text| text.parse().ok(), "A valid integer is required.")?,
            from: query.parsed("from", time, rfc3339)?,
            to: query.parsed("to", time, rfc3339)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn email(query: &str) -> Result<String, ApiError> {
        Query::parse(query).email().map(str::to_owned)
    }

    #[test]
    fn an_email_is_read_as_the_original_read_it() {
        assert_eq!(email("email=user@example.com").as_deref(), Ok("user@example.com"));
        assert_eq!(email("email=user%40example.com&x=1").as_deref(), Ok("user@example.com"));
        assert_eq!(email("email=%20user@example.com%20").as_deref(), Ok("user@example.com"));
    }

    #[test]
    fn no_email_and_a_bad_one_are_different_refusals() {
        for none in ["", "email", "email=", "email=%20", "mail=x"] {
            assert_eq!(email(none), Err(ApiError::NoEmail), "{none}");
        }
        let long = format!("email={}@example.com", "a".repeat(250));
        for bad in ["email=a&email=b", "email=a%00b", long.as_str()] {
            assert_eq!(email(bad), Err(ApiError::JoinNotAccepted), "{bad}");
        }
    }

    #[test]
    fn a_since_that_cannot_be_read_still_resumes() {
        assert_eq!(Query::parse("").resume(), None);
        assert_eq!(Query::parse("since=41").resume(), Some(Since::Seq(Seq::new(41))));
        for unreadable in ["since=", "since=-1", "since=abc", "since=1&since=2", "since=99999999999999999999"] {
            assert_eq!(Query::parse(unreadable).resume(), Some(Since::Unreadable), "{unreadable}");
        }
    }

    #[test]
    fn only_a_one_asks_to_be_told_of_connections() {
        assert!(Query::parse("since=3&connections=1").asks_for_connections());
        for other in
            ["", "connections", "connections=", "connections=0", "connections=true", "connections=1&connections=1"]
        {
            assert!(!Query::parse(other).asks_for_connections(), "{other}");
        }
    }

    #[test]
    fn a_filter_has_defaults_and_names_what_is_wrong() {
        let filter = EventFilter::parse(&Query::parse("")).unwrap();
        assert_eq!(
            filter,
            EventFilter { since: Seq::new(0), before: None, limit: 100, doctor_id: None, from: None, to: None }
        );
        let filter = EventFilter::parse(&Query::parse(
            "since=3&before=9&limit=1000&doctor_id=7&from=2026-11-21T10:00:00%2B01:00",
        ));
        let filter = filter.unwrap();
        assert_eq!((filter.since, filter.before), (Seq::new(3), Some(Seq::new(9))));
        assert_eq!(filter.from, Some("2026-11-21T09:00:00Z".parse().unwrap()));
        for (query, field) in [
            ("since=-1", "since"),
            ("since=abc", "since"),
            ("since=9007199254740992", "since"),
            ("before=-1", "before"),
            ("before=", "before"),
            ("before=9007199254740992", "before"),
            ("before=1&before=2", "before"),
            ("limit=0", "limit"),
            ("limit=1000000000", "limit"),
            ("doctor_id=x", "doctor_id"),
            ("from=yesterday", "from"),
            ("to=2026-11-21", "to"),
            ("limit=1&limit=2", "limit"),
        ] {
            let refused = EventFilter::parse(&Query::parse(query)).unwrap_err();
            assert_eq!(refused.body().field.as_deref(), Some(field), "{query}");
        }
    }

    proptest! {
        #[test]
        fn any_query_is_answered(text: String) {
            let query = Query::parse(&text);
            let _ = (query.email().is_ok(), query.resume(), EventFilter::parse(&query).is_ok());
        }
    }
}
