//! Options (RFC 3261 §19.2): which extensions work across the switch, which it takes part in on each leg, which not at all.
//!
//! An option that the table does not name passes: whether it can be met the far side decides, and its 420 passes back.

use crate::sip::{Header, Message, Name, Writer};

/// How far an option works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From end to end: passes in Supported, Require and Unsupported.
    EndToEnd,
    /// On each leg by itself: the switch takes part, and writes the option where it does.
    LegByLeg,
    /// Not across this switch: taken out of Supported; where it is required, the answer is 420.
    Nowhere,
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The option tag.
    pub name: &'static str,
    /// How far it works.
    pub reach: Reach,
    /// Why.
    pub why: &'static str,
}

const fn row(name: &'static str, reach: Reach, why: &'static str) -> Row {
    Row { name, reach, why }
}

/// The option of reliable provisional answers (RFC 3262).
pub const RELIABLE: &str = "100rel";

/// Options with a reason each.
pub const TABLE: &[Row] = &[
    row(RELIABLE, Reach::LegByLeg, "RFC 3262: passes where both sides can, else one side's is answered by the switch"),
    row("replaces", Reach::EndToEnd, "RFC 3891: the dialog that Replaces names is put into the terms of the other leg"),
    row("norefersub", Reach::EndToEnd, "RFC 4488: Refer-Sub passes, and so does what it does to the subscription"),
    row("nosub", Reach::EndToEnd, "RFC 7614: no subscription comes of the REFER that passes"),
    row("histinfo", Reach::EndToEnd, "RFC 7044: History-Info is written by the identity settings"),
    row("privacy", Reach::EndToEnd, "RFC 3323: Privacy is honoured by the identity settings"),
    row("early-session", Reach::EndToEnd, "RFC 3959: in bodies, which pass"),
    row("precondition", Reach::EndToEnd, "RFC 3312: in session descriptions, which pass"),
    row("answermode", Reach::EndToEnd, "RFC 5373: Answer-Mode passes"),
    row("uui", Reach::EndToEnd, "RFC 7433: User-to-User passes"),
    row("geolocation-sip", Reach::EndToEnd, "RFC 6442: Geolocation passes"),
    row("timer", Reach::Nowhere, "RFC 4028: belongs to each leg, and this build runs no session timer"),
    row("from-change", Reach::Nowhere, "RFC 4916: a leg's From stays what it was"),
    row("path", Reach::Nowhere, "RFC 3327: between a phone and its registrar"),
    row("outbound", Reach::Nowhere, "RFC 5626: between a phone and its edge"),
    row("gruu", Reach::Nowhere, "RFC 5627: a Contact names the switch"),
    row("sec-agree", Reach::Nowhere, "RFC 3329: between neighbours"),
    row("join", Reach::Nowhere, "RFC 3911: Join is not put into the terms of the other leg"),
    row("tdialog", Reach::Nowhere, "RFC 4538: nor is Target-Dialog"),
    row("explicitsub", Reach::Nowhere, "RFC 7614: its subscription is at an address of one leg"),
    row("multiple-refer", Reach::Nowhere, "RFC 5368: its addresses are in a body, which passes as it is"),
    row("resource-priority", Reach::Nowhere, "RFC 4412: no call goes before another"),
];

/// How far this option works; an unknown one from end to end.
pub fn reach(option: &[u8]) -> Reach {
    let row = TABLE.iter().find(|row| option.eq_ignore_ascii_case(row.name.as_bytes()));
    row.map_or(Reach::EndToEnd, |row| row.reach)
}

/// Whether the sender lists this option in Supported or Require.
pub fn supports(message: &Message<'_>, option: &str) -> bool {
    requires(message, option) || lists(message, Name::Supported, option)
}

/// Whether the sender lists this option in Require.
pub fn requires(message: &Message<'_>, option: &str) -> bool {
    lists(message, Name::Require, option)
}

fn lists(message: &Message<'_>, name: Name, option: &str) -> bool {
    message.list(name).any(|listed| listed.eq_ignore_ascii_case(option.as_bytes()))
}

/// The options of Require, or all of Proxy-Require, that cannot be met here: the Unsupported list of a 420
/// (RFC 3261 §8.2.2.3). Empty where there are none.
pub fn unsupported(message: &Message<'_>) -> Vec<u8> {
    let required = message.list(Name::Require).filter(|option| reach(option) == Reach::Nowhere);
    let of_proxies = message.list(Name::ProxyRequire);
    required.chain(of_proxies).collect::<Vec<_>>().join(&b", "[..])
}

/// Copies an option list with what works from end to end; nothing where that is none.
pub(super) fn copy(header: &Header<'_>, writer: &mut Writer) {
    let mut carried = crate::sip::split_list(header.value).filter(|option| reach(option) == Reach::EndToEnd).peekable();
    if carried.peek().is_none() {
        return;
    }
    writer.raw(header.name.as_str().as_bytes());
    for (i, option) in carried.enumerate() {
        writer.raw(if i == 0 { b": " } else { b", " }).raw(option);
    }
    writer.raw(b"\r\n");
}
