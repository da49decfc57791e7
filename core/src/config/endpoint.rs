//! What phones and gateways have in common.

use super::reader::{At, Reader, Section};
use super::watch::MediaWatch;
use crate::media::Interruption;
use crate::nearest::nearest;
use crate::params::{MediaProxy, Parameters, did_you_mean};
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

/// Rules G2 and G3 of behaviour 1(a).
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
}

/// A flag that is off by default and that this build only keeps.
pub(super) fn flag(reader: &mut Reader<'_>, table: &Section<'_>, key: &str) -> bool {
    let Some(flag) = reader.boolean(table, key) else { return false };
    if flag.value {
        reader.warn(&flag.span, "not-acted-on", format!("{key} is accepted, not yet acted on"));
    }
    flag.value
}

/// `rtp_interruption` and `rtp_interruption_s`.
pub(super) fn watch(reader: &mut Reader<'_>, table: &Section<'_>) -> MediaWatch {
    let mut watch = MediaWatch::default();
    if let Some(text) = reader.text(table, "rtp_interruption") {
        match Interruption::ALL.into_iter().find(|mode| mode.name() == text.value) {
            Some(mode) => watch.interruption = mode,
            None => {
                let near = nearest(text.value, Interruption::ALL.into_iter().map(Interruption::name));
                let words = "must be none, to_remote, from_remote or both";
                let text_of = format!("`rtp_interruption` {words}{}", did_you_mean(near));
                reader.error(&text.span, "value", text_of);
            }
        }
    }
    if let Some(after_s) = reader.whole(table, "rtp_interruption_s", 1..=3600) {
        watch.after_s = after_s.value;
        if watch.interruption == Interruption::None {
            reader.warn(&after_s.span, "no-watch", "`rtp_interruption_s` means something only with `rtp_interruption`");
        }
    }
    watch
}
