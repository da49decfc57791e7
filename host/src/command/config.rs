//! `check` and `params`: what the operator wrote, and what there is to write.

use super::{Done, print};
use crate::cli::{ConfigArgs, ParamsArgs, ParamsFormat};
use crate::config_file::{self, ConfigFile};
use crate::sounds;
use crosspoint_core::params::{self, Format, Parameters};
use std::path::Path;

pub(crate) fn check(args: &ConfigArgs) -> Done {
    let Some(path) = &args.config else {
        return print("no file: the embedded default is sound\n");
    };
    let checked = config_file::check(path)?;
    print(&config_file::render(path, &checked.findings, &checked.text))?;
    // what the findings say
    let config = checked.config.ok_or_else(String::new)?;
    sounds::load(&config, path)?;
    if checked.findings.is_empty() {
        print(&format!("{}: nothing found\n", path.display()))?;
    }
    Ok(())
}

pub(crate) fn params(args: &ParamsArgs) -> Done {
    if let Some(path) = &args.import {
        return import(path);
    }
    let parameters = match &args.config {
        Some(path) => ConfigFile::at(path.clone()).load()?.parameters.clone(),
        None => Parameters::default(),
    };
    let format = match args.format {
        ParamsFormat::Table => Format::Table,
        ParamsFormat::Json => Format::Json,
        ParamsFormat::Markdown => Format::Markdown,
    };
    print(&params::render(&parameters, format))
}

/// Prints a foreign list as a `[parameters]` table; what there is to say about it goes to stderr. Fails where a value had
/// to be left out.
fn import(path: &Path) -> Done {
    let text = config_file::read(path)?;
    let import = params::import(&text);
    print(&import.toml)?;
    eprint!("{}", config_file::render(path, import.findings.iter(), &text));
    if import.findings.has_errors() { Err("not every value could be taken over".to_owned()) } else { Ok(()) }
}
