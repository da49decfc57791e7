//! The endpoint that an operator names on a command line.

use super::{Config, Gateway, Phone};
use crate::nearest::nearest;
use crate::params::did_you_mean;

/// A phone or a gateway.
#[derive(Clone, Debug)]
pub enum Endpoint<'c> {
    /// By its user name.
    Phone(Phone<'c>),
    /// By its name.
    Gateway(&'c Gateway),
}

impl Config {
    /// The endpoint that `text` names: a phone's user name or a gateway's name, `phone:` or `gateway:` before it where it
    /// could be both.
    ///
    /// # Errors
    /// Says that there is none, with the nearest gateway.
    pub fn endpoint<'c>(&'c self, text: &'c str) -> Result<Endpoint<'c>, String> {
        let (kind, name) = match text.split_once(':') {
            Some((kind @ ("phone" | "gateway"), name)) => (kind, name),
            _ => ("", text),
        };
        if kind != "gateway"
            && let Some(phone) = self.phones.find(name)
        {
            return Ok(Endpoint::Phone(phone));
        }
        self.gateways.find(name).filter(|_| kind != "phone").map(Endpoint::Gateway).ok_or_else(|| {
            let hint = did_you_mean(nearest(name, self.gateways.iter().map(|gateway| gateway.name.as_str())));
            format!("there is no phone and no gateway `{name}`{hint}")
        })
    }
}
