//! Request methods.

macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $variant:ident = $token:literal,)+) => {
        /// A request method. Case-sensitive (RFC 3261 §7.1): `invite` is [`Method::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Method<'m> {
            $($(#[doc = $doc])+ $variant,)+
            /// Any other, as written.
            Other(&'m [u8]),
        }

        impl<'m> Method<'m> {
            /// The method of this name.
            pub fn of(token: &'m [u8]) -> Method<'m> {
                $(if token == $token { return Method::$variant; })+
                Method::Other(token)
            }

            /// The name as it goes on the wire.
            pub fn as_bytes(&self) -> &'m [u8] {
                match self {
                    $(Method::$variant => $token,)+
                    Method::Other(token) => token,
                }
            }
        }
    };
}

methods! {
    /// RFC 3261 §13.
    Invite = b"INVITE",
    /// RFC 3261 §13.
    Ack = b"ACK",
    /// RFC 3261 §15.
    Bye = b"BYE",
    /// RFC 3261 §9.
    Cancel = b"CANCEL",
    /// RFC 3261 §11.
    Options = b"OPTIONS",
    /// RFC 3261 §10.
    Register = b"REGISTER",
    /// RFC 6086.
    Info = b"INFO",
    /// RFC 3428.
    Message = b"MESSAGE",
    /// RFC 3311.
    Update = b"UPDATE",
    /// RFC 3262.
    Prack = b"PRACK",
    /// RFC 3515.
    Refer = b"REFER",
    /// RFC 6665.
    Notify = b"NOTIFY",
    /// RFC 6665.
    Subscribe = b"SUBSCRIBE",
    /// RFC 3903.
    Publish = b"PUBLISH",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive_and_never_unescaped() {
        assert_eq!(Method::of(b"INVITE"), Method::Invite);
        assert_eq!(Method::of(b"invite"), Method::Other(b"invite"));
        // RFC 4475 §3.1.1.5: not REGISTER.
        assert_eq!(Method::of(b"RE%47IST%45R"), Method::Other(b"RE%47IST%45R"));
        assert_eq!(Method::of(b"PUBLISH").as_bytes(), b"PUBLISH");
        assert_eq!(Method::of(b"FOO").as_bytes(), b"FOO");
    }
}
