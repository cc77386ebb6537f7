//! What the Worker takes from the platform: bindings, the clock, random bytes, and a few lines of JavaScript.

pub mod clock;
pub mod env;
pub mod faults;
pub mod js;
pub mod random;
