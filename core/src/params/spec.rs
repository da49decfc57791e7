//! One row of the parameter table.

use super::kind::{Checked, Kind};
use super::values::ParamError;

/// A parameter: everything that parsing, validation, listing and the reference need to know about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its name, as VOS3000 spells it.
    pub name: &'static str,
    /// The values it takes.
    pub kind: Kind,
    /// Its default, as listed.
    pub default: &'static str,
    /// Unit of the value; empty where it has none.
    pub unit: &'static str,
    /// What it means here.
    pub help: &'static str,
    /// Whether this build acts on it.
    pub status: Status,
    /// The heading it stands under.
    pub section: &'static str,
}

/// Whether this build acts on a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Active,
    /// It checks the value and keeps it, and says that nothing follows from it.
    Accepted,
}

impl Status {
    /// As listed.
    pub fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Accepted => "accepted, not yet acted on",
        }
    }
}

impl Spec {
    /// A row that this build acts on.
    pub(super) const fn active(
        section: &'static str,
        name: &'static str,
        kind: Kind,
        default: &'static str,
        unit: &'static str,
        help: &'static str,
    ) -> Spec {
        Spec { name, kind, default, unit, help, status: Status::Active, section }
    }

    /// A row that this build checks and keeps only.
    pub(super) const fn accepted(
        section: &'static str,
        name: &'static str,
        kind: Kind,
        default: &'static str,
        unit: &'static str,
        help: &'static str,
    ) -> Spec {
        Spec { name, kind, default, unit, help, status: Status::Accepted, section }
    }

    /// Checks a written value.
    ///
    /// # Errors
    /// [`ParamError::Refused`] with the reason.
    pub fn check(&self, text: &str) -> Result<Checked, ParamError> {
        self.kind.check(text).map_err(|reason| ParamError::Refused {
            name: self.name,
            text: text.trim().to_owned(),
            reason,
        })
    }
}
