//! The only place that asks the runtime for the time, or for the offset of a time zone.

use std::{cell::RefCell, pin::pin, time::Duration};

use chrono::{DateTime, FixedOffset};
use futures_util::future::{Either, select};
use js_sys::{Array, Date, Function, JsString, Object, Reflect};
use rollcall_core::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use worker::Delay;

/// Now, to the millisecond. The runtime lets it pass only while waiting.
pub fn now() -> Timestamp {
    let now = from_millis(Date::now() as i64);
    #[cfg(feature = "faults")]
    let now = now + super::faults::clock_offset();
    now
}

/// Waits for `work`, but no longer than `limit`.
///
/// # Errors
/// An error if it took longer. What had begun may still be done.
pub async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> worker::Result<T> {
    match select(pin!(work), Delay::from(limit)).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(((), _)) => Err(worker::Error::RustError("no answer in time".into())),
    }
}

/// Waits until `time`.
pub async fn sleep_until(time: Timestamp) {
    Delay::from((time - now()).to_std().unwrap_or_default()).await;
}

/// A stored time. Out of chrono's range, which no clock of ours reaches, it is 1970.
pub fn from_millis(millis: i64) -> Timestamp {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// [`utc_offset`], asked at most once a minute: asking is a tenth of a millisecond, and clocks change on the minute.
#[derive(Default)]
pub struct UtcOffsetCache(RefCell<Option<(String, i64, FixedOffset)>>);

impl UtcOffsetCache {
    /// How far `time_zone` is from UTC at `at`.
    pub fn of(&self, time_zone: &str, at: Timestamp) -> FixedOffset {
        let minute = at.timestamp().div_euclid(60);
        match &*self.0.borrow() {
            Some((zone, known, offset)) if zone == time_zone && *known == minute => return *offset,
            _ => {}
        }
        let offset = utc_offset(time_zone, at);
        *self.0.borrow_mut() = Some((time_zone.into(), minute, offset));
        offset
    }
}

/// How far `time_zone` (an IANA name) is from UTC at `at`. The runtime's own zone tables say so, which are kept up to
/// date and cost the Worker nothing; a name that they do not have counts as UTC.
fn utc_offset(time_zone: &str, at: Timestamp) -> FixedOffset {
    long_offset(time_zone, at).ok().as_deref().and_then(parse_offset).unwrap_or(chrono::Offset::fix(&chrono::Utc))
}

/// `GMT`, `GMT+05:30` or, for zones before standard time, `GMT-00:01:15`.
fn long_offset(time_zone: &str, at: Timestamp) -> Result<String, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"timeZone".into(), &time_zone.into())?;
    Reflect::set(&options, &"timeZoneName".into(), &"longOffset".into())?;
    let intl = Reflect::get(&js_sys::global(), &"Intl".into())?;
    let constructor: Function = Reflect::get(&intl, &"DateTimeFormat".into())?.dyn_into()?;
    // By reflection, because an unknown zone throws, and js-sys' own constructor does not catch.
    let format = Reflect::construct(&constructor, &Array::of2(&"en".into(), &options))?;
    let to_parts: Function = Reflect::get(&format, &"formatToParts".into())?.dyn_into()?;
    let date = Date::new(&(at.timestamp_millis() as f64).into());
    let parts: Array = to_parts.call1(&format, &date)?.dyn_into()?;
    for part in parts.iter() {
        if Reflect::get(&part, &"type".into())? == "timeZoneName" {
            return Ok(Reflect::get(&part, &"value".into())?.dyn_into::<JsString>()?.into());
        }
    }
    Err(JsValue::UNDEFINED)
}

fn parse_offset(text: &str) -> Option<FixedOffset> {
    let rest = text.strip_prefix("GMT")?;
    if rest.is_empty() {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = match rest.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut seconds = 0;
    for (unit, number) in [3600, 60, 1].into_iter().zip(rest.split(':')) {
        seconds += unit * number.parse::<i32>().ok()?;
    }
    FixedOffset::east_opt(sign * seconds)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn seconds(text: &str) -> Option<i32> {
        parse_offset(text).map(|offset| offset.local_minus_utc())
    }

    #[test]
    fn an_offset_is_read_as_the_runtime_writes_it() {
        assert_eq!(seconds("GMT"), Some(0));
        assert_eq!(seconds("GMT+05:30"), Some(19_800));
        assert_eq!(seconds("GMT-00:01:15"), Some(-75));
        assert_eq!(seconds("UTC"), None);
        assert_eq!(seconds("GMT+99:00"), None);
    }

    #[wasm_bindgen_test]
    fn a_zone_has_its_offset_of_that_day() {
        let winter = "2026-01-15T12:00:00Z".parse().unwrap();
        let summer = "2026-07-15T12:00:00Z".parse().unwrap();
        assert_eq!(utc_offset("UTC", winter).local_minus_utc(), 0);
        assert_eq!(utc_offset("Asia/Kolkata", winter).local_minus_utc(), 19_800);
        assert_eq!(utc_offset("Europe/Berlin", winter).local_minus_utc(), 3600);
        assert_eq!(utc_offset("Europe/Berlin", summer).local_minus_utc(), 7200);
        assert_eq!(utc_offset("America/St_Johns", winter).local_minus_utc(), -12_600);
    }

    #[wasm_bindgen_test]
    fn a_zone_that_does_not_exist_counts_as_utc() {
        assert_eq!(utc_offset("Mars/Olympus", now()).local_minus_utc(), 0);
        assert_eq!(utc_offset("", now()).local_minus_utc(), 0);
    }
}
