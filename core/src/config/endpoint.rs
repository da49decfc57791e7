//! What phones and gateways have in common.

use super::reader::{At, Reader, Section};
use crate::params::{MediaProxy, Parameters};
use toml::de::DeValue;

/// `media_proxy`: a name or a VOS code.
pub(super) fn media_proxy(reader: &mut Reader<'_>, table: &Section<'_>, parameters: &Parameters) -> MediaProxy {
    let Some(written) = table.get("media_proxy") else { return MediaProxy::Auto };
    let text = match written.get_ref() {
        DeValue::Integer(code) => Some(code.to_string()),
        _ => reader.text(table, "media_proxy").map(|text| text.value.to_owned()),
    };
    let Some(text) = text else { return MediaProxy::Auto };
    match MediaProxy::parse(&text) {
        Ok(mode) => {
            lint(reader, &At { value: mode, span: written.span() }, parameters.media_proxy_mode());
            mode
        }
        Err(reason) => {
            reader.error(&written.span(), "value", format!("`media_proxy` {reason}"));
            MediaProxy::Auto
        }
    }
}

/// Rules G2 and G3 of behaviour 1(a), and that this build relays nothing.
fn lint(reader: &mut Reader<'_>, mode: &At<MediaProxy>, global: MediaProxy) {
    match (global, mode.value) {
        (MediaProxy::Off, MediaProxy::MustOn) => {
            reader.warn(
                &mode.span,
                "media-conflict",
                "SS_MEDIAPROXYMODE = Off goes before this Must On: media is direct (G2)",
            );
        }
        (MediaProxy::On, MediaProxy::Off) => {
            reader.warn(
                &mode.span,
                "media-conflict",
                "SS_MEDIAPROXYMODE = On goes before this Off: media is relayed (G3)",
            );
        }
        _ => {}
    }
    if matches!(mode.value, MediaProxy::On | MediaProxy::MustOn) {
        let text = format!("{}: this build relays no media, every call's media is direct", mode.value.name());
        reader.warn(&mode.span, "no-relay", text);
    }
}

/// A flag that is off by default and that this build only keeps.
pub(super) fn flag(reader: &mut Reader<'_>, table: &Section<'_>, key: &str) -> bool {
    let Some(flag) = reader.boolean(table, key) else { return false };
    if flag.value {
        reader.warn(&flag.span, "not-acted-on", format!("{key} is accepted, not yet acted on"));
    }
    flag.value
}
