//! How long a call is billed for.

/// Whole seconds for a conversation of `ms` milliseconds: the remainder below a second counts as one more second where it
/// is at least `precision_ms` (SERVER_BILLING_HOLD_TIME_PRECISION, 0 to 999) and not nothing (behaviour 1(f)).
///
/// ```
/// use crosspoint_core::cdr::billed_seconds;
/// assert_eq!(billed_seconds(10_049, 50), 10);
/// assert_eq!(billed_seconds(10_050, 50), 11);
/// assert_eq!(billed_seconds(10_001, 0), 11);
/// ```
pub fn billed_seconds(ms: u64, precision_ms: u64) -> u64 {
    let rest = ms % 1000;
    ms / 1000 + u64::from(rest > 0 && rest >= precision_ms)
}

#[cfg(test)]
mod tests {
    use super::billed_seconds;

    #[test]
    fn vectors_of_the_specification() {
        for (ms, precision_ms, seconds) in
            [(9_999, 50, 10), (10_000, 50, 10), (10_049, 50, 10), (10_050, 50, 11), (10_001, 0, 11), (10_000, 0, 10)]
        {
            assert_eq!(billed_seconds(ms, precision_ms), seconds, "{ms} ms at {precision_ms}");
        }
    }
}
