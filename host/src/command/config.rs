//! `check` and `params`: what the operator wrote, and what there is to write.

use super::table::columns;
use super::{Done, print, print_json};
use crate::cli::{ConfigArgs, ParamsArgs, ParamsFormat};
use crate::config_file::{self, ConfigFile};
use crosspoint_core::params::Parameters;
use serde_json::{Value, json};

pub(crate) fn check(args: &ConfigArgs) -> Done {
    let Some(path) = &args.config else {
        return print("no file: the embedded default is sound\n");
    };
    let checked = config_file::check(path)?;
    print(&config_file::render(path, &checked).concat())?;
    let errors = if checked.config.is_none() { Err(String::new()) } else { Ok(()) };
    if checked.findings.is_empty() {
        print(&format!("{}: nothing found\n", path.display()))?;
    }
    errors
}

pub(crate) fn params(args: &ParamsArgs) -> Done {
    let parameters = match &args.config {
        Some(path) => ConfigFile::at(path.clone()).load()?.parameters.clone(),
        None => Parameters::default(),
    };
    match args.format {
        ParamsFormat::Table => print(&table(&parameters)),
        ParamsFormat::Json => print_json(&rows(&parameters)),
        ParamsFormat::Markdown => print(&markdown(&parameters)),
    }
}

fn table(parameters: &Parameters) -> String {
    let rows: Vec<[String; 7]> = parameters
        .list()
        .map(|(spec, value)| {
            let texts = [spec.name, value, spec.default, &spec.kind.range(), spec.unit, spec.status.name(), spec.help];
            texts.map(str::to_owned)
        })
        .collect();
    columns(["NAME", "VALUE", "DEFAULT", "RANGE", "UNIT", "STATUS", "MEANING"], &rows)
}

fn rows(parameters: &Parameters) -> Vec<Value> {
    parameters
        .list()
        .map(|(spec, value)| {
            json!({
                "name": spec.name, "value": value, "default": spec.default, "range": spec.kind.range(),
                "unit": spec.unit, "status": spec.status.name(), "section": spec.section, "meaning": spec.help,
            })
        })
        .collect()
}

/// The reference page: one table under each heading.
fn markdown(parameters: &Parameters) -> String {
    let mut out = "# System parameters\n".to_owned();
    let mut section = "";
    for (spec, value) in parameters.list() {
        if spec.section != section {
            section = spec.section;
            out.push_str(&format!("\n## {section}\n\n| name | value | default | range | unit | status | meaning |\n"));
            out.push_str("|---|---|---|---|---|---|---|\n");
        }
        let cells = [spec.name, value, spec.default, &spec.kind.range(), spec.unit, spec.status.name(), spec.help];
        out.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    out
}
