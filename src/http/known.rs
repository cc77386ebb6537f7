//! Who callers were when they were last looked up, as this isolate remembers it.
//!
//! **Invariant:** nobody is let in because of it. It says which room to ask and what to ask it; whether it is still true
//! is a condition of the change itself, in the database (`sessions::still_true`).

use std::{cell::RefCell, collections::VecDeque};

use rollcall_core::{auth::Principal, token::Token};

/// The oldest give way.
const LIMIT: usize = 1_000;

thread_local! {
    /// By the token's digest, the newest first. Never borrowed while anything waits.
    static KNOWN: RefCell<VecDeque<(String, Principal)>> = const { RefCell::new(VecDeque::new()) };
}

/// Whom a token spoke for.
pub fn recall(token: &Token) -> Option<Principal> {
    let digest = token.digest();
    KNOWN.with_borrow(|known| known.iter().find(|(of, _)| *of == digest).map(|(_, principal)| principal.clone()))
}

/// Remembers whom a token speaks for, or that it speaks for nobody any more.
pub fn remember(token: &Token, principal: Option<&Principal>) {
    let digest = token.digest();
    KNOWN.with_borrow_mut(|known| {
        known.retain(|(of, _)| *of != digest);
        if let Some(principal) = principal {
            known.push_front((digest, principal.clone()));
        }
        known.truncate(LIMIT);
    });
}
