//! `[parameters]` and `presets`.

use super::reader::{Reader, Section, Span};
use crate::nearest::nearest;
use crate::params::{
    Checked, PRESETS, ParamError, Parameters, Spec, Status, System, did_you_mean, find, nearest_name, remarks,
};
use std::collections::BTreeMap;

/// Where each parameter that the operator wrote stands.
type Places = BTreeMap<&'static str, Span>;

pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Section<'_>,
    switch: Option<&Section<'_>>,
    system: &System,
) -> Parameters {
    let mut parameters = Parameters::default();
    let mut places = Places::new();
    if let Some(switch) = switch {
        apply_presets(reader, switch, &mut parameters, &mut places);
    }
    if let Some(table) = reader.table(root, "parameters", "[parameters]") {
        apply_table(reader, &table, &mut parameters, &mut places);
    }
    for (name, place) in &places {
        lint(reader, &parameters, name, place);
    }
    for remark in remarks(&parameters, system) {
        let place = remark.parameters.iter().find_map(|name| places.get(name));
        // of what nobody wrote only this is said: it hangs on the system and not on our defaults
        if let Some(place) = place.or((remark.id == "open-files").then_some(&root.span)) {
            reader.find(place, remark.level, remark.id, remark.text);
        }
    }
    parameters
}

fn apply_presets(reader: &mut Reader<'_>, switch: &Section<'_>, parameters: &mut Parameters, places: &mut Places) {
    for name in reader.texts(switch, "presets").map(|names| names.value).unwrap_or_default() {
        let Some(preset) = PRESETS.iter().find(|preset| preset.name == name.value) else {
            let hint = did_you_mean(nearest(name.value, PRESETS.iter().map(|preset| preset.name)));
            reader.error(&name.span, "unknown-preset", format!("unknown preset `{}`{hint}", name.value));
            continue;
        };
        for (parameter, value) in preset.values {
            parameters.set(parameter, value).expect("a test sets every preset");
            let spec = find(parameter).expect("a test sets every preset");
            places.insert(spec.name, name.span.clone());
        }
    }
}

fn apply_table(reader: &mut Reader<'_>, table: &Section<'_>, parameters: &mut Parameters, places: &mut Places) {
    let mut written = BTreeMap::new();
    for (key, value) in table.entries() {
        let Some(spec) = find(key.value) else {
            let error = ParamError::Unknown { name: key.value.to_owned(), nearest: nearest_name(key.value) };
            reader.error(&key.span, "unknown-parameter", error.to_string());
            continue;
        };
        if let Some(other) = written.insert(spec.name, key.value) {
            let text = format!("{} is there twice, as `{other}` and as `{}`", spec.name, key.value);
            reader.error(&key.span, "duplicate", text);
        }
        let Some(text) = reader.parameter_text(key.value, value) else { continue };
        match spec.check(&text) {
            Ok(Checked { text, warning }) => {
                if let Some(warning) = warning {
                    reader.warn(&value.span(), "qos-ecn", format!("{}: {warning}", spec.name));
                }
                parameters.set(spec.name, &text).expect("a checked value passes its check again");
                places.insert(spec.name, key.span);
            }
            Err(error) => reader.error(&value.span(), "parameter-value", error.to_string()),
        }
    }
}

/// Says of a value that nothing follows from it.
fn lint(reader: &mut Reader<'_>, parameters: &Parameters, name: &str, place: &Span) {
    let Some(Spec { name, default, status: Status::Accepted, .. }) = find(name) else { return };
    let value = parameters.get(name).expect("find() has found it");
    if value == *default {
        return;
    }
    reader.warn(place, "not-acted-on", format!("{name} = {value} is accepted, not yet acted on"));
}
