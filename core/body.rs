//! JSON bodies, field by field, with an error that names the field at fault, in Django REST Framework's words.

use serde_json::{Map, Value};

use crate::ApiError;

/// The largest body that is read, in bytes.
pub const LIMIT: usize = 16 * 1024;

/// Up to here a JavaScript number, and so one of D1's, is exact.
const LARGEST: f64 = (1_i64 << 53) as f64;

/// The fields of a JSON object. Unknown ones are ignored, as the originals did.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads `body`.
    ///
    /// # Errors
    /// [`ApiError::ParseError`] for what is not JSON, [`ApiError::InvalidRequest`] for JSON that is not an object.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value = serde_json::from_slice(body).map_err(|error| ApiError::ParseError(error.to_string()))?;
        let kind = match value {
            Value::Object(fields) => return Ok(Self(fields)),
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "str",
            Value::Array(_) => "list",
        };
        let detail = format!("Invalid data. Expected a dictionary, but got {kind}.");
        Err(ApiError::InvalidRequest { detail, field: None })
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn text(&self, name: &str) -> Result<&str, ApiError> {
        self.optional_text(name)?.ok_or_else(|| required(name))
    }

    /// A text that may be absent, but not null or of another type.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        self.present(name)?
            .map(|value| value.as_str().ok_or_else(|| ApiError::field(name, "Not a valid string.")))
            .transpose()
    }

    /// A truth value that must be there.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn bool(&self, name: &str) -> Result<bool, ApiError> {
        self.optional_bool(name)?.ok_or_else(|| required(name))
    }

    /// A truth value that may be absent, but not null or of another type.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn optional_bool(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.present(name)?
            .map(|value| value.as_bool().ok_or_else(|| ApiError::field(name, "Must be a valid boolean.")))
            .transpose()
    }

    /// A row id that may be absent, but not null or of another type. `7.0` is a whole number in JSON.
    ///
    /// # Errors
    /// [`ApiError::InvalidRequest`] naming the field.
    pub fn optional_id(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < LARGEST).then_some(number as i64);
        let id = |value: &Value| value.as_i64().or_else(|| value.as_f64().and_then(whole));
        self.present(name)?
            .map(|value| id(value).ok_or_else(|| ApiError::field(name, "A valid integer is required.")))
            .transpose()
    }

    fn present(&self, name: &str) -> Result<Option<&Value>, ApiError> {
        match self.0.get(name) {
            Some(Value::Null) => Err(ApiError::field(name, "This field may not be null.")),
            other => Ok(other),
        }
    }
}

/// The error for a body without that field.
pub fn required(name: &str) -> ApiError {
    ApiError::field(name, "This field is required.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (&'static str, Option<String>) {
        let error = result.unwrap_err();
        (error.code(), error.body().field)
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for body in ["", "{", "{'email': 1}", "\u{feff}{}", "{\"a\":1}x"] {
            assert_eq!(refused(Fields::parse(body.as_bytes())), ("parse_error", None), "{body}");
        }
        assert_eq!(refused(Fields::parse(b"{\"a\":\"\xff\"}")), ("parse_error", None));
        let deep = "[".repeat(10_000);
        assert_eq!(refused(Fields::parse(deep.as_bytes())), ("parse_error", None));
    }

    #[test]
    fn what_is_not_an_object_is_an_invalid_request() {
        for body in ["null", "[]", "7", "\"text\"", "true"] {
            assert_eq!(refused(Fields::parse(body.as_bytes())), ("invalid_request", None), "{body}");
        }
    }

    #[test]
    fn a_field_at_fault_is_named() {
        let fields = Fields::parse(br#"{"list":[],"null":null,"number":7,"half":0.5,"text":"7"}"#).unwrap();
        let at = |name: &str| ("invalid_request", Some(name.to_string()));
        for name in ["list", "null", "number", "absent"] {
            assert_eq!(refused(fields.text(name)), at(name));
        }
        for name in ["list", "null", "number", "text", "absent"] {
            assert_eq!(refused(fields.bool(name)), at(name));
        }
        for name in ["list", "null", "half", "text"] {
            assert_eq!(refused(fields.optional_id(name)), at(name));
        }
        assert_eq!(fields.optional_id("absent"), Ok(None));
        assert_eq!(fields.optional_id("number"), Ok(Some(7)));
        assert_eq!(Fields::parse(br#"{"whole":7.0}"#).unwrap().optional_id("whole"), Ok(Some(7)));
        assert!(Fields::parse(br#"{"huge":1e300}"#).unwrap().optional_id("huge").is_err());
        assert_eq!(fields.text("text"), Ok("7"));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body: Vec<u8>) {
            let _ = Fields::parse(&body);
        }
    }
}
