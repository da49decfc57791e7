//! One value of the Reason header (RFC 3326 §2): why a request is sent.

use super::chars::{is_token_char, split_while, trim, trim_start};
use super::params::Params;

/// `SIP ;cause=200 ;text="Call completed elsewhere"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonValue<'m> {
    /// `SIP`, `Q.850`, or any other token, as written.
    pub protocol: &'m [u8],
    /// The cause in that protocol's numbers; `None` where none is given, or one beyond 65,535.
    pub cause: Option<u16>,
    /// The text without its quotes; its escapes stay as they are. Empty where there is none.
    pub text: &'m [u8],
}

impl<'m> ReasonValue<'m> {
    /// Reads one value; those of a message are in [`crate::sip::Message::reasons`].
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(value: &'m [u8]) -> Result<ReasonValue<'m>, &'static str> {
        let (protocol, behind) = split_while(trim(value), is_token_char);
        if protocol.is_empty() {
            return Err("no protocol");
        }
        let params = trim_start(behind);
        if !matches!(params, [] | [b';', ..]) {
            return Err("text behind the protocol");
        }
        let params = Params::of(params);
        // Some write the number in quotes.
        let cause = params.get_unquoted("cause").and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        Ok(ReasonValue { protocol, cause, text: params.get_unquoted("text").unwrap_or_default() })
    }

    /// Whether the cause is one of this protocol.
    pub fn is(&self, protocol: &str) -> bool {
        self.protocol.eq_ignore_ascii_case(protocol.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::ReasonValue;
    use crate::sip::split_list;
    use quickcheck::quickcheck;

    fn parsed(value: &str) -> (String, Option<u16>, String) {
        let value = ReasonValue::parse(value.as_bytes()).unwrap_or_else(|fault| panic!("{value}: {fault}"));
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        (text(value.protocol), value.cause, text(value.text))
    }

    #[test]
    fn the_examples_of_rfc_3326() {
        for (printed, protocol, cause, text) in [
            (r#"SIP ;cause=200 ;text="Call completed elsewhere""#, "SIP", 200, "Call completed elsewhere"),
            (r#"Q.850 ;cause=16 ;text="Terminated""#, "Q.850", 16, "Terminated"),
            (r#"SIP ;cause=600 ;text="Busy Everywhere""#, "SIP", 600, "Busy Everywhere"),
            (r#"SIP ;cause=580 ;text="Precondition Failure""#, "SIP", 580, "Precondition Failure"),
        ] {
            assert_eq!(parsed(printed), (protocol.to_owned(), Some(cause), text.to_owned()));
        }
    }

    #[test]
    fn what_is_seen_in_the_field() {
        assert_eq!(parsed("q.850;cause=\"17\";text=busy"), ("q.850".into(), Some(17), "busy".into()));
        assert_eq!(
            parsed("X.int ;reasoncode=0x00000000;add-info=05CD.0001.000A"),
            ("X.int".into(), None, String::new())
        );
        assert_eq!(parsed("SIP;cause=99999"), ("SIP".into(), None, String::new()));
        assert!(ReasonValue::parse(b"q.850;cause=1").is_ok_and(|value| value.is("Q.850") && !value.is("SIP")));
        for broken in [&b""[..], b";cause=1", b"SIP cause=1", b"\"SIP\";cause=1"] {
            assert!(ReasonValue::parse(broken).is_err(), "{broken:?}");
        }
    }

    quickcheck! {
        /// What is written by the grammar is read back, whatever the text holds, also as one of a list.
        fn what_is_written_is_read(sip: bool, cause: u16, text: String) -> bool {
            let protocol = if sip { "SIP" } else { "Q.850" };
            let escaped = text.replace(['\r', '\n'], " ").replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("X;cause=1, {protocol} ;cause={cause};text=\"{escaped}\",Y");
            let values: Vec<_> = split_list(line.as_bytes()).map(ReasonValue::parse).collect();
            values.len() == 3
                && values[1] == Ok(ReasonValue {
                    protocol: protocol.as_bytes(),
                    cause: Some(cause),
                    text: escaped.as_bytes(),
                })
        }

        /// Whatever comes, what is read was there.
        fn what_is_read_stands_in_the_value(octets: Vec<u8>) -> bool {
            ReasonValue::parse(&octets).is_ok_and(|value| octets.windows(value.protocol.len()).any(|at| at == value.protocol))
                || ReasonValue::parse(&octets).is_err()
        }
    }
}
