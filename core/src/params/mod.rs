//! The system parameters.

use serde::{Deserialize, Serialize};

/// The values in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parameters;
