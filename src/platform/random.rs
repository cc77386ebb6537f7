//! The only place that draws random bytes: the runtime's own `crypto.getRandomValues`.

/// As many random bytes.
pub fn bytes<const N: usize>() -> worker::Result<[u8; N]> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(|error| worker::Error::RustError(error.to_string()))?;
    Ok(random)
}
