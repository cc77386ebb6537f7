//! Who callers were when they were last looked up, as this isolate remembers it.
//!
//! **Invariant:** nobody is let in because of it. It says which room to ask and what to ask it; whether it is still true
//! is a condition of the change itself, in the database (`sessions::still_true`).

use std::{cell::RefCell, collections::HashMap};

use rollcall_core::{auth::Principal, token::Token};

/// More are forgotten all at once: they are looked up again.
const LIMIT: usize = 10_000;

thread_local! {
    /// By the token's digest. Never borrowed while anything waits.
    static KNOWN: RefCell<HashMap<String, Principal>> = RefCell::default();
}

/// Whom a token spoke for.
pub fn recall(token: &Token) -> Option<Principal> {
    KNOWN.with_borrow(|known| known.get(&token.digest()).cloned())
}

/// Remembers whom a token speaks for, or that it speaks for nobody any more.
pub fn remember(token: &Token, principal: Option<&Principal>) {
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= LIMIT {
            known.clear();
        }
        match principal {
            Some(principal) => known.insert(token.digest(), principal.clone()),
            None => known.remove(&token.digest()),
        }
    });
}
