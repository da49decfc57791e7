//! Plans against configurations, rule by rule.
