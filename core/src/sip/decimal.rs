//! Numbers and addresses as text. The formatting machinery of the standard library costs more than all the rest of a short
//! message.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// Writes a number in decimal.
pub(crate) fn push_number(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return text.extend_from_slice(&digits[start..]);
        }
    }
}

/// Writes an address; an IPv6 one without brackets.
pub(crate) fn push_ip(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    text.push(b'.');
                }
                push_number(text, octet.into());
            }
        }
        IpAddr::V6(address) => write!(text, "{address}").expect("writing to memory does not fail"),
    }
}

/// Writes an address with its port; an IPv6 one in brackets.
pub(crate) fn push_address(text: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(address) => {
            push_ip(text, IpAddr::V4(*address.ip()));
            text.push(b':');
            push_number(text, address.port().into());
        }
        SocketAddr::V6(address) => write!(text, "{address}").expect("writing to memory does not fail"),
    }
}

/// An address with its port, as text.
pub(crate) fn address_text(address: SocketAddr) -> String {
    let mut text = Vec::with_capacity("255.255.255.255:65535".len());
    push_address(&mut text, address);
    String::from_utf8(text).expect("an address is written in ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn written<T>(push: impl Fn(&mut Vec<u8>, T), value: T) -> String {
        let mut text = Vec::new();
        push(&mut text, value);
        String::from_utf8(text).expect("digits and the like")
    }

    quickcheck! {
        fn all_is_written_as_the_standard_library_does(number: u64, address: SocketAddr) -> bool {
            let ip = address.ip();
            written(push_number, number) == number.to_string()
                && written(push_ip, ip) == ip.to_string()
                && written(push_address, address) == address.to_string()
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written() {
        assert_eq!([0, 9, 10, u64::MAX].map(|n| written(push_number, n)), ["0", "9", "10", "18446744073709551615"]);
    }
}
