//! The system parameters of VOS3000, under their own names.
//!
//! [`TABLE`] is the one place where a parameter is described; parsing, validation, listing, import and the reference in
//! `docs/parameters.md` all come from it. [`Parameters`] holds the values in force.

mod import;
mod kind;
mod media_proxy;
mod presets;
mod remarks;
mod render;
mod spec;
mod table;
mod tos;
mod values;

pub use import::{Import, import};
pub use kind::{Checked, Choice, Kind};
pub use media_proxy::MediaProxy;
pub use presets::{PRESETS, Preset};
pub use remarks::{Remark, System, media_files, open_files, remarks};
pub use render::{Format, render};
pub use spec::{Spec, Status};
pub use table::{TABLE, find, nearest_name};
pub(crate) use values::did_you_mean;
pub use values::{ParamError, Parameters};
