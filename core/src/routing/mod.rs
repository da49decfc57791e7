//! How a call finds its way: a number becomes a [`Plan`] of ways, each choice with the rule that made it.
//!
//! A number that is a phone of ours goes to that phone's bindings, every other to the gateways that have a prefix of it.
//! The same facts give the same plan; nothing here keeps state but [`Load`], which the owner of the calls counts.
//!
//! * `plan`: the order of the whole: limits of the caller, rules for what a mapping gateway sends, phone or gateway
//! * `phone`: the bindings of a phone, in rounds
//! * `gateway`: which gateways take a number, in which order
//! * `limit`: who may have one call more
//! * `failover`: what follows a failed attempt, and what the caller is told in the end
//! * `redirect`: from the contacts of a 3xx to further ways
//! * `explain`: the choice candidate by candidate, for people
//! * `rule`: the table of all rules; `docs/routing.md` is made from it

mod explain;
pub mod failover;
mod gateway;
pub mod limit;
mod load;
mod model;
mod phone;
mod plan;
mod policy;
pub mod redirect;
mod rule;
#[cfg(test)]
mod tests;

pub use explain::{Explanation, endpoint, explain, explain_config};
pub use load::{Load, Use};
pub use model::{Caller, Facts, Hop, Plan, Refusal, Step, Target, Way};
pub use plan::{plan, policy, recheck};
pub use policy::{Redirect, Rel100, StopPolicy, WayPolicy};
pub use rule::{Rule, Verdict};
